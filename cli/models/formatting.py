"""Text of models for people, as wide as their terminal."""

import shutil
import textwrap

__all__ = ["in_units", "paragraph"]

NARROWEST, WIDEST = 40, 120


def paragraph(text: str, first: str, rest: str) -> str:
    """`text` in lines that fit the terminal: `first` before the first of them, `rest` before the others."""
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))
    return "\n".join(
        textwrap.wrap(
            text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
        )
    )


def in_units(size: int) -> str:
    """A number of bytes as people say it."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}" if size < 1000 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size} bytes"
