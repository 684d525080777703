"""Reading the training data."""

import json
from pathlib import Path

import pytest

from training import corpora
from training.corpora import Caption


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write a training photo and a dev photo, with a caption in each language, and three aligned sentences."""
    (tmp_path / "flickr8k").mkdir()
    for lang in corpora.LANGUAGES:
        rows = [
            {"image": "images/b.jpg", "caption": f"Train {lang}.", "lang": lang, "split": "train"},
            {"image": "images/a.jpg", "caption": f"Dev {lang}.", "lang": lang, "split": "dev"},
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "flickr8k" / f"captions.{lang}.jsonl").write_text(lines)
    (tmp_path / "multi30k").mkdir()
    aligned = ["A dog\tEin Hund\tUn chien\tPes", "dev EN\tx\ty\tz", "one\ttab\ttoo\tmany\there"]
    (tmp_path / "multi30k" / "parallel.en-de-fr-cs.tsv").write_text("\n".join(aligned) + "\n")
    return tmp_path


def test_splits_have_separate_captions_in_every_language(data: Path) -> None:
    expected = [Caption("b.jpg", f"Train {lang}.", lang) for lang in ("en", "zh", "ar", "de", "fr", "cs")]
    assert corpora.captions(data, "train") == expected


def test_pictures_of_a_split(data: Path) -> None:
    assert corpora.flickr_pictures(data, "dev") == [data / "flickr8k" / "images" / "a.jpg"]


def test_aligned_sentences_exclude_broken_lines_and_dev_captions(data: Path) -> None:
    # "dev EN" is the dev caption "Dev en." in another dress.
    assert corpora.aligned_sentences(data) == [{"en": "A dog", "de": "Ein Hund", "fr": "Un chien", "cs": "Pes"}]
