"""Contact sheets: sizes calculated by hand, escaped names, and self-contained pages."""

import base64
import io
import os
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.sheets import SheetSection, write_sheet
from search.results import Hit
from store.queries import ContentRecord

Paint = Callable[..., Path]
Sightline = Callable[..., Any]


def hit(rank: int, path: Path, score: float = 0.5) -> Hit:
    record = ContentRecord(rank, (path,), 8, 8, "PNG", 100, None, None, None, None, None)
    return Hit(rank=rank, score=score, record=record)


@pytest.fixture
def hits(tmp_path: Path, paint: Paint) -> list[Hit]:
    """Return seven hits, the first of a green picture, the others of red ones."""
    paths = [paint(tmp_path / "h" / f"{number}.png", "red" if number else "lime") for number in range(7)]
    return [hit(number + 1, path) for number, path in enumerate(paths)]


# In pixels: a cell is 240 wide and 240 + 26 high with a gap of 14, and a title is 52 high.
@pytest.mark.parametrize(
    ("lengths", "size"),
    [
        ([1], (14 + 254, 14 + 52 + 280)),
        ([4], (14 + 4 * 254, 14 + 52 + 280)),
        ([5], (14 + 5 * 254, 14 + 52 + 280)),
        ([6], (14 + 5 * 254, 14 + 52 + 2 * 280)),
        ([7, 3], (14 + 5 * 254, 14 + 52 + 2 * 280 + 52 + 280)),
        ([0], (14 + 254, 14 + 52 + 280)),
        ([], (14 + 254, 14)),
    ],
)
def test_sheet_size(hits: list[Hit], tmp_path: Path, lengths: list[int], size: tuple[int, int]) -> None:
    write_sheet(tmp_path / "sheet.png", [SheetSection("a title", hits[:length]) for length in lengths])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == size


def test_pictures_are_drawn_in_cells(hits: list[Hit], tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", [SheetSection("seven", hits)])
    with Image.open(tmp_path / "sheet.png") as sheet:
        middle_of_first = (14 + 120, 14 + 52 + 120)
        assert sheet.getpixel(middle_of_first) == (0, 255, 0)
        assert sheet.getpixel((14 + 254 + 120, 14 + 52 + 120)) == (255, 0, 0)
        assert sheet.getpixel((14 + 254 + 120, 14 + 52 + 280 + 120)) == (255, 0, 0)  # the seventh
        assert sheet.getpixel((14 + 2 * 254 + 120, 14 + 52 + 280 + 120)) not in [(255, 0, 0), (0, 255, 0)]


def test_right_to_left_name_keeps_caption(tmp_path: Path, paint: Paint) -> None:
    captions = []
    for name in ("dog", "صورة"):
        sheet = tmp_path / f"{name}.png"
        write_sheet(sheet, [SheetSection("", [hit(11, paint(tmp_path / "h" / f"{name}.png"), -0.281)])])
        with Image.open(sheet) as image:
            captions.append(image.crop((14, 14 + 52 + 240, 14 + 2 + 60, 14 + 52 + 240 + 26)).tobytes())
    assert captions[0] == captions[1]


class Strict(HTMLParser):
    """A parser that fails on unclosed elements, and collects attributes and text."""

    VOID = frozenset({"meta", "img", "link", "br", "hr", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_caption_marks_doubtful_score(tmp_path: Path) -> None:
    verdicts = ((0.9, True), (0.1, False), (0.4, None))
    hits = [
        replace(hit(rank, tmp_path), relevance=relevance, is_relevant=verdict)
        for rank, (relevance, verdict) in enumerate(verdicts, 1)
    ]
    section = SheetSection("a dog", hits)
    assert [section.caption(number) for number in range(3)] == ["1. 0.500", "2. 0.500?", "3. 0.500"]


def test_page_is_self_contained(hits: list[Hit], tmp_path: Path) -> None:
    write_sheet(
        tmp_path / "sheet.html",
        [SheetSection("two", hits[:2]), SheetSection("none", []), SheetSection("雪 شتاء", hits)],
    )
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    parsed = Strict(page)
    sources = [value for name, value in parsed.attributes if name in ("src", "href", "srcset", "action")]
    assert len(sources) == 9
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "http" not in page
    assert "script" not in parsed.tags
    assert "Nothing found." in parsed.text
    assert "雪 شتاء" in parsed.text
    with Image.open(io.BytesIO(base64.b64decode(sources[0].partition(",")[2]))) as picture:
        assert picture.size == (8, 8)


def test_names_are_escaped(tmp_path: Path, paint: Paint) -> None:
    name = "<script>alert('x')</script> & \"so\".png".replace("/", "∕")
    path = paint(tmp_path / name)
    write_sheet(tmp_path / "sheet.html", [SheetSection("<h1>&\"'", [hit(1, path, 0.12345)])])
    parsed = Strict((tmp_path / "sheet.html").read_text(encoding="utf-8"))
    assert "script" not in parsed.tags
    assert "h1" not in parsed.tags
    assert name in parsed.text
    assert "<h1>&\"'" in parsed.text
    assert ("alt", name) in parsed.attributes
    assert ("title", str(path)) in parsed.attributes
    assert "0.123" in parsed.text


@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_sheet_accepts_odd_names_and_missing_files(tmp_path: Path, suffix: str) -> None:
    odd = [
        tmp_path / os.fsdecode(b"caf\xe9.png"),
        tmp_path / "a\nb.png",
        tmp_path / "雪 شتاء 🙂.png",
        tmp_path / ("x" * 200),
    ]
    sheet = tmp_path / f"sheet{suffix}"
    write_sheet(sheet, [SheetSection(os.fsdecode(b"like \xff"), [hit(rank, path) for rank, path in enumerate(odd, 1)])])
    if suffix == ".html":
        parsed = Strict(sheet.read_text(encoding="utf-8"))
        assert [value for name, value in parsed.attributes if name == "class"] == ["gone"] * 4
    else:
        with Image.open(sheet) as image:
            assert image.size == (14 + 4 * 254, 14 + 52 + 280)


def test_search_writes_sheet(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    for name in ("sheet.png", "sheet.PNG", "sheet.htm"):
        answer = sightline("search", "red", "--sheet", tmp_path / name, "--paths")
        assert (answer.code, len(answer.lines)) == (0, 4)
        assert (tmp_path / name).stat().st_size > 500
    assert sightline("similar", filled.parent / "album" / "red.png", "--sheet", tmp_path / "alike.html").code == 0
    assert "like red.png" in Strict((tmp_path / "alike.html").read_text(encoding="utf-8")).text
