"""Word attribution, with colours as words."""

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from encoders.prompts import TextPrompt
from search.highlight.patch_similarity import PatchSimilarityEngine
from search.highlight.word_attribution import attribute_words, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a red-brown dog's nose", [(0, "a"), (2, "red-brown"), (12, "dog's"), (18, "nose")]),
        ("雪地里的狗", [(0, "雪"), (1, "地"), (2, "里"), (3, "的"), (4, "狗")]),
        ("two 狗, ok?", [(0, "two"), (4, "狗"), (7, "ok")]),
        ("großer Hund", [(0, "großer"), (7, "Hund")]),
        ("كلب في الثلج", [(0, "كلب"), (4, "في"), (7, "الثلج")]),
        ("...", []),
    ],
)
def test_split_words_returns_positions(text: str, words: list[tuple[int, str]]) -> None:
    assert split_words(text) == words


def test_the_matching_word_has_the_weight() -> None:
    image = Image.new("RGB", (64, 64))
    image.paste(Image.new("RGB", (32, 64), "red"), (0, 0))
    one, red, thing = attribute_words(PatchSimilarityEngine(FakeEncoder()), image, TextPrompt("one red thing"))
    assert (one.text, red.text, thing.text) == ("one", "red", "thing")
    assert red.weight > 0.9
    assert abs(one.weight) + abs(thing.weight) < 1e-6
    assert red.change[:, :16].min() > 0.9
    assert red.change[:, 48:].max() < 0.1


def test_a_harmful_word_has_a_negative_weight() -> None:
    image = Image.new("RGB", (64, 64))
    image.paste(Image.new("RGB", (32, 64), (40, 0, 0)), (0, 0))  # a red so dark that "cyan" spoils it
    red, cyan = attribute_words(PatchSimilarityEngine(FakeEncoder()), image, TextPrompt("red cyan"))
    assert cyan.weight < red.weight


def test_a_single_word_has_no_attribution() -> None:
    assert attribute_words(PatchSimilarityEngine(FakeEncoder()), Image.new("RGB", (8, 8)), TextPrompt("red")) == ()
