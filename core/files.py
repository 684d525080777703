"""Absolute paths, and files that are written completely or not at all."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["absolute", "atomic_writer", "write_atomically"]


def absolute(path: Path | str) -> Path:
    """Return `path` as an absolute path: `~` is expanded, `..` is removed, symbolic links are kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 (pathlib keeps `..`, and raises for `~`)


@contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; on success flush it to disk and rename it to `path`.

    If the block raises, the temporary file is removed and `path` is left as it was. A symbolic link is followed, so
    that the link stays. Raises `OSError`.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` to `path` as `atomic_writer` does. Pipes and devices are written to directly.

    Raises `OSError`.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.writelines(chunks)
        return
    with atomic_writer(path) as file:
        file.writelines(chunks)
