"""Snapshot files: JSON Lines, compressed with gzip if the name ends in `.gz`.

The first line is the header, the last line has the number of records and two digests. `said` is the SHA-256 of the
lines of records: two snapshots with the same one say the same. `sha256` is that of all lines before the last one, so
that a file that was cut or changed is recognised.
"""

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from core.errors import NotASnapshot, SnapshotDamaged, SnapshotError, SnapshotTooNew, SnapshotUnwritable
from core.files import atomic_writer
from core.version import __version__
from store.backup.records import InvalidRecord, Record, from_json, kind_of, path_from_json, path_to_json, to_json

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "Snapshot",
    "SnapshotHeader",
    "SnapshotRoot",
    "has_header",
    "open_snapshot",
    "roots_at",
    "said_at",
    "write_snapshot",
]

FORMAT = "sightline-snapshot"
FORMAT_VERSION = 1

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line means that the file is no snapshot."""

GZIP_MAGIC = b"\x1f\x8b"
COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class SnapshotRoot:
    """A root of the library: its absolute path, or the name of a collection of documents."""

    path: bytes
    kind: str


@dataclass(frozen=True)
class SnapshotHeader:
    """The first line of a snapshot: what it was taken from, and when."""

    library: str
    """The key of the library (`store.library_key`)."""
    created_at: datetime
    """In UTC, without a time zone."""
    roots: tuple[SnapshotRoot, ...] = ()
    model: str | None = None
    """The model of the active space, which a restore does not change."""
    counts: dict[str, int] = field(default_factory=dict)
    """Number of records by type."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that has been checked from its first to its last line."""

    path: Path
    header: SnapshotHeader
    said: str
    """Equal for two snapshots that say the same."""

    def records(self) -> Iterator[Record]:
        """Yield the records in their order. Raises `SnapshotDamaged` if the file changed since it was checked."""
        for line in _checked_lines(self.path):
            if isinstance(line, _Footer):
                return
            if not isinstance(line, SnapshotHeader):
                yield line


def write_snapshot(path: Path, header: SnapshotHeader, records: Iterable[Record]) -> str:
    """Write a snapshot atomically; return the digest of what it says. Raises `SnapshotUnwritable`."""
    every, said, number = hashlib.sha256(), hashlib.sha256(), 0
    try:
        with atomic_writer(path, mode=0o600) as file, _compressed(file, path) as stream:
            line = _encode(_header_to_json(header))
            every.update(line)
            stream.write(line)
            for record in records:
                line = _encode(to_json(record))
                every.update(line)
                said.update(line)
                stream.write(line)
                number += 1
            stream.write(_encode(_footer_to_json(_Footer(number, said.hexdigest(), every.hexdigest()))))
    except OSError as exc:
        raise SnapshotUnwritable(path, exc.strerror or str(exc)) from exc
    return said.hexdigest()


def said_at(path: Path) -> str | None:
    """Return the digest of what a snapshot says, without parsing its records; None if it is damaged or none."""
    every, last = hashlib.sha256(), b""
    try:
        for raw in _raw_lines(path):
            every.update(last)
            last = raw
        footer = _footer(path, _decode(path, 0, last))
    except SnapshotError:
        return None
    return footer.said if footer.sha256 == every.hexdigest() else None


def roots_at(path: Path) -> tuple[SnapshotRoot, ...]:
    """Return the roots in the header of a snapshot; none if it has none."""
    try:
        return _header(path, next(_raw_lines(path), b"")).roots
    except SnapshotError:
        return ()


def has_header(path: Path) -> bool:
    """Return whether a file begins as a snapshot does, of this version or a later one."""
    try:
        _header(path, next(_raw_lines(path), b""))
    except NotASnapshot:
        return False
    except SnapshotError:
        return True
    return True


def open_snapshot(path: Path) -> Snapshot:
    """Check every line of a snapshot, and return it.

    Raises `NotASnapshot`, `SnapshotDamaged` or `SnapshotTooNew`.
    """
    header, footer = None, None
    for line in _checked_lines(path):
        if isinstance(line, SnapshotHeader):
            header = line
        elif isinstance(line, _Footer):
            footer = line
    assert header is not None  # `_checked_lines` raises otherwise
    assert footer is not None
    return Snapshot(path, header, footer.said)


