"""Pages and moments of a file in the output of commands, and the options that choose one."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.thumbnails import thumbnail
from encoders.fake import FakeEncoder
from store import Library
from tests.support.frame_files import index_files, write_animation, write_pages

Sightline = Callable[..., Any]


@pytest.fixture
def pages(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TIFF with a white, a blue and a red page, and an animation that becomes green after seven seconds."""
    scan = write_pages(tmp_path / "files" / "scan.tif", "white", "blue", "red")
    write_animation(tmp_path / "files" / "clip.gif", "black", "lime", milliseconds=7000)
    index_files(library, scan.parent, FakeEncoder())
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    return scan


def test_lines_name_the_matched_frame(sightline: Sightline, pages: Path) -> None:
    assert sightline("search", "red", "-k", "1").lines == [f"  1  1.000  {pages}, page 3  (8×8)"]
    assert f"{pages.parent}/clip.gif, 0:07  (" in sightline("search", "green", "-k", "1").text


def test_json_describes_the_frame(sightline: Sightline, pages: Path) -> None:
    page, moment = (sightline("search", colour, "--json", "-k", "1").record["frame"] for colour in ("red", "green"))
    assert page == {"number": 2, "kind": "page", "seconds": None, "label": "page 3"}
    assert moment == {"number": 1, "kind": "moment", "seconds": 7, "label": "0:07"}


def test_json_of_a_still_picture_and_of_a_list_has_no_frame(sightline: Sightline, filled: Path, album: Path) -> None:
    assert sightline("search", "red", "--json", "-k", "1").record["frame"] is None
    assert sightline("search", "format:png", "--json", "-k", "1").record["frame"] is None


def test_csv_has_the_label(sightline: Sightline, pages: Path, tmp_path: Path) -> None:
    sightline("search", "red", "-k", "2", "--csv", tmp_path / "red.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "red.csv").read_text())))
    assert [row["frame"] for row in rows] == ["page 3", "0:00"]


def test_every_frame_is_a_hit_but_a_path_once(sightline: Sightline, pages: Path, tmp_path: Path) -> None:
    search = ("search", "red", "--every-frame")
    assert len(sightline("search", "red", "--json").records) == 2
    labels = [(Path(hit["path"]).name, hit["frame"]["label"]) for hit in sightline(*search, "--json").records]
    assert labels[0] == ("scan.tif", "page 3")
    assert sorted(labels[1:]) == [
        ("clip.gif", "0:00"),
        ("clip.gif", "0:07"),
        ("scan.tif", "page 1"),
        ("scan.tif", "page 2"),
    ]
    assert sorted(Path(line).name for line in sightline(*search, "--paths").lines) == ["clip.gif", "scan.tif"]
    assert sightline(*search, "-0").out.count(b"\0") == 2
    sightline(*search, "--export", tmp_path / "out")
    assert {path.name[4:] for path in (tmp_path / "out").iterdir()} == {"clip.gif", "scan.tif"}


def test_every_frame_needs_a_ranking(sightline: Sightline, pages: Path) -> None:
    answer = sightline("search", "format:tiff", "--every-frame")
    assert answer.code == 2
    assert "--every-frame requires words or a picture" in answer.err


def test_similar_uses_the_chosen_page(sightline: Sightline, pages: Path, library: Library, album: Path) -> None:
    index_files(library, album, FakeEncoder())
    assert sightline("similar", pages, "--frame", "2", "--paths", "-k", "1").lines == [f"{album}/blue.png"]
    assert sightline("similar", pages, "--frame", "3", "--paths", "-k", "1").lines == [f"{album}/red.png"]
    answer = sightline("similar", pages, "--frame", "4")
    assert (answer.code, "no frame 4, only 3" in answer.err) == (2, True)


def test_image_uses_the_chosen_page(sightline: Sightline, pages: Path) -> None:
    search = ("search", "-k", "1", "--frame", "2")
    assert f"{pages}, page 2  (" in sightline(*search, "--image", pages).text
    answer = sightline(*search, "red")
    assert (answer.code, "that --image names" in answer.err) == (2, True)


def test_like_uses_the_chosen_page(sightline: Sightline, pages: Path) -> None:
    content_id = sightline("search", "red", "--json", "-k", "1").record["id"]
    for arguments in ((f"like:{content_id}#2",), ("--like", f"{content_id}#2"), (f"{pages.parent}/./scan.tif#2",)):
        assert f"{pages}, page 2  (" in sightline("search", *arguments, "-k", "1").lines[0]
    assert sightline("search", "--like", f"{content_id}#9").code == 2


def test_sheet_shows_the_matched_page(sightline: Sightline, pages: Path, tmp_path: Path) -> None:
    sightline("search", "red", "-k", "1", "--sheet", tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.getpixel((14 + 120, 14 + 52 + 120)) == (255, 0, 0)  # the middle of the first cell
    sightline("search", "red", "-k", "1", "--sheet", tmp_path / "sheet.html")
    assert "<b>1. 1.000 page 3</b> scan.tif" in (tmp_path / "sheet.html").read_text()


def test_preview_shows_the_matched_page(sightline: Sightline, pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = list[tuple[Path, int]]()
    monkeypatch.setattr("cli.thumbnails.can_preview", lambda: True)
    monkeypatch.setattr("cli.thumbnails.show_picture", lambda *arguments: shown.append(arguments))
    sightline("search", "red", "-k", "1", "--preview")
    assert shown == [(pages, 2)]


@pytest.mark.parametrize(("frame", "colour"), [(0, (255, 255, 255)), (1, (0, 0, 255)), (2, (255, 0, 0))])
def test_thumbnail_of_a_frame(pages: Path, frame: int, colour: tuple[int, int, int]) -> None:
    small = thumbnail(pages, 8, frame)
    assert small is not None
    assert small.getpixel((4, 4)) == colour


def test_thumbnail_of_an_unknown_frame_is_missing(pages: Path) -> None:
    assert thumbnail(pages, 8, 3) is None


def test_highlight_of_a_page(sightline: Sightline, pages: Path, tmp_path: Path) -> None:
    command = ("highlight", pages, "red", "--model", "fake")
    assert sightline(*command, "--frame", "2").code == 1  # the blue page
    assert sightline(*command, "--frame", "3", "--mask", tmp_path / "mask.png").code == 0
    with Image.open(tmp_path / "mask.png") as mask:
        assert mask.getextrema() == (255, 255)


@pytest.mark.parametrize(("frame", "message"), [("4", "no frame 4, only 3"), ("0", "0 is not in the range")])
def test_highlight_of_an_unknown_page_fails(sightline: Sightline, pages: Path, frame: str, message: str) -> None:
    answer = sightline("highlight", pages, "red", "--frame", frame)
    assert (answer.code, message in answer.err) == (2, True)


def test_search_writes_overlay_of_the_matched_page(
    sightline: Sightline, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[tuple[Path, int]]()

    def open_image(path: Path, frame: int) -> Image.Image:
        opened.append((path, frame))
        return Image.new("RGB", (8, 8), "red")

    monkeypatch.setattr("cli.highlighting.open_image", open_image)
    sightline("search", "red", "-k", "1", "--highlight", tmp_path / "where")
    assert opened == [(pages, 2)]


def test_interactive_marks_the_matched_page(sightline: Sightline, pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("+1\nquit\n"))
    lines = sightline("search", "red", "--interactive", "--every-frame").lines
    marked = [line for line in lines if "+  1" in line]
    assert len(marked) == 1
    assert "page 3" in marked[0]
