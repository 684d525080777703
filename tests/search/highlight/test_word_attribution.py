"""Which word matched where: words by hand, parts by colours."""

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from encoders.prompts import TextPrompt
from search.highlight.patch_similarity import Relevance
from search.highlight.word_attribution import split_words, word_parts


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
def test_words_and_where_they_begin(text: str, words: list[tuple[int, str]]) -> None:
    assert split_words(text) == words


def test_the_word_that_matched_has_the_weight_where_it_matched() -> None:
    image = Image.new("RGB", (64, 64))
    image.paste(Image.new("RGB", (32, 64), "red"), (0, 0))
    one, red, thing = word_parts(Relevance(FakeEncoder()), image, TextPrompt("one red thing"))
    assert (one.text, red.text, thing.text) == ("one", "red", "thing")
    assert red.weight > 0.9
    assert abs(one.weight) + abs(thing.weight) < 1e-6
    assert red.change[:, :16].min() > 0.9
    assert red.change[:, 48:].max() < 0.1


def test_a_word_that_was_in_the_way_has_a_negative_weight() -> None:
    image = Image.new("RGB", (64, 64))
    image.paste(Image.new("RGB", (32, 64), (40, 0, 0)), (0, 0))  # a red so dark that "cyan" spoils it
    red, cyan = word_parts(Relevance(FakeEncoder()), image, TextPrompt("red cyan"))
    assert cyan.weight < red.weight


def test_of_a_single_word_nothing_can_be_left_out() -> None:
    assert word_parts(Relevance(FakeEncoder()), Image.new("RGB", (8, 8)), TextPrompt("red")) == ()
