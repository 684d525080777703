"""Highlights as pictures: a map over its picture, and figures of several with captions and a legend.

The colours of a map are a ramp from dark to light whose steps look equally large, computed in OKLab (Ottosson, "A
perceptual color space for image processing", 2020), a space in which distances are close to what the eye sees. The
lightness of the ramp rises evenly, so that it can be read in grey and by colour-blind people, while the hue turns from
violet over red to yellow; chroma is reduced where a screen cannot show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pictures.text_drawing import can_draw, find_font, fit_text
from search.highlight.highlight import Highlight
from search.highlight.word_attribution import WordAttribution

__all__ = [
    "Panel",
    "blend",
    "colour_ramp",
    "format_signed",
    "highlight_panels",
    "ramp_opacity",
    "render_figure",
    "to_oklab",
    "word_panels",
]

RAMP_STEPS = 256
RAMP_LIGHTNESS = (0.22, 0.93)
RAMP_HUE_DEGREES = (292.0, 463.0)
"""From violet, over red (390), to yellow."""
MAX_CHROMA = 0.19

_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                 [0.2119034982, 0.6806995451, 0.1073969566],
                 [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                 [1.9779984951, -2.4285922050, 0.4505937099],
                 [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
"""Linear sRGB to cone responses, and their cube roots to L, a, b, as published."""

MIN_OPACITY, MAX_OPACITY = 0.1, 0.65
"""Opacity of the colours of the values 0 and 1."""
DESATURATION = 0.6
"""Fraction of its own colours that the picture loses, so that those of the map stand out."""
OUTLINE_COLOUR = (255, 255, 255)

MIN_PANEL_SIDE, MAX_PANEL_SIDE = 320, 1600
"""Longer side of a panel in pixels: smaller pictures are enlarged, larger ones reduced."""
GAP = 14
CAPTION_FONT_SIZE, NOTE_FONT_SIZE = 20, 14
CAPTION_HEIGHT, NOTE_HEIGHT, BAR_HEIGHT = 30, 22, 12
"""Height of a caption, of the note below it, and of the legend's bar."""
PAPER_COLOUR, CAPTION_COLOUR, NOTE_COLOUR = "#faf9f7", "#1d1d1f", "#76757a"
UNWRITABLE_CAPTION = "(no font here has these letters)"
"""Stands for a caption in a script without a font."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One overlay, its caption, and a note below it."""

    overlay: Image.Image
    caption: str
    note: str


def blend(image: Image.Image, values: NDArray[np.float32], mask: NDArray[np.bool_] | None = None) -> Image.Image:
    """Return `image` (RGB) with the map `values` (H, W) in 0..1 over it and the outline of `mask`, at its size."""
    grey = Image.blend(image.convert("RGB"), image.convert("L").convert("RGB"), DESATURATION)
    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)  # (H, W)
    colours = Image.fromarray(colour_ramp()[levels])
    alpha = Image.fromarray(np.rint(ramp_opacity() * 255).astype(np.uint8)[levels])
    overlay = Image.composite(colours, grey, alpha)
    if mask is not None and mask.any() and not mask.all():
        overlay.paste(OUTLINE_COLOUR, mask=_outline(mask))
    return overlay


@cache
def colour_ramp() -> NDArray[np.uint8]:
    """Return the colours of the values from 0 to 1: (256, 3), sRGB."""
    # Steps are even along the curve, not along its parameter: first a fine curve, then points at equal distances.
    fine = _ramp_curve(np.linspace(0, 1, 4096))  # (N, 3)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    even = np.linspace(0, along[-1], RAMP_STEPS)
    lab = np.stack([np.interp(even, along, fine[:, axis]) for axis in range(3)], axis=1)
    return np.asarray(np.rint(np.clip(_to_srgb(lab), 0, 1) * 255), dtype=np.uint8)


def ramp_opacity() -> NDArray[np.floating]:
    """Return the opacity of each of the ramp's colours, (256,)."""
    return np.asarray(np.linspace(MIN_OPACITY, MAX_OPACITY, RAMP_STEPS))


