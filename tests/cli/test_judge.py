"""`sightline judge`: entering judgements, saving them, continuing, and evaluating with them."""

import hashlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.judging import _open_systems
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.queries import load_content_records

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
    assert "Evaluate with: `sightline eval " in answer.text


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
    in_order = ("--order", "random")  # queries in the order of the file
    first = judge("rq", *in_order)
    assert first.code == 0
    assert "Run the same command again to continue." in first.text
    assert len(shown(first)) == 2
    assert len(grades(tmp_path / "judged")) == 1
    second = judge("srw", *in_order)
    assert shown(second)[0] == shown(first)[1]  # skipped now
    assert len(grades(tmp_path / "judged")) == 3
    third = judge("w", *in_order)
    assert shown(third) == [shown(first)[1]]  # skipped pictures are asked again
    assert shown(judge("")) == []
    deeper = judge("ww", "-k", "3", *in_order)
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
    (album / asked[0]).rename(tmp_path / "away.png")
    sightline("index", album)
    answer = judge("s")
    assert asked[0] not in shown(answer)
    assert "1 judgements are of pictures that are not in the library now" in answer.err
    assert {name for _, name in grades(judged)} == {asked[1]}
    assert asked[0] in (judged / "gone.txt").read_text()
    (tmp_path / "away.png").rename(album / asked[0])
    sightline("index", album)
    answer = judge("")
    assert shown(answer) == []  # its first judgement is back
    assert {name for _, name in grades(judged)} == set(asked)


def test_judgements_follow_pictures_that_are_moved(
    judge: Judge, sightline: Sightline, tmp_path: Path, album: Path, filled: Path, queries: Path
) -> None:
    """Both pictures are moved, one of them onto the path of the other: contents count, not paths."""
    queries.write_text("red\n")
    judged = tmp_path / "judged"
    right, wrong = (next(album.rglob(name)) for name in shown(judge("rw")))
    hashes = {line.split("  ")[0] for line in (judged / "digests.txt").read_text().splitlines()}
    assert hashes == {hashlib.sha256(path.read_bytes()).hexdigest() for path in (right, wrong)}
    (album / "elsewhere").mkdir()
    right.rename(album / "elsewhere" / "moved.png")
    wrong.rename(right)
    sightline("index", album)
    answer = judge("")
    assert (shown(answer), answer.err) == ([], "")
    assert grades(judged) == {("red", "moved.png"): "1", ("red", right.name): "0"}
    assert sightline("eval", judged, "--library", filled, "--json").record["queries"] == 1


def test_another_picture_at_the_path_of_a_judged_one_is_not_judged(
    judge: Judge,
    sightline: Sightline,
    tmp_path: Path,
    album: Path,
    filled: Path,
    queries: Path,
    paint: Callable[..., Path],
) -> None:
    queries.write_text("red\n")
    right, wrong = (next(album.rglob(name)) for name in shown(judge("rw")))
    original = right.read_bytes()
    paint(right, (250, 1, 1))  # a new picture, which is found first as well
    sightline("index", album)
    answer = judge("s")
    assert shown(answer) == [right.name]
    assert "1 judgements are of pictures that are not in the library now" in answer.err
    assert grades(tmp_path / "judged") == {("red", wrong.name): "0"}
    judge("w")
    (album / "restored.png").write_bytes(original)
    sightline("index", album)
    judge("s")
    assert grades(tmp_path / "judged") == {
        ("red", "restored.png"): "1", ("red", right.name): "0", ("red", wrong.name): "0",
    }  # fmt: skip


def test_agreement_of_two_people(sightline: Sightline, tmp_path: Path) -> None:
    """Agreed on 3 of 4; kappa = (0.75 - 0.5) / 0.5."""
    for name, grades_of in (("anna", "1 1 0 0"), ("ben", "1 0 0 0")):
        (tmp_path / name).mkdir()
        lines = [f"q{row % 2} 0 {row}.jpg {grade}" for row, grade in enumerate(grades_of.split())]
        (tmp_path / name / "qrels.txt").write_text("\n".join(lines) + "\n")
    answer = sightline("judge", "--compare", tmp_path / "anna", tmp_path / "ben" / "qrels.txt", "--json")
    assert (answer.record["kappa"], answer.record["judged"]) == (0.5, 4)
    assert answer.record["disputed"] == [{"query": "q1", "picture": "1.jpg"}]
    text = sightline("judge", "--compare", tmp_path / "anna", tmp_path / "ben").text
    assert "Cohen's kappa: 0.50" in text
    assert "Both judged 4 pictures of 2 queries, and agree on 75%." in text
    assert "right for anna only 1, for ben only 0" in text
    assert sightline("judge", "--compare", tmp_path / "anna", tmp_path / "ben", "--out", tmp_path).code == 2
    assert sightline("judge").code == 2


def test_damaged_list_of_digests_is_named(judge: Judge, tmp_path: Path) -> None:
    judge("rwq")
    (tmp_path / "judged" / "digests.txt").write_text("xyz  a.png\n")
    answer = judge("")
    assert answer.code == 2
    assert "digests.txt, line 1: a SHA-256, two blanks and the path of a picture were expected" in answer.err


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


def test_pictures_that_can_change_the_values_most_are_asked_first(judge: Judge, queries: Path) -> None:
    """With one model, the first results; a right first answer makes the next query the more important one."""
    queries.write_text("red\nblue\n")
    first = shown(judge("q"))
    assert first == ["red.png"]
    judge("rq")
    answer = judge("q")
    assert "Query 1 of 2: blue" in answer.text
    assert shown(answer) == ["blue.png"]
    assert "Query 1 of 2: red" in judge("q", "--order", "random").text


def test_models_are_told_apart_first(
    judge: Judge, queries: Path, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two models that rank red first and disagree on the second: red is asked last, although it is the first result."""
    queries.write_text("red\n")
    contents = {record.paths[0].name: record.id for record in load_content_records(indexed, range(1, 5)).values()}
    seconds = iter(("yellow.png", "green.png"))
    monkeypatch.setattr(
        "search.evaluate.judgement_pool._first_contents",
        lambda *_: [[contents["red.png"], contents[next(seconds)]]],
    )
    monkeypatch.setattr("cli.judging._open_systems", lambda *given: _open_systems(*given) * 2)
    names = shown(judge("sss"))
    assert (set(names[:2]), names[2:]) == ({"yellow.png", "green.png"}, ["red.png"])
