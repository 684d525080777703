"""`sightline search` and `sightline similar`."""

import base64
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.thumbnails import show_picture
from encoders.fake import FakeEncoder
from indexer import index
from store import Library

Sightline = Callable[..., Any]
"""The type of the fixture `sightline`."""

HIT_KEYS = {
    "rank", "path", "score", "relevance", "is_relevant", "text_match", "id", "width", "height", "format", "size",
    "taken_at", "utc_offset", "date_source", "camera", "lens", "latitude", "longitude", "sublocation", "city", "region",
    "country", "people", "duration", "texts", "copies", "companions", "stack", "frame",
}  # fmt: skip


def test_search_prints_lines(sightline: Sightline, filled: Path, album: Path) -> None:
    answer = sightline("search", "something", "red", "-k", "2")
    assert (answer.code, answer.err) == (0, "")
    assert answer.lines == [
        f"  1  1.000  {album}/red.png  (8×8)",
        f"  2  0.707  {album}/more/yellow.png  (8×8)",  # sqrt(4.01 / 8.01), a little less in 16 bits
    ]


def test_search_prints_json(sightline: Sightline, filled: Path, album: Path) -> None:
    shutil.copy(album / "red.png", album / "again.png")
    assert sightline("index", album).code == 0
    answer = sightline("search", "red", "--json", "--top", "2")
    assert answer.code == 0
    first, second = answer.records
    assert set(first) == set(second) == HIT_KEYS
    assert (first["rank"], second["rank"]) == (1, 2)
    assert first["score"] == pytest.approx(1, abs=1e-3)
    assert {first["path"], *first["copies"]} == {str(album / "red.png"), str(album / "again.png")}
    assert (first["width"], first["height"], first["format"], first["taken_at"]) == (8, 8, "PNG", None)
    assert second["copies"] == []


def test_search_prints_paths(sightline: Sightline, filled: Path, album: Path) -> None:
    assert sightline("search", "red", "--paths", "-k", "2").lines == [
        str(album / "red.png"),
        str(album / "more" / "yellow.png"),
    ]
    answer = sightline("search", "red", "-0", "-k", "2")
    assert answer.out == os.fsencode(album / "red.png") + b"\0" + os.fsencode(album / "more" / "yellow.png") + b"\0"


def test_names_that_are_not_utf8_are_preserved(sightline: Sightline, filled: Path, album: Path) -> None:
    raw = os.fsencode(album) + b"/caf\xe9\n.png"
    (album / "red.png").rename(os.fsdecode(raw))
    assert sightline("index", album).code == 0
    assert sightline("search", "red", "-k", "1", "-0").out == raw + b"\0"
    assert sightline("search", "red", "-k", "1", "--paths").out == raw + b"\n"
    record = sightline("search", "red", "-k", "1", "--json").record
    assert base64.b64decode(record["path_b64"]) == raw
    assert record["path"].endswith("caf\\xe9\n.png")
    assert "caf\\xe9" in sightline("search", "red", "-k", "1").text


def test_no_hits_exit_with_1(sightline: Sightline, filled: Path) -> None:
    for form in ([], ["--json"], ["--paths"], ["-0"]):
        answer = sightline("search", "white", "--min-score", "0.9999", *form)
        assert (answer.code, answer.out) == (1, b"")
        assert answer.err == "sightline: nothing was found with --min-score\n"


@pytest.mark.parametrize(
    ("arguments", "limits"),
    [
        (("search", "red", "--after", "2020"), " with these filters"),
        (("search", "white", "camera:x100", "--min-score", "0.9999"), " with these filters, --min-score"),
        (("search", "camera:x100"), " with these filters"),
        (("search", "white", "--min-score", "0.9999", "--json"), " with --min-score"),
    ],
)
def test_an_empty_answer_names_what_excludes_pictures(
    sightline: Sightline, filled: Path, arguments: tuple[str, ...], limits: str
) -> None:
    answer = sightline(*arguments)
    assert (answer.code, answer.out, answer.err) == (1, b"", f"sightline: nothing was found{limits}\n")


def test_similar_with_a_number_points_at_the_stored_picture(sightline: Sightline, filled: Path) -> None:
    answer = sightline("similar", "42")
    assert answer.code == 2
    assert "`sightline search like:42`" in answer.err
    assert "like:" not in sightline("similar", "42.jpg").err


