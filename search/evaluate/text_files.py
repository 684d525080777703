"""Text files with one record a line, and JSON files: reading with errors that name the line, and atomic writing."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors import DatasetError, EvaluationError
from core.files import write_atomically

__all__ = [
    "FilePosition",
    "Record",
    "objects_of",
    "read_json",
    "read_json_lines",
    "read_lines",
    "text_of",
    "write_bytes",
    "write_lines",
]

Record: TypeAlias = dict[str, object]
"""A JSON object."""


@dataclass(frozen=True)
class FilePosition:
    """A file, and the line in it (from 1) that a record was read from."""

    path: Path
    line: int | None = None

    def error(self, detail: str) -> DatasetError:
        """Return a `DatasetError` for this position."""
        return DatasetError(self.path, detail, self.line)


def read_lines(path: Path) -> Iterator[tuple[FilePosition, str]]:
    """Yield the position and the text of each line that is not blank, without its line ending.

    Raises `DatasetError` for a file that cannot be read, is not UTF-8, or is empty.
    """
    empty = True
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                position = FilePosition(path, number)
                line = _decode(raw, position).strip("\r\n")
                if line.strip():
                    empty = False
                    yield position, line
    except OSError as exc:
        raise DatasetError(path, exc.strerror or str(exc)) from exc
    if empty:
        raise DatasetError(path, "the file is empty")


def read_json_lines(path: Path) -> Iterator[tuple[FilePosition, Record]]:
    """Yield the position and the JSON object of each line.

    Raises `DatasetError` as `read_lines` does, and for a line that is not a JSON object.
    """
    for position, line in read_lines(path):
        record = _parse_json(line, position)
        if not isinstance(record, dict):
            raise position.error("a JSON object was expected")
        yield position, record


def read_json(path: Path) -> object:
    """Return the value in a JSON file, which may be compressed (`.gz`). Raises `DatasetError` if it cannot be read."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as exc:
        raise DatasetError(path, getattr(exc, "strerror", None) or str(exc)) from exc
    return _parse_json(_decode(raw, FilePosition(path)), FilePosition(path))


def text_of(position: FilePosition, record: Record, key: str) -> str:
    """Return the text that `record` has under `key`. Raises `DatasetError` if it has none."""
    value = record.get(key)
    if not isinstance(value, str):
        raise position.error(f"{key!r} is missing" if key not in record else f"{key!r} is not text")
    return value


def objects_of(record: object, key: str, position: FilePosition) -> list[tuple[FilePosition, Record]]:
    """Return the objects in the list under `key`, with their position. Raises `DatasetError` if there is no list."""
    values = record.get(key) if isinstance(record, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise position.error(f"{key!r} is not a list of objects")
    return [(position, value) for value in values]


def write_bytes(path: Path | str, chunks: Iterable[bytes]) -> None:
    """Write a file atomically (see `core.files.write_atomically`). Raises `EvaluationError` if it cannot be written."""
    try:
        write_atomically(Path(path), chunks)
    except OSError as exc:
        raise EvaluationError(f"Cannot write {path}: {exc.strerror or exc}") from exc


def write_lines(path: Path | str, lines: Iterable[str]) -> None:
    """Write lines of UTF-8 text atomically. Raises `EvaluationError` if the file cannot be written."""
    write_bytes(path, (f"{line}\n".encode() for line in lines))


def _decode(raw: bytes, position: FilePosition) -> str:
    try:
        return raw.decode("utf-8-sig" if position.line in (None, 1) else "utf-8")
    except UnicodeDecodeError as exc:
        raise position.error(f"not UTF-8 at byte {exc.start}") from exc


def _parse_json(text: str, position: FilePosition) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as exc:
        raise position.error(f"not JSON: {exc}") from exc
