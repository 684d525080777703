"""Words in a picture: lines that fit, and letters that would break the layout engine."""

import pytest
from PIL import Image, ImageDraw

from pictures.text_drawing import can_draw, find_font, fit_text


def length(text: str, size: int = 20) -> float:
    return find_font(text, size).getlength(text)


@pytest.mark.parametrize("width", [8, 60, 61, 200])
def test_a_line_is_cut_no_earlier_than_it_must_be(width: int) -> None:
    text = "a brown dog that runs over the yellow sand of a beach"
    line = fit_text(text, 20, width)
    kept = line.removesuffix("…")
    assert line != text
    assert text.startswith(kept)
    assert length(line) <= width or not kept
    assert length(f"{text[: len(kept) + 1]}…") > width


def test_a_line_that_fits_is_left_alone() -> None:
    assert fit_text("a dog", 20, 500) == "a dog"
    assert fit_text("", 20, 0) == ""


def test_a_book_is_cut_without_measuring_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def nine_a_letter(_font: object, text: str) -> float:
        asked.append(text)
        return 9.0 * len(text)

    monkeypatch.setattr(type(find_font("x", 20)), "getlength", nine_a_letter)
    assert fit_text("x" * 100_000, 20, 90) == "x" * 9 + "…"
    assert len(asked) < 30


@pytest.mark.parametrize(
    "text", ["\r", "z\ufeff\r", "two\nlines", "\0", "a\u2028b", "\x9b", "\ud800 half", "caf\udce9"]
)
def test_letters_that_nothing_draws(text: str) -> None:
    assert can_draw(text)  # what stands for them can be written
    line = fit_text(text, 20, 500)
    assert line.isprintable() or "\ufeff" in line
    ImageDraw.Draw(Image.new("RGB", (100, 30))).text((5, 15), line, "white", find_font(line, 20), anchor="lm")


def test_what_no_font_has_is_told() -> None:
    assert not can_draw("\U0010fffd")
