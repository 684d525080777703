"""Names in data sets that differ from those of the files only in how they are written."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets import open_dataset
from search.evaluate.datasets.file_names import FileFinder, NameMatcher

Write = Callable[..., Path]
Touch = Callable[..., None]

NAME = st.text(st.characters(exclude_characters="/\0%\\", exclude_categories=["Cs"]), min_size=1, max_size=8)


@pytest.mark.parametrize("file", ["Sea/A.JPG", "Sea/\u00e4 b.jpg", "Sea/a\u0308.jpg", "my dog.jpg", "my%20dog.jpg"])
@pytest.mark.parametrize(
    "respell",
    [
        str,
        str.lower,
        str.upper,
        quote,
        lambda name: unicodedata.normalize("NFD", name),
        lambda name: unicodedata.normalize("NFC", name),
        lambda name: name.replace("/", "\\"),
        lambda name: f"./{name}",
    ],
)
def test_other_spelling_finds_the_file_with_a_notice(
    write: Write, touch: Touch, file: str, respell: Callable[[str], str]
) -> None:
    touch(file, "other.jpg")
    named = respell(file)
    dataset = open_dataset(write("captions.jsonl", {"image": named, "caption": "a dog"}))
    assert dataset.images == (file,)
    assert dict(dataset.captions[0].images) == {file: 1}
    is_same = named.removeprefix("./") == file
    assert len(dataset.notices) == (not is_same)
    assert all(
        f"1 names of pictures differ from those of the files: {named} for {file}" in note for note in dataset.notices
    )


def test_ambiguous_name_matches_no_file(write: Write, touch: Touch) -> None:
    touch("a.jpg", "A.jpg")
    with pytest.raises(MissingPictures, match=r"A\.JPG"):
        open_dataset(write("captions.jsonl", {"image": "A.JPG", "caption": "a dog"}))
    touch("\u00e9.jpg", "e\u0301.jpg")
    assert open_dataset(write("captions.jsonl", {"image": "e\u0301.jpg", "caption": "a dog"})).images == (
        "e\u0301.jpg",
    )


def test_absolute_paths_below_the_folder_are_read(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("sea/a.jpg")
    path = write("captions.jsonl", {"image": str(tmp_path / "sea/a.jpg"), "caption": "a dog"})
    assert open_dataset(path).images == ("sea/a.jpg",)
    with pytest.raises(DatasetError, match=r"captions\.jsonl, line 1: .* is not in the folder of the images"):
        open_dataset(path, root=tmp_path / "sea" / "deeper")


def test_backslashes_cannot_leave_the_folder(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("secret.jpg", "set/a.jpg")
    for name in ("..\\secret.jpg", "%2e%2e/secret.jpg", "%2E%2E\\secret.jpg"):
        with pytest.raises(MissingPictures):
            open_dataset(write("set/captions.jsonl", {"image": name, "caption": "a dog"}))
    assert FileFinder(tmp_path / "set").find("../secret.jpg") is None


@given(st.lists(NAME, unique=True, min_size=1))
def test_every_known_name_finds_itself(names: list[str]) -> None:
    matcher = NameMatcher(names)
    assert [matcher.find(name) for name in names] == names


def test_records_of_other_tools(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("a.jpg", "b.jpg")
    records = [
        {"image": "a.jpg", "caption": ["one", "two"], "id": 7},
        {"file_name": "b.jpg", "text": "three", "id": 0},
        {"filename": "b.jpg", "captions": ["four"]},
    ]
    expected = {"7#0": "one", "7#1": "two", "0": "three", "b.jpg#und#0": "four"}
    lines = write("lines.jsonl", *records)
    array = write("array.json", json.dumps(records, indent=1))
    for path in (lines, array, write("lines.json", *records), write("array.jsonl", json.dumps(records, indent=1))):
        assert {each.id: each.text for each in open_dataset(path).captions} == expected
    array.write_text(json.dumps([*records, {"image": "a.jpg", "caption": None}]), encoding="utf-16")
    with pytest.raises(DatasetError, match=r"array\.json: record 4: 'caption' is null instead of text"):
        open_dataset(array)
    array.write_text(json.dumps([*records, {"image": "a.jpg", "caption": ["x", 1]}]), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"record 4: 'caption\[1\]' is a number instead of text"):
        open_dataset(array)


def test_duplicate_id_names_the_first_line(write: Write, touch: Touch) -> None:
    touch("a.jpg")
    record = {"image": "a.jpg", "caption": "a dog", "id": 5}
    with pytest.raises(DatasetError, match="line 3: duplicate id '5', as in line 1"):
        open_dataset(write("captions.jsonl", record, "", record))
