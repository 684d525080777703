"""Small versions of pictures, and how to show them in a terminal."""

import os
import sys
from pathlib import Path

from PIL import Image

from core.errors import PictureError
from core.frames import FIRST_FRAME
from core.root_files import open_file
from pictures.decode import INDEXED, decode

__all__ = ["can_preview", "show_picture", "thumbnail"]

PREVIEW_COLUMNS = 40
"""Width of a preview in characters of the terminal, which are about twice as high as wide."""
PREVIEW_PIXELS = 640


def thumbnail(path: Path, side: int, frame: int = FIRST_FRAME) -> Image.Image | None:
    """Return a frame of the picture at `path`, upright, at most `side` pixels wide and high.

    Returns None if it cannot be read.
    """
    try:
        with open_file(path) as file:
            image = decode(file, INDEXED, shortest_side=side // 2, frame=frame).image
    except (OSError, PictureError):
        return None
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def can_preview() -> bool:
    """Return whether standard input and output are a terminal, which can be asked for its graphics protocol."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.get_terminal_size().columns > 0


def show_picture(path: Path, frame: int = FIRST_FRAME) -> None:
    """Show a frame of the picture at `path` in the terminal, by its graphics protocol or with coloured half blocks.

    Prints nothing if the picture cannot be read.
    """
    from rich.console import Console
    from textual_image.renderable import Image as TerminalImage  # queries the terminal when it is imported

    small = thumbnail(path, PREVIEW_PIXELS, frame)
    if small is not None:
        sys.stdout.flush()
        rows = max(1, round(PREVIEW_COLUMNS / 2 * small.height / small.width))
        Console().print(TerminalImage(small, width=PREVIEW_COLUMNS, height=rows))
