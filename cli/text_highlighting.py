"""`sightline highlight --text`: where in a picture a text can be read."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from cli.highlighting import HighlightOutput, write_png
from cli.output import print_json, print_text
from core.frames import FIRST_FRAME
from core.text_lines import TextLine
from encoders.text_recognizer import load_recognizer
from search.highlight.highlight import open_image
from search.highlight.overlay import render_figure
from search.highlight.text_marks import line_box, mark_lines, text_mask, text_panel
from search.text_matches import TextSearch, find_lines
from store.catalog.text_comparison import TextPattern
from store.texts import FrameTexts

__all__ = ["run_text_highlight"]


def run_text_highlight(path: Path, text: str, output: HighlightOutput, *, frame: int) -> int:
    """Print and write where `text` can be read in a frame of a picture; return the exit code.

    With `*` or `?`, it is a pattern of a whole line.
    """
    output.check()
    image, recognizer = open_image(path, frame), load_recognizer()
    read = FrameTexts(FIRST_FRAME, recognizer.read(image))
    pattern = text if "*" in text or "?" in text else f"*{text}*"
    lines = [found.line for found in find_lines([read], TextSearch((TextPattern.like(pattern),)))]
    _write_files(image, lines, output)
    if output.as_json:
        print_json(_record(text, recognizer.name, lines, image.size))
    else:
        _print_lines(lines, image.size)
    return 0 if lines else 1


def _write_files(image: Image.Image, lines: Sequence[TextLine], output: HighlightOutput) -> None:
    if output.out is not None:
        figure = mark_lines(image, lines) if output.bare else render_figure([[text_panel(image, lines)]], None)
        write_png(output.out, figure)
    if output.mask is not None:
        write_png(output.mask, Image.fromarray(text_mask(image.size, lines)))


def _record(text: str, model: str, lines: Sequence[TextLine], size: tuple[int, int]) -> dict[str, object]:
    found = [
        {"text": line.text, "confidence": round(line.confidence, 6), "box": line_box(line, size)} for line in lines
    ]
    return {"prompt": text, "engine": "text", "model": model, "lines": found}


def _print_lines(lines: Sequence[TextLine], size: tuple[int, int]) -> None:
    for line in lines:
        left, top, width, height = line_box(line, size)
        print_text(f"{line.confidence:.3f}  {line.text}  ({width}×{height} at {left},{top})")
    if not lines:
        print_text("not found")
