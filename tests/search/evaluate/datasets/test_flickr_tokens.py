"""The token file of Flickr8k, with the lists of its splits."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]

TOKENS = ("1.jpg#0\tA dog .", "1.jpg#1\tA brown dog .", "2.jpg#0\tA cat .", "3.jpg#0\tA # sign .")


@pytest.fixture
def flickr(write: Write, touch: Touch, tmp_path: Path) -> Path:
    """The unpacked archives: texts and pictures in two folders."""
    write("text/Flickr8k.token.txt", *TOKENS)
    write("text/Flickr_8k.devImages.txt", "1.jpg")
    write("text/Flickr_8k.testImages.txt", "2.jpg")
    touch("Flicker8k_Dataset/1.jpg", "Flicker8k_Dataset/2.jpg", "Flicker8k_Dataset/3.jpg")
    return tmp_path


@pytest.mark.parametrize("name", ["text", "text/Flickr8k.token.txt"])
def test_split_lists_are_read(flickr: Path, name: str) -> None:
    dataset = open_dataset(flickr / name, "dev")
    assert dataset.root == flickr / "Flicker8k_Dataset"
    assert dataset.images == ("1.jpg",)
    assert dataset.captions == (
        Caption("1.jpg#0", "A dog .", "en", {"1.jpg": 1}),
        Caption("1.jpg#1", "A brown dog .", "en", {"1.jpg": 1}),
    )
    assert open_dataset(flickr / name, "rest").images == ("3.jpg",)
    assert len(open_dataset(flickr / name, "all").captions) == 4


def test_without_lists_there_are_no_splits(write: Write, touch: Touch) -> None:
    touch("1.jpg", "2.jpg", "3.jpg")
    dataset = open_dataset(write("results.token", *TOKENS))
    assert (dataset.split, dataset.images, dataset.name) == ("all", ("1.jpg", "2.jpg", "3.jpg"), "results")


def test_missing_pictures_of_the_split_are_named(flickr: Path) -> None:
    (flickr / "Flicker8k_Dataset" / "2.jpg").unlink()
    assert open_dataset(flickr / "text", "dev").images == ("1.jpg",)
    with pytest.raises(MissingPictures, match=r"Flicker8k_Dataset: 1 of its pictures are missing: 2\.jpg$"):
        open_dataset(flickr / "text", "test")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1.jpg A dog .", "line 2: name.jpg#0<TAB>caption was expected"),
        ("1.jpg#x\tA dog .", "line 2: name.jpg#0<TAB>caption was expected"),
        ("1.jpg#0\tA dog .", "line 2: duplicate id '1.jpg#0'"),
        ("1.jpg#1\t ", "line 2: the caption '1.jpg#1' is empty"),
    ],
)
def test_invalid_lines_are_rejected(write: Write, touch: Touch, line: str, complaint: str) -> None:
    touch("1.jpg")
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(write("some.token.txt", TOKENS[0], line))


def test_invalid_split_lists_are_rejected(flickr: Path, write: Write) -> None:
    write("text/Flickr_8k.trainImages.txt", "3.jpg", "2.jpg")
    with pytest.raises(DatasetError, match=r"trainImages.txt, line 2: 2.jpg is also in the split 'test'"):
        open_dataset(flickr / "text", "dev")
    write("text/Flickr_8k.trainImages.txt", "3.jpg", "4.jpg")
    with pytest.raises(DatasetError, match=r"token.txt: no caption for 4.jpg, which is in the list of a split"):
        open_dataset(flickr / "text", "dev")
    with pytest.raises(DatasetError, match="no token file"):
        open_dataset(flickr, format="flickr")
