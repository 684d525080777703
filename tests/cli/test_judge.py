"""`sightline judge`: entering judgements, saving them, continuing, and evaluating with them."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from store import Library

Sightline = Callable[..., Any]
Judge = Callable[..., Any]


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    path = tmp_path / "queries.txt"
    path.write_text("something red\n\nsun\tblue and  white\n")
    return path


@pytest.fixture
def judge(sightline: Sightline, filled: Path, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Return a function that judges with these keys, each followed by Enter."""

    def run(keys: str, *arguments: str) -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
        return sightline("judge", queries, "--out", tmp_path / "judged", "-k", "2", *arguments)

    return run


def shown(answer: Any) -> list[str]:
    """Return the names of the pictures that were shown, in order."""
    return [Path(line.split("  (")[0].strip()).name for line in answer.lines if ".png  (" in line]


def grades(folder: Path) -> dict[tuple[str, str], str]:
    lines = [line.split() for line in (folder / "qrels.txt").read_text().splitlines()]
    return {(query, Path(picture).name): grade for query, _, picture, grade in lines}


def test_first_results_of_every_query_are_judged(judge: Judge, tmp_path: Path) -> None:
    answer = judge("rwwr")
    assert (answer.code, answer.err) == (0, "")
    # Red and yellow are nearest to "red"; to the mean of blue and white, blue and white.
    asked = shown(answer)
    assert (set(asked[:2]), set(asked[2:])) == ({"red.png", "yellow.png"}, {"yellow.png", "blue.png"})
    assert grades(tmp_path / "judged") == {
        ("something%20red", asked[0]): "1",
        ("something%20red", asked[1]): "0",
        ("sun", asked[2]): "0",
        ("sun", asked[3]): "1",
    }
    assert (tmp_path / "judged" / "queries.txt").read_text() == "something red\tsomething red\nsun\tblue and white\n"
    assert "Judged so far: 4 pictures for 2 of 2 queries; 2 right." in answer.text
    assert "Evaluate with: sightline eval" in answer.text


def test_other_files_are_not_overwritten(judge: Judge, queries: Path, tmp_path: Path) -> None:
    asked = queries.read_bytes()
    within = judge("", "--out", str(tmp_path))
    assert (within.code, queries.read_bytes()) == (2, asked)
    assert "queries.txt must not be in" in within.err
    other = tmp_path / "other"
    other.mkdir()
    (other / "pictures.txt").write_text("mine")
    answer = judge("", "--out", str(other))
    assert (answer.code, [path.name for path in other.iterdir()]) == (2, ["pictures.txt"])
    assert "other files than judgements" in answer.err


def test_judging_continues_where_it_stopped(judge: Judge, tmp_path: Path) -> None:
    first = judge("rq")
    assert first.code == 0
    assert "Run the same command again to continue." in first.text
    assert len(shown(first)) == 2
    assert len(grades(tmp_path / "judged")) == 1
    second = judge("srw")
    assert shown(second)[0] == shown(first)[1]  # skipped now
    assert len(grades(tmp_path / "judged")) == 3
    third = judge("w")
    assert shown(third) == [shown(first)[1]]  # skipped pictures are asked again
    assert shown(judge("")) == []
    deeper = judge("ww", "-k", "3")
    assert len(shown(deeper)) == 2
    assert set(grades(tmp_path / "judged").values()) == {"0", "1"}


def test_order_of_pictures_is_stable(judge: Judge, tmp_path: Path) -> None:
    first = shown(judge("", "-k", "4"))
    assert first == shown(judge("", "-k", "4"))


def test_unknown_keys_and_undo(judge: Judge, tmp_path: Path) -> None:
    # u: nothing to undo yet; x: unknown key; R, undone by the next u; u: nothing left; then four answers.
    answer = judge("uxRuuWYn0")
    asked = shown(answer)
    assert asked[0] == asked[1] == asked[3] == asked[4]
    assert [grade for (query, _), grade in grades(tmp_path / "judged").items() if query == "sun"] == ["0", "0"]
    assert grades(tmp_path / "judged")["something%20red", asked[0]] == "0"
    assert "; 1 right." in answer.text


def test_undone_judgement_is_removed_from_the_files(judge: Judge, tmp_path: Path) -> None:
    judge("ruq")
    assert (tmp_path / "judged" / "qrels.txt").read_text() == ""
    assert (tmp_path / "judged" / "queries.txt").read_text() == ""
    assert judge("q").code == 0


def test_judgements_can_be_evaluated(judge: Judge, sightline: Sightline, tmp_path: Path, filled: Path) -> None:
    """For "red" only yellow is judged right, its second result; for blue and white nothing is."""
    asked = shown(judge(""))
    order = ["r" if name == "yellow.png" else "w" for name in asked[:1]]
    judge("".join(order) + ("w" if order == ["r"] else "r") + "ww")
    record = sightline("eval", tmp_path / "judged", "--library", filled, "--json").record
    assert (record["queries"], record["pictures"], record["unanswerable"]) == (2, 4, 1)
    assert record["mrr"] == (1 / 2 + 0) / 2


