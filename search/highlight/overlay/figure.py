"""A figure of one or more highlights of a picture: overlays side by side, their prompts beneath, and a legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pictures.text_drawing import can_draw, find_font, fit_text
from search.highlight.highlight import Highlight
from search.highlight.overlay.blend import GREY, blend, opacity
from search.highlight.overlay.colours import colour_ramp
from search.highlight.word_attribution import WordAttribution

__all__ = ["Panel", "figure", "format_signed", "highlight_panels", "word_panels"]

SMALLEST, LARGEST = 320, 1600
"""Longer side of a panel, in pixels: smaller pictures are enlarged, larger ones reduced."""
GAP = 14
LETTERS, SMALL = 20, 14
LINE, NOTE, BAR = 30, 22, 12
"""Height of a caption, of the line beneath it, and of the legend's bar."""
PAPER, INK, FAINT = "#faf9f7", "#1d1d1f", "#76757a"
UNWRITABLE = "(no font here has these letters)"


@dataclass(frozen=True, eq=False)
class Panel:
    """One overlay and what stands beneath it."""

    overlay: Image.Image
    caption: str
    note: str


def highlight_panels(image: Image.Image, found: Sequence[Highlight]) -> list[Panel]:
    """A panel for each highlight of `image`."""
    return [Panel(blend(image, one.map, one.mask), one.prompt.title, _note(one)) for one in found]


def word_panels(image: Image.Image, words: Sequence[WordAttribution]) -> list[Panel]:
    """A panel for each word: where the map is lower without it, and by how much at its highest point."""
    panels = []
    for word in words:
        change = Image.fromarray(np.maximum(word.change, 0)).resize(image.size, Image.Resampling.BILINEAR)
        panels.append(Panel(blend(image, np.asarray(change)), word.text, f"{format_signed(word.weight)} at the find"))
    return panels


def figure(rows: Sequence[Sequence[Panel]], legend: str) -> Image.Image:
    """Rows of panels on paper. `legend` says what the colours mean."""
    side = _scaled(rows[0][0].overlay.size)
    across, down = side[0] + GAP, side[1] + LINE + NOTE + GAP
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (GAP + columns * across, GAP + len(rows) * down + NOTE + BAR + GAP), PAPER)
    for number, row in enumerate(rows):
        for column, panel in enumerate(row):
            _paint(sheet, panel, (GAP + column * across, GAP + number * down), side)
    _paint_legend(sheet, legend, GAP + len(rows) * down)
    return sheet


def format_signed(weight: float) -> str:
    """With two decimals and a sign, except for what is nothing."""
    return f"{weight:+.2f}" if abs(weight) >= 0.005 else "0.00"


def _note(found: Highlight) -> str:
    if not found.regions:
        return f"not found (highest value {found.score:.2f})"
    places = f"{len(found.regions)} places" if len(found.regions) > 1 else "1 place"
    return f"{found.score:.2f}, {places}, {found.area:.0%} of the picture"


def _scaled(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(max(1.0, SMALLEST / max(size)), LARGEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _paint(sheet: Image.Image, panel: Panel, corner: tuple[int, int], side: tuple[int, int]) -> None:
    sheet.paste(panel.overlay.resize(side, Image.Resampling.LANCZOS), corner)
    draw = ImageDraw.Draw(sheet)
    left, top = corner[0], corner[1] + side[1]
    caption = fit_text(panel.caption if can_draw(panel.caption) else UNWRITABLE, LETTERS, side[0])
    draw.text((left, top + LINE // 2 + 3), caption, INK, find_font(caption, LETTERS), anchor="lm")
    note = fit_text(panel.note, SMALL, side[0])
    draw.text((left, top + LINE + NOTE // 2), note, FAINT, find_font(note, SMALL), anchor="lm")


def _paint_legend(sheet: Image.Image, legend: str, top: int) -> None:
    """The ramp as it looks over a middle grey, with its ends, and what it means."""
    width = min(256, sheet.width - 2 * GAP)
    sheet.paste(_bar().resize((width, BAR), Image.Resampling.BILINEAR), (GAP, top))
    draw, font = ImageDraw.Draw(sheet), find_font("0", SMALL)
    middle = top + BAR + NOTE // 2 - 2
    for value, place, anchor in (("0", 0, "lm"), ("0.5", width // 2, "mm"), ("1", width, "rm")):
        draw.text((GAP + place, middle), value, FAINT, font, anchor=anchor)
    room = sheet.width - 3 * GAP - width
    words = fit_text(legend, SMALL, room)
    if len(words) > 10:
        draw.text((2 * GAP + width, top + BAR // 2), words, FAINT, find_font(words, SMALL), anchor="lm")


def _bar() -> Image.Image:
    cover = opacity()[:, None]  # (256, 1)
    colours: NDArray[np.floating] = colour_ramp() * cover + 255 * GREY * (1 - cover)
    return Image.fromarray(np.rint(colours).astype(np.uint8)[None])
