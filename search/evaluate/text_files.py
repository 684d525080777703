"""Text files with one record a line, and JSON files: reading with errors that name the line, and atomic writing.

Files are UTF-8, or UTF-16 or UTF-32 as `core.text_files` recognises them.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors import DatasetError, EvaluationError
from core.files import write_atomically
from core.text_files import decode_text, encoding_name, iterate_lines

__all__ = [
    "FilePosition",
    "Record",
    "name_of",
    "objects_of",
    "read_json",
    "read_json_lines",
    "read_lines",
    "read_records",
    "text_of",
    "write_bytes",
    "write_lines",
]

Record: TypeAlias = dict[str, object]
"""A JSON object."""

_EXCERPT = 20
"""Characters of invalid JSON that a message shows."""


@dataclass(frozen=True)
class FilePosition:
    """A file, and where in it a record was read from: the line (from 1), or a place such as `images[0]` in JSON."""

    path: Path
    line: int | None = None
    place: str = ""

    def error(self, detail: str) -> DatasetError:
        """Return a `DatasetError` for this position."""
        return DatasetError(self.path, f"{self.place}: {detail}" if self.place else detail, self.line)


def read_lines(path: Path) -> Iterator[tuple[FilePosition, str]]:
    """Yield the position and the text of each line that is not blank, without its line ending.

    Raises `DatasetError` for a file that cannot be read, is not text, or is empty.
    """
    empty = True
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iterate_lines(file), start=1):
                if line.strip():
                    empty = False
                    yield FilePosition(path, number), line
    except OSError as exc:
        raise DatasetError(path, exc.strerror or str(exc)) from exc
    except UnicodeDecodeError as exc:
        raise _not_text(FilePosition(path, number + 1), exc) from exc
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


def read_records(path: Path) -> Iterator[tuple[FilePosition, Record]]:
    """Yield the JSON objects in a file: one a line, or all in one array. Raises `DatasetError`."""
    if not next(read_lines(path))[1].lstrip().startswith("["):
        yield from read_json_lines(path)
        return
    values = read_json(path)
    assert isinstance(values, list)  # it begins with a bracket
    for number, value in enumerate(values, start=1):
        position = FilePosition(path, place=f"record {number}")
        if not isinstance(value, dict):
            raise position.error("a JSON object was expected")
        yield position, value


def read_json(path: Path) -> object:
    """Return the value in a JSON file, which may be compressed (`.gz`). Raises `DatasetError` if it cannot be read."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise DatasetError(path, "the compressed file is damaged or incomplete") from exc
    except OSError as exc:
        raise DatasetError(path, exc.strerror or str(exc)) from exc
    try:
        return _parse_json(decode_text(raw), FilePosition(path))
    except UnicodeDecodeError as exc:
        raise _not_text(FilePosition(path), exc) from exc


def text_of(position: FilePosition, record: Record, key: str) -> str:
    """Return the text that `record` has under `key`. Raises `DatasetError` if it has none."""
    value = record.get(key)
    if not isinstance(value, str):
        raise position.error(f"{key!r} is {_kind(value) if key in record else 'missing'}")
    return value


def name_of(position: FilePosition, record: Record, key: str) -> str:
    """Return the text or the whole number under `key`, as text. Raises `DatasetError` if it has neither."""
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(position, record, key)


def objects_of(record: object, key: str, position: FilePosition) -> list[tuple[FilePosition, Record]]:
    """Return the objects in the list under `key`, each with its position. Raises `DatasetError` if there is no list."""
    values = record.get(key) if isinstance(record, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise position.error(f"{key!r} is not a list of objects")
    outer = f"{position.place}." if position.place else ""
    return [
        (FilePosition(position.path, position.line, f"{outer}{key}[{number}]"), value)
        for number, value in enumerate(values)
    ]


def write_bytes(path: Path | str, chunks: Iterable[bytes]) -> None:
    """Write a file atomically (see `core.files.write_atomically`). Raises `EvaluationError` if it cannot be written."""
    try:
        write_atomically(Path(path), chunks)
    except OSError as exc:
        raise EvaluationError(f"Cannot write {path}: {exc.strerror or exc}") from exc


def write_lines(path: Path | str, lines: Iterable[str]) -> None:
    """Write lines of UTF-8 text atomically. Raises `EvaluationError` if the file cannot be written."""
    write_bytes(path, (f"{line}\n".encode() for line in lines))


def _not_text(position: FilePosition, exc: UnicodeDecodeError) -> DatasetError:
    where = f"not {encoding_name(exc.encoding)} at byte {exc.start}"
    return position.error(f"{where}; save the file as UTF-8")


def _parse_json(text: str, position: FilePosition) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        line = "" if position.line else f"line {exc.lineno}, "
        near = text[exc.pos : exc.pos + _EXCERPT]
        raise position.error(f"not JSON at {line}column {exc.colno}{f': {near!r}' if near else ''}") from exc
    except RecursionError as exc:
        raise position.error("not JSON that can be read: it is nested too deeply") from exc
    except ValueError as exc:
        raise position.error("not JSON that can be read: a number has too many digits") from exc


def _kind(value: object) -> str:
    """Return what a JSON value is, in place of a text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value] + " instead of text"
    kinds = {int: "a number", float: "a number", list: "a list", dict: "an object"}
    return f"{kinds[type(value)]} instead of text"
