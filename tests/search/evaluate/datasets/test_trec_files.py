"""TREC judgements with plain query files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


@pytest.fixture
def collection(write: Write, touch: Touch, tmp_path: Path) -> Path:
    touch("a.jpg", "sea/b c.png", "sea/d.JPG", ".hidden.jpg", ".cache/x.jpg", "notes.md")
    write("qrels.txt", "q1 0 a.jpg 2", "q1 0 sea/b%20c.png 0", "q2 0 sea/d.JPG 1", "q2 0 a.jpg 1", "q3 0 a.jpg 0")
    write("queries.txt", "q1\ta dog", "q2\tthe sea at  night", "q3\tnothing like it")
    return tmp_path


def test_all_images_in_the_folder_are_candidates(collection: Path) -> None:
    dataset = open_dataset(collection)
    assert dataset.images == ("a.jpg", "sea/b c.png", "sea/d.JPG")
    assert dataset.captions == (
        Caption("q1", "a dog", "und", {"a.jpg": 2}),
        Caption("q2", "the sea at night", "und", {"sea/d.JPG": 1, "a.jpg": 1}),
        Caption("q3", "nothing like it", "und", {}),
    )


def test_query_languages_and_list_of_pictures(collection: Path, write: Write) -> None:
    (collection / "queries.txt").unlink()
    write("queries.de.tsv", "q1\tein Hund")
    write("queries.en.tsv", "q2\tthe sea", "q3\tnothing")
    write("pictures.txt", "sea/d.JPG", "a.jpg", "sea/b c.png")
    dataset = open_dataset(collection)
    assert dataset.languages == ("de", "en")
    assert dataset.images == ("a.jpg", "sea/b c.png", "sea/d.JPG")


@pytest.mark.parametrize(
    ("name", "line", "complaint"),
    [
        ("queries.txt", "q4 a cat", "queries.txt, line 4: id<TAB>text was expected"),
        ("queries.txt", "q4\ta cat", "queries.txt, line 4: the query 'q4' has no judgement"),
        ("queries.txt", "q1\ta cat", "queries.txt, line 4: duplicate id 'q1'"),
        ("queries.txt", "q1\t ", "queries.txt, line 4: the caption 'q1' is empty"),
        ("qrels.txt", "q9 0 a.jpg 1", "qrels.txt: 1 queries have no text: q9"),
        ("qrels.txt", "q1 0 a.jpg", "qrels.txt, line 6: expected 4 fields, found 3"),
    ],
)
def test_invalid_files_are_rejected(collection: Path, name: str, line: str, complaint: str) -> None:
    with (collection / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(collection)


def test_missing_pictures_are_named(collection: Path, write: Write) -> None:
    write("pictures.txt", "a.jpg", "sea/b c.png", "sea/d.JPG", "gone.jpg")
    with pytest.raises(MissingPictures, match=r"1 of its pictures are missing: gone.jpg"):
        open_dataset(collection)
    write("pictures.txt", "a.jpg", "sea/b c.png")
    with pytest.raises(MissingPictures, match=r"qrels.txt: 1 of its pictures are missing: sea/d.JPG"):
        open_dataset(collection)
    with pytest.raises(DatasetError, match=r"qrels.txt and queries.txt were expected"):
        open_dataset(collection / "sea", format="trec")
