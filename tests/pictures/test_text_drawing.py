"""Text on pictures: lines that fit, and characters that the layout engine cannot handle."""

import pytest
from PIL import Image, ImageDraw

from pictures.text_drawing import can_draw, find_font, fit_text


def length(text: str, size: int = 20) -> float:
    return find_font(text, size).getlength(text)


@pytest.mark.parametrize("width", [8, 60, 61, 200])
def test_fit_text_cuts_as_late_as_possible(width: int) -> None:
    text = "a brown dog that runs over the yellow sand of a beach"
    line = fit_text(text, 20, width)
    kept = line.removesuffix("…")
    assert line != text
    assert text.startswith(kept)
    assert length(line) <= width or not kept
    assert length(f"{text[: len(kept) + 1]}…") > width


def test_fit_text_keeps_a_short_line() -> None:
    assert fit_text("a dog", 20, 500) == "a dog"
    assert fit_text("", 20, 0) == ""


def test_fit_text_of_a_long_text_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_undrawable_characters_are_replaced(text: str) -> None:
    assert can_draw(text)  # their replacements can be drawn
    line = fit_text(text, 20, 500)
    assert line.isprintable() or "\ufeff" in line
    ImageDraw.Draw(Image.new("RGB", (100, 30))).text((5, 15), line, "white", find_font(line, 20), anchor="lm")


def test_can_draw_is_false_without_a_font() -> None:
    assert not can_draw("\U0010fffd")
