"""The files that a scan found, in temporary tables that can be joined with the catalogue."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table

__all__ = ["EXCLUDED", "SEEN", "TEMPORARY", "ScannedFile", "path_ranges"]

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

EXCLUDED = Table(  # a table, because there can be more unreadable folders than a statement can have terms
    "excluded",
    TEMPORARY,
    Column("first", LargeBinary, nullable=False),
    Column("beyond", LargeBinary),
    prefixes=["TEMPORARY"],
)
"""Ranges of paths that the scan could not read: from `first` up to, but not including, `beyond` (NULL: no end)."""


class ScannedFile(NamedTuple):
    """A file that a scan found, and its XMP sidecar file. Both paths are relative to the root, as bytes."""

    relpath: bytes
    size: int
    mtime_ns: int
    sidecar: bytes | None = None
    sidecar_size: int | None = None
    sidecar_mtime_ns: int | None = None


def path_ranges(path: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield the ranges that contain `path` and every path below it; b"" is the root itself."""
    if not path:
        yield b"", None
        return
    yield path, path + b"\0"  # `path` alone, because no file name contains a NUL
    yield path + b"/", path + b"0"  # "0" is the character after "/"
