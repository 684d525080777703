"""TREC judgements with plain query files."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

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
        ("qrels.txt", "q1 0 a.jpg", "qrels.txt, line 6: expected 4 fields .*, found 3"),
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


@pytest.mark.parametrize("file", ["my%20dog.jpg", "my dog.jpg", "my\u00a0dog.jpg", "100%.jpg", "k\u00e4fer.jpg"])
@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize("is_encoded", [False, True])
def test_names_may_be_percent_encoded_in_any_file(
    write: Write, touch: Touch, tmp_path: Path, file: str, is_listed: bool, is_encoded: bool
) -> None:
    touch(file, "cat.jpg")
    judged = quote(file) if is_encoded or " " in file else file
    if is_listed:
        write("pictures.txt", judged, "cat.jpg")
    write("queries.txt", "q%201\ta dog", "q 2 \ta cat")
    write("qrels.txt", f"q%201 0 {judged} 1", "q%202 0 cat.jpg 1")
    dataset = open_dataset(tmp_path)
    assert dataset.images == tuple(sorted(("cat.jpg", file)))
    assert {each.text: list(each.images) for each in dataset.captions} == {"a dog": [file], "a cat": ["cat.jpg"]}


def test_judged_names_in_another_spelling_are_matched_with_a_notice(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("A.JPG")
    write("queries.txt", "q\ta dog")
    write("qrels.txt", "q 0 a.jpg 1")
    dataset = open_dataset(tmp_path)
    assert dict(dataset.captions[0].images) == {"A.JPG": 1}
    assert dataset.notices == ("1 judged names differ from those of the pictures: a.jpg for A.JPG",)
    write("qrels.txt", "q 0 a.jpg 1", "q 0 A.JPG 1")
    with pytest.raises(DatasetError, match=r"qrels\.txt: a picture is judged twice for the query q"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_all_files_may_be_in_another_encoding(touch: Touch, tmp_path: Path, encoding: str) -> None:
    touch("käfer.jpg", "b.jpg")
    for name, text in {
        "queries.de.txt": "q1\tein Käfer\r\n",
        "qrels.txt": "q1 0 käfer.jpg 1\r\n",
        "pictures.txt": "käfer.jpg\r\nb.jpg\r\n",
    }.items():
        (tmp_path / name).write_text(text, encoding=encoding, newline="")
    dataset = open_dataset(tmp_path)
    assert [(each.text, list(each.images)) for each in dataset.captions] == [("ein Käfer", ["käfer.jpg"])]
