"""Absolute paths, times of files, and files that are written completely or not at all."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident
from time import time
from typing import BinaryIO

from core.object_paths import object_path

__all__ = ["absolute", "atomic_writer", "changed_ns", "modified_ns", "remove_abandoned_drafts", "write_atomically"]

ABANDONED_AFTER_SECONDS = 3600
"""Age from which a temporary file was left by a killed process: no file takes that long to write."""


def absolute(path: Path | str) -> Path:
    """Return `path` as an absolute path: `~` is expanded, `..` is removed, symbolic links are kept.

    What names objects of a store, such as `s3://bucket/2024`, becomes an `ObjectPath`.
    """
    return object_path(path) or Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 (pathlib keeps `..`, and raises for `~`)


def modified_ns(status: os.stat_result) -> int:
    """Return the modification time of a file, limited to 64 bits; file systems may allow more."""
    return _limited(status.st_mtime_ns)


def changed_ns(status: os.stat_result) -> int | None:
    """Return when a file or its attributes were last changed, limited to 64 bits; None on Windows, which does not say.

    Unlike the modification time, programs cannot set it.
    """
    return None if os.name == "nt" else _limited(status.st_ctime_ns)


def _limited(nanoseconds: int) -> int:
    return nanoseconds if -(2**63) <= nanoseconds < 2**63 else max(-(2**63), min(nanoseconds, 2**63 - 1))


@contextmanager
def atomic_writer(path: Path, *, durable: bool = True, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a temporary file next to `path`; on success flush it to disk and rename it to `path`.

    If the block raises, the temporary file is removed and `path` is left as it was. A symbolic link is followed, so
    that the link stays. Several processes and threads may write the same file: the last one wins. Without `durable`,
    writing does not wait for the disk, which is enough for caches. `mode` are the file's permissions, less the umask.
    Raises `OSError`.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{os.getpid()}.{get_ident()}.tmp")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def remove_abandoned_drafts(folder: Path, prefix: str) -> None:
    """Remove temporary files of `atomic_writer` that killed processes left in `folder`.

    Only those of files whose names begin with `prefix` are removed. A folder that cannot be read is left as it is.
    """
    draft = re.compile(rf"\.{re.escape(prefix)}.*\.\d+\.\d+\.tmp", re.DOTALL)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if draft.fullmatch(entry.name):
                with suppress(OSError):  # another process removed it
                    # A time in the future is no reason to keep a file for ever: the clock was wrong.
                    if abs(time() - entry.stat(follow_symlinks=False).st_mtime) > ABANDONED_AFTER_SECONDS:
                        Path(entry.path).unlink()


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` to `path` as `atomic_writer` does. Pipes and devices are written to directly.

    Temporary files of `path` that killed processes left are removed. Raises `OSError`.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.writelines(chunks)
        return
    with atomic_writer(path) as file:
        file.writelines(chunks)
    remove_abandoned_drafts(path.parent, path.name)
