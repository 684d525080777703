"""Functions of the public API that combine a few calls of the packages below."""

from pathlib import Path

from store.forget import forget as forget_pictures
from store.library import Library

__all__ = ["forget", "open"]


def open(path: Path | str, *, create: bool = False) -> Library:  # noqa: A001 (`sightline.open` reads as `gzip.open`)
    """Open the library in the folder `path`. Close it, or use it in a `with` statement.

    `create` creates the library if the folder has none. Raises `LibraryNotFound`, `LibraryTooNew` or `LibraryUnusable`.
    """
    return Library.open(path, create=create)


def forget(library: Library, path: Path | str, *, missing_only: bool = False, dry_run: bool = False) -> int:
    """Remove the pictures at and below `path` from the library. Return how many; no file is changed.

    `missing_only` removes only pictures whose file is missing, and `dry_run` only counts. Waits while another process
    indexes these folders. Raises `PathNotIndexed` if the library contains no picture there.
    """
    return forget_pictures(library, Path(path), missing_only=missing_only, dry_run=dry_run)