def test_language_of_the_queries(judge: Judge, sightline: Sightline, tmp_path: Path, filled: Path) -> None:
    judge("rrrr", "--lang", "en")
    assert sightline("eval", tmp_path / "judged", "--library", filled, "--json").record["lang"] == "en"


def test_copies_are_judged_once_and_unprintable_names_are_left_out(
    judge: Judge, tmp_path: Path, album: Path, filled: Path
) -> None:
    (album / "red again.png").write_bytes((album / "red.png").read_bytes())
    (album / "green.png").rename(os.fsdecode(os.fsencode(album) + b"/gr\xfcn.png"))
    with Library.open(filled) as library:
        index(library, [album], FakeEncoder())
    answer = judge("rrrr", "-k", "4")
    assert "1 pictures are left out, because their names are not plain text" in answer.err
    listed = (tmp_path / "judged" / "pictures.txt").read_text().splitlines()
    assert [Path(line).name for line in listed] == ["blue.png", "yellow.png", "red.png"]
    assert len(shown(answer)) == 5  # two pictures, and the end of the input


def test_judgements_of_missing_pictures_return_with_the_pictures(
    judge: Judge, sightline: Sightline, tmp_path: Path, album: Path, filled: Path, queries: Path
) -> None:
    queries.write_text("red\n")
    judged = tmp_path / "judged"
    asked = shown(judge("rw"))
    (album / asked[0]).rename(album / "moved.png")
    sightline("index", album)
    answer = judge("r")
    assert shown(answer) == ["moved.png"]
    assert "1 judgements are of pictures that are not in the library now" in answer.err
    assert {name for _, name in grades(judged)} == {asked[1], "moved.png"}
    assert asked[0] in (judged / "gone.txt").read_text()
    assert sightline("eval", judged, "--library", filled, "--json").record["queries"] == 1
    (album / "moved.png").rename(album / asked[0])
    sightline("index", album)
    answer = judge("")
    assert shown(answer) == []  # its first judgement is back
    assert {name for _, name in grades(judged)} == set(asked)


def test_copy_of_a_judged_picture_has_its_judgement(
    judge: Judge, sightline: Sightline, tmp_path: Path, album: Path, filled: Path, queries: Path
) -> None:
    """The judged file is removed and its copy stays, then both exist: one picture, which keeps its judgement."""
    queries.write_text("red\n")
    asked = shown(judge("rw"))
    (album / "copy.png").write_bytes((album / asked[0]).read_bytes())
    sightline("index", album)
    assert shown(judge("")) == []
    record = sightline("eval", tmp_path / "judged", "--library", filled, "--json").record
    assert (record["pictures"], record["unanswerable"]) == (4, 0)


def test_changed_query_text_is_rejected(judge: Judge, queries: Path) -> None:
    judge("rrrr")
    queries.write_text("sun\tgreen\n")
    answer = judge("rr")
    assert (answer.code, "Traceback" in answer.err) == (2, False)
    assert "the query 'sun' was judged as 'blue and white'" in answer.err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("", "the file is empty"), ("a\nb\na\n", "line 3: duplicate query 'a'"), ("q1\t \n", "line 1: a query")],
)
def test_invalid_query_files_are_rejected(judge: Judge, queries: Path, content: str, complaint: str) -> None:
    queries.write_text(content)
    answer = judge("")
    assert (answer.code, answer.out) == (2, b"")
    assert complaint in answer.err


def test_empty_library_is_rejected(sightline: Sightline, library: Library, queries: Path, tmp_path: Path) -> None:
    answer = sightline("judge", queries, "--out", tmp_path / "judged", "--library", library.path)
    assert (answer.code, answer.out) == (2, b"")
    assert "can be searched by text" in answer.err


def test_unwritable_folder_is_reported(sightline: Sightline, filled: Path, queries: Path) -> None:
    answer = sightline("judge", queries, "--out", queries / "judged", "--library", filled)
    assert (answer.code, answer.out) == (2, b"")
    assert "Cannot write" in answer.err


def test_failed_write_keeps_earlier_judgements(judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the next judgement cannot be written, the file is unchanged."""
    judge("rq")
    before = (tmp_path / "judged" / "qrels.txt").read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = judge("r")
    assert answer.code == 2
    assert "No space left on device" in answer.err
    assert (tmp_path / "judged" / "qrels.txt").read_text() == before


def test_single_keys_in_a_terminal(judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter("rww")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def getchar() -> str:
        try:
            return next(keys)
        except StopIteration:
            raise EOFError from None  # Ctrl-D

    monkeypatch.setattr("click.getchar", getchar)
    monkeypatch.setattr(io, "StringIO", Terminal)
    assert judge("").code == 0
    assert len(grades(tmp_path / "judged")) == 3
