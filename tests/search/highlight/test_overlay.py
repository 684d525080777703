"""Overlays: even colours, sizes, captions and legend."""

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from encoders.prompts import TextPrompt
from pictures.text_drawing import fit_text
from search.highlight import highlight
from search.highlight.overlay import (
    CAPTION_FONT_SIZE,
    MIN_PANEL_SIDE,
    UNWRITABLE_CAPTION,
    blend,
    colour_ramp,
    highlight_panels,
    render_figure,
    to_oklab,
    word_panels,
)
from search.highlight.patch_similarity import PatchSimilarityEngine
from search.highlight.word_attribution import attribute_words

RED = Image.new("RGB", (40, 30), "red")


def test_the_ramp_is_perceptually_even() -> None:
    colours = to_oklab(colour_ramp()[::15])  # (18, 3): in steps of one, the rounding to 8 bits would be half of a step
    steps = np.linalg.norm(np.diff(colours, axis=0), axis=1)
    assert steps.max() < 1.1 * steps.mean()
    assert steps.min() > 0.9 * steps.mean()
    lightness = to_oklab(colour_ramp())[:, 0]
    assert (np.diff(to_oklab(colour_ramp()[::5])[:, 0]) > 0).all()
    assert lightness[0] < 0.25
    assert lightness[-1] > 0.9


def test_oklab_of_known_colours() -> None:
    # From the table of test values in Ottosson's publication, by way of sRGB's primaries.
    known = to_oklab(np.array([[255, 255, 255], [255, 0, 0], [0, 0, 255]], np.uint8))
    expected = [[1.0, 0.0, 0.0], [0.62796, 0.22486, 0.12585], [0.45201, -0.03246, -0.31153]]
    np.testing.assert_allclose(known, expected, atol=1e-4)


def test_blend_mixes_picture_and_ramp() -> None:
    values = np.zeros((30, 40), np.float32)
    values[:, 20:] = 1
    pixels = np.asarray(blend(Image.new("RGB", (40, 30)), values), int)
    assert pixels.shape == (30, 40, 3)
    np.testing.assert_allclose(pixels[5, 5], 0.1 * colour_ramp()[0], atol=1)
    np.testing.assert_allclose(pixels[5, 35], 0.65 * colour_ramp()[255], atol=1)


def test_blend_outlines_the_mask() -> None:
    mask = np.zeros((30, 40), np.bool_)
    mask[10:20, 10:20] = True
    pixels = np.asarray(blend(Image.new("RGB", (40, 30)), np.zeros((30, 40), np.float32), mask))
    white = (pixels == 255).all(axis=-1)
    assert white[10, 10:20].all()
    assert white[10:20, 19].all()
    assert not white[11:19, 11:19].any()
    assert not white[~mask].any()


@pytest.mark.parametrize(
    ("size", "panel"), [((40, 30), (320, 240)), ((1, 1), (320, 320)), ((800, 600), (800, 600)), ((3200, 10), (1600, 5))]
)
def test_figure_size(size: tuple[int, int], panel: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "red")
    found = highlight(image, ["red", "blue"], PatchSimilarityEngine(FakeEncoder()))
    # Panels with 14 pixels around, captions of 30 + 22 beneath; then the legend, 12 + 22, and 14.
    width, height = panel
    expected = (14 + 2 * (width + 14), 14 + (height + 30 + 22 + 14) + 12 + 22 + 14)
    assert render_figure([highlight_panels(image, found)], "what it means").size == expected


def test_panel_notes() -> None:
    red, blue = highlight_panels(RED, highlight(RED, ["red", "blue"], PatchSimilarityEngine(FakeEncoder())))
    assert (red.caption, red.note) == ("red", "1.00, 1 place, 100% of the picture")
    assert blue.note == "not found (highest value 0.00)"
    assert red.overlay.size == RED.size


@pytest.mark.parametrize("caption", ["雪地里的狗", "كلب", "x" * 5000, "\ud800 broken", "two\nlines", "\0"])
def test_captions_in_any_script_are_drawn(caption: str) -> None:
    found = highlight(RED, caption, PatchSimilarityEngine(FakeEncoder()))
    assert render_figure([highlight_panels(RED, found)], "what it means").width == 14 + 320 + 14


def test_word_panels() -> None:
    engine = PatchSimilarityEngine(FakeEncoder())
    panels = word_panels(RED, attribute_words(engine, RED, TextPrompt("a red thing")))
    assert [(panel.caption, panel.note[:5]) for panel in panels] == [
        ("a", "0.00 "),
        ("red", "+0.98"),
        ("thing", "0.00 "),
    ]


def test_the_replacement_caption_fits_into_the_smallest_panel() -> None:
    assert fit_text(UNWRITABLE_CAPTION, CAPTION_FONT_SIZE, MIN_PANEL_SIDE) == UNWRITABLE_CAPTION
