"""Writes a contact sheet in the form its file name asks for."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.sheet.html import page
from cli.sheet.png import paint
from cli.sheet.section import Section

__all__ = ["write_sheet"]


def write_sheet(path: Path, sections: Sequence[Section]) -> None:
    """Writes `sections` to `path`, a `.png` or a `.html` file.

    Raises `click.UsageError` for another ending, and `click.FileError` when the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in (".png", ".html", ".htm"):
        raise click.UsageError(f"a contact sheet is a .png or a .html file, not {path.name!r}")
    try:
        if kind == ".png":
            paint(sections).save(path)
        else:
            path.write_text(page(sections), encoding="utf-8")
    except OSError as exc:
        raise click.FileError(str(path), exc.strerror or str(exc)) from exc
