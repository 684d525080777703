"""Pictures in the terminal, by whatever the terminal can do: its graphics protocol, or coloured half blocks."""

import os
import sys
from pathlib import Path

from rich.console import Console

from cli.sheet.section import thumbnail

__all__ = ["can_preview", "show_picture"]

COLUMNS = 40
"""Width of a picture in the terminal's characters, which are about twice as high as wide."""


def can_preview() -> bool:
    """Whether there is a terminal to ask what it can do, and to draw on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.get_terminal_size().columns > 0


def show_picture(path: Path) -> None:
    """Shows the picture at `path` on standard output; says nothing when it cannot be read any more."""
    from textual_image.renderable import Image  # asks the terminal when it is imported

    small = thumbnail(path, 640)
    if small is not None:
        sys.stdout.flush()
        rows = max(1, round(COLUMNS / 2 * small.height / small.width))
        Console().print(Image(small, width=COLUMNS, height=rows))
