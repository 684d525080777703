"""Whether files are as they were written, by their SHA-256.

Hashing the weights of a tower takes a fraction of a second, which is too long for every process. Their state is
therefore remembered beside them, and they are hashed again if it changes, or after `MAX_AGE_SECONDS`: a disk can damage
a file without a change of its state.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.files import write_atomically

__all__ = ["CHECKED", "are_intact", "are_known_intact", "file_sha256", "remember"]

CHECKED = "checked.json"
MAX_AGE_SECONDS = 30 * 24 * 3600


class HashedFile(NamedTuple):
    """A file whose SHA-256 was computed at `checked`, in seconds since 1970."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str
    checked: float


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits. Raises `OSError`."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def are_intact(folder: Path, checksums: Mapping[str, str]) -> bool:
    """Return whether the files in `folder` have these checksums, by name. Reads them, and remembers intact ones."""
    try:
        found = {name: _hashed(folder / name) for name in checksums}
    except OSError:
        return False
    if any(state.sha256 != checksums[name] for name, state in found.items()):
        return False
    _write(folder, found)
    return True


def are_known_intact(folder: Path, checksums: Mapping[str, str]) -> bool:
    """Return whether the files in `folder` have these checksums. Reads only those that it must."""
    known = _read(folder)
    try:
        unknown = {
            name: sha256 for name, sha256 in checksums.items() if not _is_valid(known.get(name), folder / name, sha256)
        }
    except OSError:
        return False
    return not unknown or are_intact(folder, unknown)


def remember(folder: Path, checksums: Mapping[str, str]) -> None:
    """Take note of files that were hashed just now. Raises `OSError` if one of them does not exist."""
    _write(folder, {name: _state(folder / name, sha256) for name, sha256 in checksums.items()})


def _hashed(file: Path) -> HashedFile:
    before = _state(file, "")  # of a file that is written at the same time, it is not the state afterwards
    return before._replace(sha256=file_sha256(file))


def _state(file: Path, sha256: str) -> HashedFile:
    status = file.stat()
    return HashedFile(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, sha256, time.time())


def _is_valid(known: HashedFile | None, file: Path, sha256: str) -> bool:
    if known is None or not 0 <= time.time() - known.checked <= MAX_AGE_SECONDS:
        return False
    return known[:5] == _state(file, sha256)[:5]


def _read(folder: Path) -> dict[str, HashedFile]:
    try:
        record = json.loads((folder / CHECKED).read_text(encoding="utf-8"))
        return {
            str(name): HashedFile(int(size), int(mtime_ns), int(ctime_ns), int(inode), str(sha256), float(checked))
            for name, (size, mtime_ns, ctime_ns, inode, sha256, checked) in record.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def _write(folder: Path, states: Mapping[str, HashedFile]) -> None:
    with suppress(OSError):  # files in a folder of another user are hashed by every process
        write_atomically(folder / CHECKED, [json.dumps({**_read(folder), **states}).encode()])
