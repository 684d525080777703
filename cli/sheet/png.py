"""A contact sheet as a picture."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from cli.sheet.section import Section, thumbnail
from pictures.text_drawing import can_write, fitted, font_for
from search.hits import Listed

__all__ = ["paint"]

COLUMNS = 5
CELL, CAPTION, GAP, TITLE = 240, 26, 14, 52
"""Pixels: a thumbnail's box, the line beneath it, the space around both, a section's title."""
LEAST_NAME = 20
"""Pixels without which nothing of a name is written."""

UNWRITABLE = "(no font on this system can write this question; the .html sheet shows it)"

PAPER, FRAME, INK, FAINT = "#faf9f7", "#ecebe8", "#1d1d1f", "#76757a"


def paint(sections: Sequence[Section]) -> Image.Image:
    """All sections, one below the other."""
    columns = max(1, min(COLUMNS, max((len(section.hits) for section in sections), default=1)))
    width = GAP + columns * (CELL + GAP)
    height = GAP + sum(_height(section, columns) for section in sections)
    sheet = Image.new("RGB", (width, height), PAPER)
    top = GAP
    for section in sections:
        _paint_section(sheet, section, top, columns)
        top += _height(section, columns)
    return sheet


def _height(section: Section, columns: int) -> int:
    rows = max(1, -(-len(section.hits) // columns))
    return TITLE + rows * (CELL + CAPTION + GAP)


def _paint_section(sheet: Image.Image, section: Section, top: int, columns: int) -> None:
    draw = ImageDraw.Draw(sheet)
    title = section.title if can_write(section.title) else UNWRITABLE
    title = fitted(title, 24, sheet.width - 2 * GAP)
    draw.text((GAP, top + TITLE // 2), title, INK, font_for(title, 24), anchor="lm")
    if not section.hits:
        draw.text((GAP, top + TITLE), "nothing found", FAINT, font_for("nothing found", 18))
    for number, hit in enumerate(section.hits):
        row, column = divmod(number, columns)
        left = GAP + column * (CELL + GAP)
        _paint_hit(sheet, hit, section.caption(number), left, top + TITLE + row * (CELL + CAPTION + GAP))


def _paint_hit(sheet: Image.Image, hit: Listed, known: str, left: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle((left, top, left + CELL, top + CELL), 10, FRAME)
    small = thumbnail(hit.path, CELL - 12)
    if small is None:
        draw.text((left + CELL // 2, top + CELL // 2), "gone", FAINT, font_for("gone", 18), anchor="mm")
    else:
        sheet.paste(small, (left + (CELL - small.width) // 2, top + (CELL - small.height) // 2))
    # One after the other: a name that is read from right to left would turn the number and the score round.
    middle = top + CELL + CAPTION // 2 + 2
    taken = _write(draw, f"{known}  ", left + 2, middle, CELL)
    if taken < CELL - LEAST_NAME:
        _write(draw, hit.path.name, left + 2 + taken, middle, CELL - taken)


def _write(draw: ImageDraw.ImageDraw, text: str, left: int, middle: int, width: int) -> int:
    """Writes as much of `text` as fits into `width` pixels; returns how many it takes."""
    text = fitted(text, 15, width)
    font = font_for(text, 15)
    draw.text((left, middle), text, FAINT, font, anchor="lm")
    return round(font.getlength(text))
