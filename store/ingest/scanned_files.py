"""What a scan saw, in temporary tables of the catalogue's database: held against its pictures, never in memory."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table

__all__ = ["SEEN", "SPARED", "TEMPORARY", "Sighting", "path_ranges"]

TEMPORARY = MetaData()

SEEN = Table(
    "seen",
    TEMPORARY,
    Column("relpath", LargeBinary, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("sidecar", LargeBinary),
    Column("sidecar_size", BigInteger),
    Column("sidecar_mtime_ns", BigInteger),
    prefixes=["TEMPORARY"],
)

SPARED = Table(  # a table, because a disk can have more unreadable folders than a statement can have terms
    "spared",
    TEMPORARY,
    Column("first", LargeBinary, nullable=False),
    Column("beyond", LargeBinary),
    prefixes=["TEMPORARY"],
)
"""Ranges of paths that the scan could not look at: from `first` to before `beyond`, to the end where that is NULL."""


class Sighting(NamedTuple):
    """A file that a scan saw, and the XMP file beside it; both paths are relative to the root, as bytes."""

    relpath: bytes
    size: int
    mtime_ns: int
    sidecar: bytes | None = None
    sidecar_size: int | None = None
    sidecar_mtime_ns: int | None = None


def path_ranges(path: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Every path at or beneath `path`, as ranges; b"" is the root itself."""
    if not path:
        yield b"", None
        return
    yield path, path + b"\0"  # no name holds a NUL: this is `path` alone
    yield path + b"/", path + b"0"  # "0" is "/" + 1
