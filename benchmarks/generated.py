"""Generated libraries, which several measurements can use."""

from collections.abc import Callable
from pathlib import Path

from store.library import Library

__all__ = ["ensure_library"]


def ensure_library(path: Path, fill: Callable[[Library], None]) -> None:
    """Create a library at `path` and fill it, unless there is one from an earlier measurement."""
    if not path.exists():
        with Library.open(path, create=True) as library:
            fill(library)