def test_search_by_picture_and_words(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    query = shutil.copy(album / "green.png", tmp_path / "query.png")
    assert sightline("search", "--image", query, "--paths", "-k", "1").lines == [str(album / "green.png")]
    answer = sightline("search", "red", "--image", query, "--paths", "-k", "1")
    assert answer.lines == [str(album / "more" / "yellow.png")]  # red and green


def test_words_after_double_dash(sightline: Sightline, filled: Path, album: Path) -> None:
    answer = sightline("search", "-k", "1", "--paths", "--", "--red", "red")
    assert answer.lines == [str(album / "red.png")]


def test_similar_accepts_name_with_leading_dash(
    sightline: Sightline, filled: Path, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (album / "-red.png").write_bytes((album / "red.png").read_bytes())
    monkeypatch.chdir(album)
    assert sightline("similar", "-red.png", "--paths").out == sightline("similar", "./red.png", "--paths").out != b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["red", "--json", "--paths"], "leave out --paths and -0"),
        (["red", "--json", "-0"], "leave out --paths and -0"),
        (["--queries", "-", "--interactive"], "--queries cannot be combined with --interactive"),
    ],
)
def test_contradictory_options_are_refused(
    sightline: Sightline, filled: Path, arguments: list[str], message: str
) -> None:
    answer = sightline("search", *arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert message in answer.err


def test_similar_excludes_picture_itself(sightline: Sightline, filled: Path, album: Path) -> None:
    answer = sightline("similar", album / "red.png", "--json")
    assert answer.code == 0
    assert [Path(record["path"]).name for record in answer.records] == ["yellow.png", "blue.png", "green.png"]
    assert set(answer.records[0]) == HIT_KEYS
    assert sightline("similar", album / "red.png", "--min-score", "0.9").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["search"],
        ["search", " "],
        ["search", "red", "--image", "none.png"],
        ["similar", "none.png"],
        ["search", "--image", "."],
    ],
)
def test_invalid_query_prints_error(sightline: Sightline, filled: Path, arguments: list[str]) -> None:
    answer = sightline(*arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err.startswith("sightline: ")
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "options", [["-k", "0"], ["-k", "many"], ["--min-score", "2"], ["--sheet", "sheet.pdf"], ["--no-such-option"]]
)
def test_invalid_options_exit_with_2(
    sightline: Sightline, filled: Path, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = sightline("search", "red", *options)
    assert (answer.code, answer.out) == (2, b"")
    assert "Error:" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "sheet.pdf").exists()


def test_unwritable_sheet_exits_with_2(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    for name in ("sheet.png", "sheet.html"):
        answer = sightline("search", "red", "--sheet", tmp_path / "none" / name)
        assert answer.code == 2
        assert "Traceback" not in answer.err


def test_damaged_index_is_rebuilt_after_answer(sightline: Sightline, filled: Path, album: Path) -> None:
    assert sightline("search", "red").code == 0  # the index file of a copied library may be that of another database
    (file,) = (filled / "indexes").glob("*.faiss")
    file.write_bytes(file.read_bytes()[:-1])
    answer = sightline("search", "red", "--paths", "-k", "1")
    assert (answer.code, answer.lines) == (0, [str(album / "red.png")])
    assert "was rebuilt" in answer.err
    assert answer.err.count("\n") == 1
    assert sightline("search", "red", "-k", "1").err == ""


def test_library_option_overrides_environment(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    with Library.open(other, create=True) as library:
        index(library, [album / "more"], FakeEncoder())
    assert len(sightline("search", "red").lines) == 4
    assert len(sightline("--library", other, "search", "red").lines) == 1
    assert len(sightline("search", "red", "--library", other).lines) == 1
    assert len(sightline("--library", other, "search", "red", "--library", filled).lines) == 4
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(other))
    assert len(sightline("search", "red").lines) == 1


def test_preview_requires_terminal(sightline: Sightline, filled: Path) -> None:
    answer = sightline("search", "red", "-k", "1", "--preview")
    assert (answer.code, len(answer.lines)) == (0, 1)
    assert "--preview requires a terminal" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")  # of textual-image, with Pillow 13
@pytest.mark.parametrize(("size", "rows"), [((8, 8), 20), ((80, 40), 10), ((40, 80), 40), ((24, 1), 1)])
def test_preview_keeps_aspect_ratio(
    tmp_path: Path,
    paint: Callable[..., Path],
    size: tuple[int, int],
    rows: int,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A preview is 40 characters wide, and a character is twice as high as wide."""
    monkeypatch.setenv("COLUMNS", "100")
    show_picture(paint(tmp_path / "red.png", "red", size))
    shown = capfd.readouterr().out.splitlines()
    assert [len(line.strip()) for line in shown if line.strip()] == [40] * rows
    show_picture(tmp_path / "gone.png")
    assert capfd.readouterr().out == ""


def test_search_with_filters_negative_text_and_sort(sightline: Sightline, filled: Path, album: Path) -> None:
    assert sightline("search", "red", "--in", album / "more", "--paths").lines == [str(album / "more" / "yellow.png")]
    assert sightline("similar", album / "red.png", "--in", album / "more", "--paths").lines == [
        str(album / "more" / "yellow.png")
    ]
    plain, away = (sightline("search", "red", *rest, "--json").records for rest in ([], ["--not", "green"]))
    assert [record["score"] for record in away][1] < [record["score"] for record in plain][1]
    assert sightline("search", "red", "--sort", "date", "--paths").lines == [record["path"] for record in plain]
    assert sightline("search", "red", "--after", "2020").code == 1  # no picture has a date


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--after", "soon"), "'soon' is not a date"),
        (("--before", "2023-13"), "'2023-13' is not a date"),
        (("--in", "/nowhere"), "no pictures at /nowhere"),
        (("--sort", "size"), "size"),
    ],
)
def test_invalid_filters_exit_with_2(
    sightline: Sightline, filled: Path, options: tuple[str, str], message: str
) -> None:
    answer = sightline("search", "red", *options)
    assert (answer.code, answer.out) == (2, b"")
    assert message in answer.err
