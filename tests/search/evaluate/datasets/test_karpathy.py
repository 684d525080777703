"""The splits of Karpathy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def picture(name: str, split: str, *sentences: str, **more: object) -> dict[str, object]:
    return {"filename": name, "split": split, "sentences": [{"raw": text} for text in sentences], **more}


def test_flickr_file_is_read(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("Images/1.jpg", "Images/2.jpg")
    content = {"images": [picture("1.jpg", "test", "A dog .", "A brown dog ."), picture("2.jpg", "val", "A cat .")]}
    dataset = open_dataset(write("dataset_flickr8k.json", content), "test")
    assert (dataset.name, dataset.split, dataset.root) == ("dataset_flickr8k", "test", tmp_path / "Images")
    assert dataset.images == ("1.jpg",)
    assert dataset.captions == (
        Caption("1.jpg#en#0", "A dog .", "en", {"1.jpg": 1}),
        Caption("1.jpg#en#1", "A brown dog .", "en", {"1.jpg": 1}),
    )


def test_coco_file_has_folders_and_a_restval_split(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("val2014/1.jpg")
    content = {
        "images": [
            picture("1.jpg", "test", "A dog .", filepath="val2014"),
            picture("2.jpg", "restval", "A cat .", filepath="val2014"),
        ]
    }
    dataset = open_dataset(write("dataset_coco.json", content), "test")
    assert (dataset.images, dataset.root) == (("val2014/1.jpg",), tmp_path)
    with pytest.raises(DatasetError, match="several splits: choose from restval, test, all"):
        open_dataset(tmp_path / "dataset_coco.json")


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"filename": "2.jpg", "sentences": []}, "'split' is missing"),
        ({"split": "test", "sentences": []}, "'filename' is missing"),
        ({"filename": "2.jpg", "split": "test"}, "'sentences' is not a list of objects"),
        (picture("2.jpg", "test", ""), "the caption '2.jpg#en#0' is empty"),
        ({"filename": "2.jpg", "split": "test", "sentences": [{}]}, "'raw' is missing"),
        (picture("1.jpg", "val", "A dog"), "1.jpg is in the split 'val' and in 'test'"),
    ],
)
def test_invalid_records_are_rejected(write: Write, touch: Touch, wrong: dict[str, object], complaint: str) -> None:
    touch("1.jpg", "2.jpg")
    path = write("dataset.json", {"images": [picture("1.jpg", "test", "A dog ."), wrong]})
    with pytest.raises(DatasetError, match=rf"{path}: images\[1\](\.sentences\[0\])?: {complaint}"):
        open_dataset(path)


def test_file_without_images_is_rejected(write: Write) -> None:
    with pytest.raises(DatasetError, match="no images"):
        open_dataset(write("dataset.json", {"images": []}), format="karpathy")
