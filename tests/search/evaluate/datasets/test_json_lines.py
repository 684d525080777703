"""JSON Lines: a file, a folder of languages, and invalid files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import DatasetError, MissingPictures, UnknownLanguage, UnknownSplit
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def record(image: str, caption: str = "a dog", **more: object) -> dict[str, object]:
    return {"image": image, "caption": caption, **more}


def test_file_is_read(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("sea/a.jpg", "b.jpg")
    path = write(
        "captions.jsonl",
        record("sea/a.jpg", " a  dog\n", lang="en"),
        record("sea/a.jpg", "ein Hund", lang="de"),
        record("sea/a.jpg", "a brown dog", lang="en"),
        record("b.jpg", "a cat", lang="en", id="cat"),
    )
    dataset = open_dataset(path)
    assert (dataset.name, dataset.split, dataset.root) == (tmp_path.name, "all", tmp_path)
    assert dataset.images == ("b.jpg", "sea/a.jpg")
    assert dataset.paths == (tmp_path / "b.jpg", tmp_path / "sea" / "a.jpg")
    assert dataset.captions == (
        Caption("sea/a.jpg#en#0", "a dog", "en", {"sea/a.jpg": 1}),
        Caption("sea/a.jpg#de#0", "ein Hund", "de", {"sea/a.jpg": 1}),
        Caption("sea/a.jpg#en#1", "a brown dog", "en", {"sea/a.jpg": 1}),
        Caption("cat", "a cat", "en", {"b.jpg": 1}),
    )
    assert dataset.languages == ("de", "en")
    assert dataset.qrels()["cat"] == {"b.jpg": 1}
    assert [caption.id for caption in dataset.only("de").captions] == ["sea/a.jpg#de#0"]
    assert dataset.only("de").images == dataset.images
    assert open_dataset(str(tmp_path)) == replace(dataset, path=tmp_path)


def test_folder_of_languages_with_splits_is_read(write: Write, touch: Touch, tmp_path: Path) -> None:
    """The language is that of the file unless the record has one; images may lack captions in a language."""
    touch("images/1.jpg", "images/2.jpg", "images/3.jpg")
    write("captions.de.jsonl", record("images/1.jpg", split="dev"), record("images/3.jpg", split="train"))
    write("captions.en.jsonl", record("images/2.jpg", split="dev", lang="en-GB"), record("images/1.jpg", split="dev"))
    dataset = open_dataset(tmp_path, "dev")
    assert dataset.images == ("images/1.jpg", "images/2.jpg")
    assert [(caption.id, caption.lang) for caption in dataset.captions] == [
        ("images/1.jpg#de#0", "de"),
        ("images/2.jpg#en-GB#0", "en-GB"),
        ("images/1.jpg#en#0", "en"),
    ]
    assert open_dataset(tmp_path, "all").images == ("images/1.jpg", "images/2.jpg", "images/3.jpg")
    assert open_dataset(tmp_path, "train").split == "train"


def test_only_split_is_the_default(write: Write, touch: Touch) -> None:
    touch("a.jpg")
    dataset = open_dataset(write("some.jsonl", record("a.jpg", split="test")))
    assert (dataset.name, dataset.split, dataset.languages) == ("some", "test", ("und",))


def test_image_folder_can_be_given_and_files_can_be_ignored(write: Write, touch: Touch, tmp_path: Path) -> None:
    path = write("captions.jsonl", record("a.jpg"), record("b.jpg"))
    touch("photos/a.jpg", "photos/b.jpg")
    assert open_dataset(path, root=tmp_path / "photos").root == tmp_path / "photos"
    assert open_dataset(path, check_files=False).images == ("a.jpg", "b.jpg")


def test_missing_pictures_are_named_and_counted(write: Write, touch: Touch) -> None:
    touch("0.jpg")
    path = write("captions.jsonl", *(record(f"{number}.jpg") for number in range(9)))
    with pytest.raises(
        MissingPictures, match=r"8 of its pictures are missing: 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg, \.\.\.$"
    ) as caught:
        open_dataset(path)
    assert caught.value.missing == tuple(f"{number}.jpg" for number in range(1, 9))


def test_unknown_split_lists_the_choices(write: Write, touch: Touch) -> None:
    touch("a.jpg", "b.jpg")
    path = write("captions.jsonl", record("a.jpg", split="train"), record("b.jpg", split="dev"))
    with pytest.raises(UnknownSplit, match=r"Unknown split 'test'. Choose from: dev, train") as caught:
        open_dataset(path, "test")
    assert caught.value.known == ("dev", "train")
    with pytest.raises(DatasetError, match="several splits: choose from dev, train, all"):
        open_dataset(path)
    with pytest.raises(UnknownSplit, match=r"Unknown split 'dev'\. The data set has no splits"):
        open_dataset(write("none.jsonl", record("a.jpg")), "dev")


def test_unknown_language_lists_the_choices(write: Write, touch: Touch) -> None:
    touch("a.jpg")
    dataset = open_dataset(write("captions.jsonl", record("a.jpg", lang="de"), record("a.jpg", lang="zh")))
    with pytest.raises(UnknownLanguage, match=r"No captions in 'en'\. Choose from: de, zh"):
        dataset.only("de", "en")


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([record("a.jpg"), "{"], ", line 2: not JSON"),
        ([record("a.jpg"), "", "[1]"], ", line 3: a JSON object was expected"),
        ([record("a.jpg"), {"image": "a.jpg"}], ", line 2: 'caption' is missing"),
        ([record("a.jpg"), {"caption": "a dog"}], ", line 2: 'image' is missing"),
        ([record("a.jpg"), {"image": 7, "caption": "a dog"}], ", line 2: 'image' is a number instead of text"),
        ([record("a.jpg", lang=7)], ", line 1: 'lang' is a number instead of text"),
        ([record("a.jpg", "  ")], ", line 1: the caption 'a.jpg#und#0' is empty"),
        ([record("a.jpg", id="x"), record("b.jpg", id="x")], ", line 2: duplicate id 'x'"),
        ([record("a.jpg", split="dev"), record("a.jpg", split="test")], "line 2: a.jpg is in the split 'test' and in"),
        ([record("../a.jpg")], ", line 1: '../a.jpg' is not a path relative to the folder of the images"),
        ([record("/a.jpg")], ", line 1: '/a.jpg' is not in the folder of the images"),
        ([record("")], ", line 1: '' is not a path relative to the folder of the images"),
        ([], ": the file is empty"),
    ],
)
def test_invalid_lines_are_rejected(write: Write, touch: Touch, lines: list[object], complaint: str) -> None:
    touch("a.jpg", "b.jpg")
    path = write("captions.jsonl", *lines)
    with pytest.raises(DatasetError) as caught:
        open_dataset(path, format="jsonl")
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_unknown_files_and_formats_are_rejected(tmp_path: Path, touch: Touch) -> None:
    with pytest.raises(DatasetError, match="no such file or folder"):
        open_dataset(tmp_path / "nothing")
    touch("notes.txt")
    with pytest.raises(
        DatasetError, match="not a data set in a known format: crossmodal-3600, jsonl, csv, parquet, flickr"
    ):
        open_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"Unknown format 'xml'\. Choose from: crossmodal-3600, jsonl"):
        open_dataset(tmp_path, format="xml")
    with pytest.raises(DatasetError, match=r"no captions.jsonl"):
        open_dataset(tmp_path, format="jsonl")
