"""Crossmodal-3600 captions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def picture(key: str, **captions: list[str]) -> dict[str, object]:
    spoken = {lang: {"caption": texts, "caption/tokenized": ["not used"]} for lang, texts in captions.items()}
    return {"image/key": key, "image/locale": "sw", **spoken}


@pytest.mark.parametrize("folder", ["images", "."])
@pytest.mark.parametrize("whole", [True, False])
def test_published_layout_is_read(write: Write, touch: Touch, tmp_path: Path, folder: str, whole: bool) -> None:
    touch(f"{folder}/00a.jpg", f"{folder}/00b.jpg")
    path = write("captions.jsonl", picture("00b", en=["A dog", "A brown dog"], zh=["狗"]), picture("00a", en=["A cat"]))
    dataset = open_dataset(tmp_path if whole else path)
    assert dataset.root == tmp_path / folder
    assert dataset.images == ("00a.jpg", "00b.jpg")
    assert dataset.captions == (
        Caption("00b.jpg#en#0", "A dog", "en", {"00b.jpg": 1}),
        Caption("00b.jpg#en#1", "A brown dog", "en", {"00b.jpg": 1}),
        Caption("00b.jpg#zh#0", "狗", "zh", {"00b.jpg": 1}),
        Caption("00a.jpg#en#0", "A cat", "en", {"00a.jpg": 1}),
    )
    assert dataset.languages == ("en", "zh")


def test_invalid_records_are_rejected(write: Write, touch: Touch) -> None:
    touch("00a.jpg")
    with pytest.raises(DatasetError, match="line 2: 'image/key' is missing"):
        open_dataset(write("captions.jsonl", picture("00a", en=["A"]), {"en": {"caption": ["A"]}}))
    with pytest.raises(DatasetError, match="line 1: 'en' has no list of captions under 'caption'"):
        open_dataset(write("captions.jsonl", {"image/key": "00a", "en": {"captions": ["A"]}}))
    with pytest.raises(DatasetError, match=r"line 1: the caption '00a.jpg#en#1' is empty"):
        open_dataset(write("captions.jsonl", picture("00a", en=["A", ""])))
    with pytest.raises(DatasetError, match="line 2: duplicate image 00a"):
        open_dataset(write("captions.jsonl", picture("00a", en=["A"]), picture("00a", en=["B"])))
    with pytest.raises(MissingPictures, match=r"1 of its pictures are missing: 00b.jpg"):
        open_dataset(write("captions.jsonl", picture("00a", en=["A"]), picture("00b", en=["A"])))
