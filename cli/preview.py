"""Pictures in the terminal, by whatever the terminal can do: its graphics protocol, or coloured half blocks."""

from pathlib import Path

from rich.console import Console

from cli.sheet.section import thumbnail

__all__ = ["show_picture"]

COLUMNS = 40
"""Width of a picture in the terminal's characters."""


def show_picture(path: Path) -> None:
    """Shows the picture at `path` on standard output; says nothing when it cannot be read any more."""
    from textual_image.renderable import Image

    small = thumbnail(path, 640)
    if small is not None:
        Console().print(Image(small, width=COLUMNS))
