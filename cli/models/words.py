"""Text of models for people, as wide as their terminal."""

import shutil
import textwrap

__all__ = ["paragraph"]

NARROWEST, WIDEST = 40, 120


def paragraph(text: str, first: str, rest: str) -> str:
    """`text` in lines that fit the terminal: `first` before the first of them, `rest` before the others."""
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))
    return "\n".join(
        textwrap.wrap(
            text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
        )
    )
