"""Pictures with their captions in text files next to them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def test_layout_of_img2dataset(touch: Touch, write: Write, tmp_path: Path) -> None:
    """The folders of shards are no classes. A picture whose text is missing is searched, too."""
    touch("00000/000000000.jpg", "00000/000000002.jpg", "00001/000010000.jpg", "00000/000000000.json")
    write("00000/000000000.txt", "a cat", " a sleeping cat ")
    write("00001/000010000.txt", "a dog")
    dataset = open_dataset(tmp_path)
    assert dataset.images == ("00000/000000000.jpg", "00000/000000002.jpg", "00001/000010000.jpg")
    cat, dog = "00000/000000000.jpg", "00001/000010000.jpg"
    assert dataset.captions == (
        Caption(f"{cat}#und#0", "a cat", "und", {cat: 1}),
        Caption(f"{cat}#und#1", "a sleeping cat", "und", {cat: 1}),
        Caption(f"{dog}#und#0", "a dog", "und", {dog: 1}),
    )
    assert dataset.notices == ("1 of 3 pictures have no text file",)


def test_empty_text_file_is_named(touch: Touch, tmp_path: Path) -> None:
    touch("a.jpg", "a.txt")
    with pytest.raises(DatasetError, match=r"a\.txt: the file is empty"):
        open_dataset(tmp_path)