def to_oklab(srgb: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Convert (N, 3) sRGB to (N, 3) L, a, b."""
    values = srgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LMS.T) @ _LAB.T)


def highlight_panels(image: Image.Image, highlights: Sequence[Highlight]) -> list[Panel]:
    """Return a panel for each highlight of `image`."""
    return [Panel(blend(image, one.map, one.mask), one.prompt.title, _highlight_note(one)) for one in highlights]


def word_panels(image: Image.Image, words: Sequence[WordAttribution]) -> list[Panel]:
    """Return a panel for each word: where the map is lower without it, and by how much at its highest point."""
    panels = []
    for word in words:
        change = Image.fromarray(np.maximum(word.change, 0)).resize(image.size, Image.Resampling.BILINEAR)
        note = f"{format_signed(word.weight)} at the find"
        panels.append(Panel(blend(image, np.asarray(change)), word.text, note))
    return panels


def render_figure(rows: Sequence[Sequence[Panel]], legend: str | None) -> Image.Image:
    """Render rows of panels on paper. `legend` explains the colours of maps; None if there is no map."""
    panel_size = _panel_size(rows[0][0].overlay.size)
    across, down = panel_size[0] + GAP, panel_size[1] + CAPTION_HEIGHT + NOTE_HEIGHT + GAP
    columns = max(len(row) for row in rows)
    legend_height = 0 if legend is None else NOTE_HEIGHT + BAR_HEIGHT + GAP
    size = (GAP + columns * across, GAP + len(rows) * down + legend_height)
    sheet = Image.new("RGB", size, PAPER_COLOUR)
    for number, row in enumerate(rows):
        for column, panel in enumerate(row):
            _draw_panel(sheet, panel, (GAP + column * across, GAP + number * down), panel_size)
    if legend is not None:
        _draw_legend(sheet, legend, GAP + len(rows) * down)
    return sheet


def format_signed(weight: float) -> str:
    """Return `weight` with two decimals and a sign, or `0.00`."""
    return f"{weight:+.2f}" if abs(weight) >= 0.005 else "0.00"


def _outline(mask: NDArray[np.bool_]) -> Image.Image:
    """Return the outermost pixels inside a mask, thicker in a large picture."""
    shape = Image.fromarray(mask.astype(np.uint8) * 255)
    width = 2 * max(1, round(max(shape.size) / 600)) + 1
    inner = np.asarray(shape.filter(ImageFilter.MinFilter(width)))
    return Image.fromarray(np.where(inner > 0, 0, np.asarray(shape)).astype(np.uint8))


def _ramp_curve(at: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return points (N, 3) of the ramp in OKLab, all of them within sRGB."""
    lightness = np.interp(at, (0, 1), RAMP_LIGHTNESS)
    hue = np.radians(np.interp(at, (0, 1), RAMP_HUE_DEGREES))
    direction = np.stack([np.zeros_like(at), np.cos(hue), np.sin(hue)], axis=1)  # (N, 3)
    grey = np.stack([lightness, np.zeros_like(at), np.zeros_like(at)], axis=1)
    low, high = np.zeros_like(at), np.full_like(at, MAX_CHROMA)
    for _ in range(20):  # bisection: the largest chroma, up to MAX_CHROMA, that is within sRGB
        middle = (low + high) / 2
        srgb = _to_srgb(grey + middle[:, None] * direction)
        fits = ((srgb >= 0) & (srgb <= 1)).all(axis=1)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.asarray(grey + low[:, None] * direction)


def _to_srgb(lab: NDArray[np.floating]) -> NDArray[np.floating]:
    """Convert (N, 3) OKLab to sRGB; values are below 0 or above 1 outside sRGB."""
    linear = (lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T
    bright = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, linear * 12.92, bright))


def _highlight_note(highlight: Highlight) -> str:
    if not highlight.regions:
        return f"not found (highest value {highlight.score:.2f})"
    places = f"{len(highlight.regions)} places" if len(highlight.regions) > 1 else "1 place"
    return f"{highlight.score:.2f}, {places}, {highlight.area:.0%} of the picture"


def _panel_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(max(1.0, MIN_PANEL_SIDE / max(size)), MAX_PANEL_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _draw_panel(sheet: Image.Image, panel: Panel, corner: tuple[int, int], size: tuple[int, int]) -> None:
    sheet.paste(panel.overlay.resize(size, Image.Resampling.LANCZOS), corner)
    draw = ImageDraw.Draw(sheet)
    left, top = corner[0], corner[1] + size[1]
    text = panel.caption if can_draw(panel.caption) else UNWRITABLE_CAPTION
    caption = fit_text(text, CAPTION_FONT_SIZE, size[0])
    font = find_font(caption, CAPTION_FONT_SIZE)
    draw.text((left, top + CAPTION_HEIGHT // 2 + 3), caption, CAPTION_COLOUR, font, anchor="lm")
    note = fit_text(panel.note, NOTE_FONT_SIZE, size[0])
    middle = top + CAPTION_HEIGHT + NOTE_HEIGHT // 2
    draw.text((left, middle), note, NOTE_COLOUR, find_font(note, NOTE_FONT_SIZE), anchor="lm")


def _draw_legend(sheet: Image.Image, legend: str, top: int) -> None:
    """Draw the ramp as it looks over a middle grey, with its ends and its meaning."""
    width = min(256, sheet.width - 2 * GAP)
    sheet.paste(_ramp_bar().resize((width, BAR_HEIGHT), Image.Resampling.BILINEAR), (GAP, top))
    draw, font = ImageDraw.Draw(sheet), find_font("0", NOTE_FONT_SIZE)
    middle = top + BAR_HEIGHT + NOTE_HEIGHT // 2 - 2
    for value, offset, anchor in (("0", 0, "lm"), ("0.5", width // 2, "mm"), ("1", width, "rm")):
        draw.text((GAP + offset, middle), value, NOTE_COLOUR, font, anchor=anchor)
    available = sheet.width - 3 * GAP - width
    text = fit_text(legend, NOTE_FONT_SIZE, available)
    if len(text) > 10:
        corner = (2 * GAP + width, top + BAR_HEIGHT // 2)
        draw.text(corner, text, NOTE_COLOUR, find_font(text, NOTE_FONT_SIZE), anchor="lm")


def _ramp_bar() -> Image.Image:
    opacity = ramp_opacity()[:, None]  # (256, 1)
    colours: NDArray[np.floating] = colour_ramp() * opacity + 255 * DESATURATION * (1 - opacity)
    return Image.fromarray(np.rint(colours).astype(np.uint8)[None])
