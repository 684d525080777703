"""Text files of one record a line, and JSON, read with errors that name the line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors import DatasetError

__all__ = ["Record", "Source", "objects_of", "read_json", "read_json_lines", "read_lines", "text_of"]

Record: TypeAlias = dict[str, object]
"""A JSON object."""


@dataclass(frozen=True)
class Source:
    """Where in which file something was read, for errors."""

    path: Path
    line: int | None = None

    def wrong(self, detail: str) -> DatasetError:
        """The error that says so."""
        return DatasetError(self.path, detail, self.line)


def read_lines(path: Path) -> Iterator[tuple[Source, str]]:
    """Lines that are not blank, without their ends, and where they stand.

    Raises `DatasetError` for a file that cannot be read, is not UTF-8, or is empty.
    """
    empty = True
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                source = Source(path, number)
                line = _decoded(raw, source).strip("\r\n")
                if line.strip():
                    empty = False
                    yield source, line
    except OSError as exc:
        raise DatasetError(path, exc.strerror or str(exc)) from exc
    if empty:
        raise DatasetError(path, "the file is empty")


def read_json_lines(path: Path) -> Iterator[tuple[Source, Record]]:
    """The object on each line. Raises `DatasetError` as `read_lines` does, and for a line that holds no object."""
    for source, line in read_lines(path):
        record = _parsed(line, source)
        if not isinstance(record, dict):
            raise source.wrong("a JSON object was expected")
        yield source, record


def read_json(path: Path) -> object:
    """The one value in a JSON file, which may be compressed (`.gz`). Raises `DatasetError` when it cannot be read."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as exc:
        raise DatasetError(path, getattr(exc, "strerror", None) or str(exc)) from exc
    return _parsed(_decoded(raw, Source(path)), Source(path))


def text_of(source: Source, record: Record, key: str) -> str:
    """The text a record has under `key`. Raises `DatasetError` if it has none."""
    value = record.get(key)
    if not isinstance(value, str):
        raise source.wrong(f"{key!r} is missing" if key not in record else f"{key!r} is not text")
    return value


def objects_of(record: object, key: str, source: Source) -> list[tuple[Source, Record]]:
    """The objects a record lists under `key`, each with where it is. Raises `DatasetError` if it lists none."""
    values = record.get(key) if isinstance(record, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise source.wrong(f"{key!r} is no list of objects")
    return [(source, value) for value in values]


def _decoded(raw: bytes, source: Source) -> str:
    try:
        return raw.decode("utf-8-sig" if source.line in (None, 1) else "utf-8")
    except UnicodeDecodeError as exc:
        raise source.wrong(f"not UTF-8 at byte {exc.start}") from exc


def _parsed(text: str, source: Source) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as exc:
        raise source.wrong(f"not JSON: {exc}") from exc