@dataclass(frozen=True)
class _Footer:
    records: int
    said: str
    sha256: str


@contextmanager
def _compressed(file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield file
        return
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=COMPRESSION_LEVEL, mtime=0) as stream:
        yield stream  # type: ignore[misc]


def _checked_lines(path: Path) -> Iterator[SnapshotHeader | Record | _Footer]:
    """Yield the header, the records and the last line. Nothing that comes before an error may be used."""
    every, said, counts = hashlib.sha256(), hashlib.sha256(), Counter[str]()
    header: SnapshotHeader | None = None
    for number, raw in enumerate(_raw_lines(path), start=1):
        if header is None:
            header = _header(path, raw)
            every.update(raw)
            yield header
            continue
        line = _decode(path, number, raw)
        if line.get("type") == "end":
            footer = _footer(path, line)
            if (footer.records, footer.said) != (
                counts.total(),
                said.hexdigest(),
            ) or footer.sha256 != every.hexdigest():
                raise SnapshotDamaged(path, "its lines do not have the checksum in its last line")
            if counts != Counter(header.counts):
                raise SnapshotDamaged(path, "it does not have the records that its first line counts")
            yield footer
            return
        every.update(raw)
        said.update(raw)
        record = _record(path, number, line)
        counts[kind_of(record)] += 1
        yield record
    if header is None:
        raise NotASnapshot(path, "it is empty")
    raise SnapshotDamaged(path, f"it ends after {counts.total():,} records, without its last line")


def _raw_lines(path: Path) -> Iterator[bytes]:
    """Yield lines with their line ending."""
    try:
        with path.open("rb") as file:
            is_compressed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            stream: IO[bytes] = gzip.GzipFile(fileobj=file) if is_compressed else file  # type: ignore[assignment]
            while raw := stream.readline(MAX_LINE_BYTES):
                if len(raw) == MAX_LINE_BYTES:
                    raise NotASnapshot(path, "one of its lines is too long")
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise SnapshotDamaged(path, "the compressed file is damaged or incomplete") from exc
    except OSError as exc:
        raise NotASnapshot(path, exc.strerror or str(exc)) from exc


def _encode(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _decode(path: Path, number: int, raw: bytes) -> dict[str, Any]:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise SnapshotDamaged(path, f"line {number} is not JSON") from exc
    if not isinstance(line, dict):
        raise SnapshotDamaged(path, f"line {number} is not a JSON object")
    return line


def _record(path: Path, number: int, line: dict[str, Any]) -> Record:
    try:
        return from_json(line)
    except InvalidRecord as exc:
        raise SnapshotDamaged(path, f"line {number}: {exc}") from exc


def _header_to_json(header: SnapshotHeader) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "library": header.library,
        "created": header.created_at.isoformat(timespec="seconds") + "Z",
        "sightline": __version__,
        "model": header.model,
        "roots": [{"kind": root.kind, **path_to_json(root.path)} for root in header.roots],
        "counts": header.counts,
    }


def _header(path: Path, raw: bytes) -> SnapshotHeader:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise NotASnapshot(path, "its first line is not JSON") from exc
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise NotASnapshot(path, f"its first line does not have the format {FORMAT}")
    version = line.get("version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise SnapshotTooNew(path, version)
    try:
        roots = tuple(SnapshotRoot(path_from_json(root), str(root["kind"])) for root in line["roots"])
        created = datetime.fromisoformat(line["created"]).astimezone(UTC).replace(tzinfo=None)
        counts = {str(kind): int(number) for kind, number in line["counts"].items() if number}
        return SnapshotHeader(str(line["library"]), created, roots, line.get("model"), counts)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as exc:
        raise SnapshotDamaged(path, "its first line lacks something") from exc


def _footer_to_json(footer: _Footer) -> dict[str, Any]:
    return {"type": "end", "records": footer.records, "said": footer.said, "sha256": footer.sha256}


def _footer(path: Path, line: dict[str, Any]) -> _Footer:
    try:
        return _Footer(int(line["records"]), str(line["said"]), str(line["sha256"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise SnapshotDamaged(path, "its last line lacks something") from exc
