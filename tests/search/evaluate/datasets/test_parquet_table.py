"""Captions in Parquet files, as data sets of Hugging Face have them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets import open_dataset

Touch = Callable[..., None]


def write(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)
    return path


def captions(path: Path, **options: Any) -> list[tuple[str, str, list[str]]]:
    return [(each.id, each.text, list(each.images)) for each in open_dataset(path, **options).captions]


def test_columns_of_paths_and_captions(touch: Touch, tmp_path: Path) -> None:
    touch("a.jpg", "b.jpg")
    table = write(tmp_path / "test.parquet", image=["a.jpg", "b.jpg"], text=["a cat", "a dog"], lang=["en", None])
    assert captions(table) == [("a.jpg#en#0", "a cat", ["a.jpg"]), ("b.jpg#und#0", "a dog", ["b.jpg"])]


def test_folder_of_hugging_face_with_splits_and_lists_of_captions(touch: Touch, tmp_path: Path) -> None:
    """The pictures are in the files; their names are in a column of their own, or in the structure."""
    for split, name, number in (("train", "a.jpg", "6"), ("test", "b.jpg", "7")):
        write(
            tmp_path / "data" / f"{split}-00000-of-00001.parquet",
            image=[{"bytes": b"picture", "path": None}],
            caption=[["one", "two"]],
            filename=[name],
            id=[number],
        )
    touch("images/b.jpg")
    assert captions(tmp_path, split="test", root=tmp_path / "images") == [
        ("7#0", "one", ["b.jpg"]),
        ("7#1", "two", ["b.jpg"]),
    ]
    with pytest.raises(DatasetError, match="several splits: choose from test, train, all"):
        open_dataset(tmp_path)
    with pytest.raises(MissingPictures):
        open_dataset(tmp_path, "train")
    assert captions(tmp_path, split="train", check_files=False) == [
        ("6#0", "one", ["a.jpg"]),
        ("6#1", "two", ["a.jpg"]),
    ]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"image": ["a.jpg"]}, "no column for the caption; it has image"),
        ({"caption": ["a cat"]}, "no column for the image; it has caption"),
        ({"image": ["a.jpg", None], "caption": ["x", "y"]}, "row 1: the image has no name"),
        ({"image": [{"bytes": b"x", "path": None}], "caption": ["x"]}, "row 0: the image has no name"),
        ({"image": ["a.jpg", "b.jpg"], "caption": ["x", None]}, "row 1: the caption is not a text"),
        ({"image": ["a.jpg"], "caption": [[]]}, "row 0: the caption is not a text or a list of texts"),
        ({"image": ["../a.jpg"], "caption": ["x"]}, "row 0: '../a.jpg' is not a path relative to the folder"),
    ],
)
def test_faults_name_the_row(tmp_path: Path, columns: dict[str, Any], fault: str) -> None:
    with pytest.raises(DatasetError, match=fault):
        open_dataset(write(tmp_path / "t.parquet", **columns), check_files=False)


def test_file_of_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(DatasetError, match=r"t\.parquet: not a Parquet file that can be read"):
        open_dataset(tmp_path / "t.parquet")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_can_be_named(touch: Touch, tmp_path: Path, suffix: str) -> None:
    """Otherwise the columns with usual names would be read."""
    touch("a.jpg")
    table = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        table.write_text("photo,Alt Text,image,caption\na.jpg,a cat,no.jpg,wrong\n")
    else:
        write(table, **{"photo": ["a.jpg"], "Alt Text": ["a cat"], "image": ["no.jpg"], "caption": ["wrong"]})
    assert captions(table, image_column="photo", caption_column="alt text") == [("a.jpg#und#0", "a cat", ["a.jpg"])]
    with pytest.raises(DatasetError, match=r"column.*(for the image|'picture')"):
        open_dataset(table, image_column="picture")


def test_folder_with_vectors_is_no_data_set(touch: Touch, tmp_path: Path) -> None:
    touch("dog/1.jpg")
    write(tmp_path / "vectors.parquet", embedding=[[0.0, 1.0]], id=["1"])
    assert captions(tmp_path) == [("dog", "a photo of a dog", ["dog/1.jpg"])]
