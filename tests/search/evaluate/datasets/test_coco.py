"""COCO captions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def content(**other: object) -> dict[str, Any]:
    return {
        "info": {},
        "images": [{"id": 9, "file_name": "000009.jpg"}, {"id": 7, "file_name": "000007.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 7, "caption": "A dog."},
            {"id": 2, "image_id": 7, "caption": "A brown\n dog."},
        ],
    } | other


def test_unpacked_archive_is_read(write: Write, touch: Touch, tmp_path: Path) -> None:
    """An image without a caption remains a candidate."""
    touch("val2017/000007.jpg", "val2017/000009.jpg")
    dataset = open_dataset(write("annotations/captions_val2017.json", content()))
    assert (dataset.name, dataset.split, dataset.root) == ("captions_val2017", "val2017", tmp_path / "val2017")
    assert dataset.images == ("000007.jpg", "000009.jpg")
    assert dataset.captions == (
        Caption("1", "A dog.", "en", {"000007.jpg": 1}),
        Caption("2", "A brown dog.", "en", {"000007.jpg": 1}),
    )


@pytest.mark.parametrize("folder", ["images", "."])
def test_images_are_found_next_to_the_file(write: Write, touch: Touch, tmp_path: Path, folder: str) -> None:
    touch(f"{folder}/000007.jpg", f"{folder}/000009.jpg")
    assert open_dataset(write("captions_val2017.json", content())).root == tmp_path / folder


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"images": []}, "no images"),
        ({"images": {}}, "'images' is not a list of objects"),
        ({"annotations": [1]}, "'annotations' is not a list of objects"),
        ({"annotations": []}, "2 images and no captions"),
        ({"annotations": [{"id": 1, "image_id": 8, "caption": "A"}]}, "the caption 1 has the unknown image_id 8"),
        ({"annotations": [{"id": 1, "image_id": 7}]}, "'caption' is missing"),
        ({"annotations": [{"id": 1, "image_id": 7, "caption": " "}]}, "the caption '1' is empty"),
        ({"annotations": [{"id": 1, "image_id": 7, "caption": "A"}] * 2}, "duplicate id '1'"),
        ({"images": [{"id": 7, "file_name": "000007.jpg"}] * 2}, "duplicate image id 7"),
        ({"images": [{"id": 7}]}, "'file_name' is missing"),
    ],
)
def test_invalid_records_are_rejected(write: Write, touch: Touch, other: dict[str, object], complaint: str) -> None:
    touch("000007.jpg", "000009.jpg")
    path = write("captions_val2017.json", content(**other))
    with pytest.raises(DatasetError, match=rf"{path}: (\w+\[\d\]: )?{complaint}"):
        open_dataset(path)


def test_missing_pictures_and_invalid_json(write: Write) -> None:
    with pytest.raises(MissingPictures, match=r"2 of its pictures are missing: 000007.jpg, 000009.jpg"):
        open_dataset(write("captions_val2017.json", content()))
    with pytest.raises(DatasetError, match=r"captions.json: not JSON"):
        open_dataset(write("captions.json", "{"))
    with pytest.raises(DatasetError, match="not a data set in a known format"):
        open_dataset(write("captions.json", "[]"))


def test_image_folder_can_be_given(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("val2017/000007.jpg", "val2017/000009.jpg", "disk/000007.jpg", "disk/000009.jpg")
    path = write("captions_val2017.json", content())
    assert open_dataset(path, root=tmp_path / "disk").root == tmp_path / "disk"
