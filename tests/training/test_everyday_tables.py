"""The tables of everyday words, on twelve equal photos."""

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from training import evaluate
from training.corpora import LANGUAGES, Caption
from training.evaluate import Everyday, Gallery

NAMES = [f"{number}.png" for number in range(12)]


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """Return twelve equal photos. Captions of four of them mention a dog, of one of these twice."""
    names = dict.fromkeys(LANGUAGES, "red")
    monkeypatch.setattr(evaluate, "everyday_words", lambda: [Everyday(names, ["dog"], 0), Everyday(names, ["cat"], 1)])
    captions = [Caption(name, "A dog runs .", "en") for name in (*NAMES[:4], NAMES[0])]
    pixels = np.zeros((12, *FakeEncoder().preprocess.pixels(Image.new("RGB", (8, 8))).shape), np.uint8)
    return Gallery("photos", NAMES, pixels, captions)


def test_words_are_scored_by_captions_and_by_judgement(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = dict.fromkeys(NAMES, True)
    monkeypatch.setattr(evaluate, "read_judgements", lambda: {"red": seen})
    lines = list(evaluate._everyday_tables(gallery, FakeEncoder()))  # equal scores: the first ten in order
    assert "| P@10 of 2 everyday words, two of five captions | all | tune | test |" in lines
    assert lines[2] == "| en | 0.050 (0.000-0.100) | 0.100 (0.100-0.100) | 0.000 (0.000-0.000) |"
    one = lines.index("| P@10 of 2 everyday words, one of five captions | all | tune | test |")
    assert lines[one + 2].startswith("| en | 0.200 (0.000-0.400) | 0.400 ")
    judged = lines.index("| P@10 of 2 everyday words, by judgement | all | tune | test |")
    assert lines[judged + 2] == "| en | 1.000 (1.000-1.000) | 1.000 (1.000-1.000) | 1.000 (1.000-1.000) |"


def test_photos_that_must_be_judged_are_named_and_other_tables_remain(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "read_judgements", lambda: {"red": dict.fromkeys(NAMES[1:], True)})
    lines = list(evaluate._everyday_tables(gallery, FakeEncoder()))
    assert "by judgement: 2 photos are not judged for a word: red: 0.png, red: 0.png." in lines[-1]
    assert sum(line.startswith("| P@10") for line in lines) == 2
