"""The files that a scan found, in temporary tables that can be joined with the catalogue."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    false,
    func,
    or_,
    select,
)

from core.root_files import FileStatus
from store.catalog.tables.mapping import MappedColumn

__all__ = [
    "COMPANIONS",
    "EXCLUDED",
    "NOT_TAKEN",
    "RELEASED",
    "SEEN",
    "TEMPORARY",
    "ScannedFile",
    "SidecarFile",
    "companion_paths",
    "is_excluded",
    "outermost_paths",
    "pack_names",
    "pack_sidecars",
    "path_ranges",
    "unpack_names",
    "unpack_sidecars",
]

TEMPORARY = MetaData()

SEEN = Table(
    "seen",
    TEMPORARY,
    Column("relpath", LargeBinary, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("sidecars", LargeBinary),
    Column("ctime_ns", BigInteger),
    Column("inode", BigInteger),
    Column("companions", LargeBinary),
    prefixes=["TEMPORARY"],
)

EXCLUDED = Table(  # a table, because there can be more unreadable folders than a statement can have terms
    "excluded",
    TEMPORARY,
    Column("first", LargeBinary, primary_key=True),
    Column("beyond", LargeBinary),
    prefixes=["TEMPORARY"],
)
"""Ranges of paths that the scan did not look at: from `first` up to, but not including, `beyond` (NULL: no end).

No two of them overlap, so that the range of a path is the last one that begins before it.
"""

COMPANIONS = Table(
    "companions",
    TEMPORARY,
    Column("relpath", LargeBinary, primary_key=True),
    Column("still", LargeBinary, primary_key=True),
    prefixes=["TEMPORARY"],
)
"""Files that belong to a picture in `seen` (`still`), such as its RAW file. Only released ones are in `seen`."""

RELEASED = Table(
    "released", TEMPORARY, Column("relpath", LargeBinary, primary_key=True), prefixes=["TEMPORARY"]
)  # fmt: skip
"""Companions that were added to `seen` last, because their picture is unreadable."""

NOT_TAKEN = Table(
    "not_taken",
    TEMPORARY,
    Column("folder", LargeBinary, primary_key=True),
    Column("suffix", String, primary_key=True),
    Column("files", Integer, nullable=False),
    prefixes=["TEMPORARY"],
)
"""Number of files that the scan did not take, by folder and type."""


class SidecarFile(NamedTuple):
    """A file with metadata of the picture next to it. Its path is relative to the root, as bytes."""

    relpath: bytes
    size: int
    mtime_ns: int
    ctime_ns: int = 0

    @classmethod
    def of(cls, relpath: bytes, status: FileStatus) -> "SidecarFile":
        """Return the sidecar file at `relpath` with the size and the times of `status`."""
        return cls(relpath, status.size, status.mtime_ns, status.ctime_ns or 0)


class ScannedFile(NamedTuple):
    """A picture that a scan found. Its path is relative to the root, as bytes.

    `sidecars` are its packed sidecar files, and `companions` the packed names of further files of the same shot. The
    inode number is None where it does not identify a file.
    """

    relpath: bytes
    size: int
    mtime_ns: int
    sidecars: bytes | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    companions: bytes | None = None


def pack_sidecars(sidecars: Sequence[SidecarFile]) -> bytes | None:
    """Return the sidecar files of a picture as one value, which changes if any of them does; None if there are none."""
    fields = (field for relpath, *numbers in sidecars for field in (relpath, *(b"%d" % number for number in numbers)))
    return b"\0".join(fields) or None  # no file name contains a NUL


def unpack_sidecars(packed: bytes) -> list[SidecarFile]:
    """Return the sidecar files that `pack_sidecars` packed."""
    fields = packed.split(b"\0") if packed else []
    return [
        SidecarFile(path, int(size), int(modified), int(changed))
        for path, size, modified, changed in zip(*[iter(fields)] * 4, strict=True)
    ]


def pack_names(names: Iterable[bytes]) -> bytes | None:
    """Return the names of files as one value; None if there are none."""
    return b"\0".join(names) or None


def unpack_names(packed: bytes | None) -> list[bytes]:
    """Return the names that `pack_names` packed."""
    return packed.split(b"\0") if packed else []


def companion_paths(file: ScannedFile) -> list[bytes]:
    """Return the paths of the companions of a picture; they are in the same folder."""
    folder = file.relpath[: file.relpath.rfind(b"/") + 1]
    return [folder + name for name in unpack_names(file.companions)]


def path_ranges(path: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield the ranges that contain `path` and every path below it; b"" is the root itself."""
    if not path:
        yield b"", None
        return
    yield path, path + b"\0"  # `path` alone, because no file name contains a NUL
    yield path + b"/", path + b"0"  # "0" is the character after "/"


def outermost_paths(paths: Iterable[bytes]) -> list[bytes]:
    """Return `paths` without those below another one, so that their ranges do not overlap."""
    kept = set(paths)
    if b"" in kept:
        return [b""]
    return sorted(path for path in kept if not any(above in kept for above in _above(path)))


def _above(path: bytes) -> Iterator[bytes]:
    """Yield the folders above a path, the innermost one first."""
    while b"/" in path:
        path = path[: path.rindex(b"/")]
        yield path


def is_excluded(path: MappedColumn[bytes] | ColumnElement[bytes]) -> ColumnElement[bool]:
    """Whether the scan did not look at a path, because it could not read it or one above it."""
    last = select(EXCLUDED.c.beyond).where(path >= EXCLUDED.c.first).order_by(EXCLUDED.c.first.desc()).limit(1)
    everything = select(EXCLUDED.c.first).where(EXCLUDED.c.beyond.is_(None)).exists()
    return or_(func.coalesce(path < last.scalar_subquery(), false()), everything)
