"""Pictures with text, and a recogniser that reads it without weights: characters are stored as pixels."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from core.text_lines import TextLine
from encoders.text_recognizer import TextRecognizer

__all__ = ["PixelTextRecognizer", "write_picture", "write_text_pages", "written_image"]

WIDTH, HEIGHT = 64, 16
_BEGIN, _END = (7, 7, 7), (9, 9, 9)


class PixelTextRecognizer(TextRecognizer):
    """Reads what `written_image` wrote: each row of pixels is a line, which has the area of that row.

    The lines `!raise`, `!abort` and `!hang` make it raise an error, crash its process, and take very long.
    """

    runs_native_code = False

    def __init__(self, version: str = "1", *, in_process: bool = True) -> None:
        super().__init__(name="pixels", version=version, max_side=4_000)
        self.runs_native_code = not in_process
        self.pictures = 0

    def find_lines(self, image: Image.Image) -> Sequence[TextLine]:
        self.pictures += 1
        pixels = np.asarray(image)  # (H, W, 3)
        lines = []
        for row in range(image.height):
            if tuple(pixels[row, 0]) != _BEGIN:
                continue
            codes = [tuple(map(int, pixel)) for pixel in pixels[row, 1:]]
            text = "".join(chr(low | high << 8) for low, high, _ in codes[: codes.index(_END)])
            if text == "!raise":
                raise ValueError("this picture\nis too difficult")
            if text == "!hang":
                time.sleep(600)
            if text == "!abort":
                os.abort()
            top, bottom = row / image.height, (row + 1) / image.height
            lines.append(TextLine(text, 0.9, (0, top, 1, top, 1, bottom, 0, bottom)))
        return lines


def written_image(*lines: str, colour: str = "red") -> Image.Image:
    """Return a picture of a colour with these lines, of up to 62 characters."""
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    for row, line in enumerate(lines):
        codes = [(ord(char) & 255, ord(char) >> 8, 0) for char in line]
        for column, pixel in enumerate([_BEGIN, *codes, _END]):
            image.putpixel((column, row), pixel)
    return image


def write_picture(path: Path, *lines: str, colour: str = "red") -> Path:
    """Write a picture with these lines as a PNG. Folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written_image(*lines, colour=colour).save(path)
    return path


def write_text_pages(path: Path, *pages: Sequence[str]) -> Path:
    """Write a TIFF with a page for each sequence of lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = [written_image(*lines) for lines in pages]
    first.save(path, save_all=True, append_images=others)
    return path
