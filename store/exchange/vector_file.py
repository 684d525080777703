"""A file of vectors, and the names of its rows: paths of pictures or IDs of documents.

A plain list of names has one name per line, in any bytes, or in UTF-16 or UTF-32 as `core.text_files` recognises them.
A byte order mark is no part of a name. JSON Lines (`.jsonl`) have a key `path` or `id`, or
`path_b64` or `id_b64` for names that are not UTF-8; exports write this format. A key `frame` is the number, from 0, of
a page or a moment of a file that has several; without it, the vector is that of the first.

Tables (`.csv`, `.tsv`) have a header with a column of a usual name, such as `id`, `photo_id` or `path`.

A file of captions, which evaluations read, is a list of names too: the pictures (`image`, `file_name` or `filename`) of
lines that have a caption, each once, in the order in which they come.
"""

import base64
import binascii
import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from core.frames import FIRST_FRAME
from core.text_files import iterate_lines
from store.catalog.frame_ids import MAX_FRAMES

__all__ = [
    "BLOCK_SIZE",
    "COMMON_ID_COLUMNS",
    "COMMON_PATH_COLUMNS",
    "ItemName",
    "NameList",
    "VectorFile",
    "frame_number",
    "name_to_json",
    "numbered_names",
    "read_names",
]

COMMON_PATH_COLUMNS = ("image_path", "path", "file_path", "filepath", "file_name", "filename", "file")
COMMON_ID_COLUMNS = ("id", "image_id", "photo_id", "doc_id", "docid", "key", "uid", "url")
"""Usual names of the columns with the names of the rows, in order of preference."""

_TABLE_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LINE_SUFFIXES = (".jsonl", ".ndjson")
_PICTURE_KEYS = ("image", "file_name", "filename")
_CAPTION_KEYS = ("caption", "captions", "text")

BLOCK_SIZE = 5_000
"""Vectors read at a time: 10 MB with 512 dimensions in 32 bits. One statement can name as many."""


class ItemName(NamedTuple):
    """What a vector belongs to: the path of a file, or the ID of a document that has only a vector."""

    value: bytes
    is_path: bool = False
    frame: int = FIRST_FRAME
    """The number of the frame."""

    def __str__(self) -> str:
        return self.value.decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class NameList:
    """A file that contains names. `read` reads them from the first one each time it is called."""

    path: Path
    read: Callable[[], Iterator[ItemName]]


@dataclass(frozen=True)
class VectorFile:
    """`count` vectors of `dim` dimensions in one file. `blocks` reads them from the first each time it is called."""

    path: Path
    count: int
    dim: int
    dtype: np.dtype[np.floating]
    blocks: Callable[[], Iterator[NDArray[np.floating]]]
    names: NameList | None = None
    """The names of the rows, if this file or another one next to it has them."""

    def require_same_type(self, first: "VectorFile") -> None:
        """Raise `BadVectorFile` unless dimension and dtype are those of the first file."""
        if (self.dim, self.dtype) != (first.dim, first.dtype):
            raise BadVectorFile(
                self.path, f"vectors of {self.dim} × {self.dtype}, but the first file has {first.dim} × {first.dtype}"
            )


def read_names(path: Path, *, as_paths: bool = False) -> Iterator[ItemName]:
    """Yield the names in the file `path`. With `as_paths`, the lines of a plain list are paths instead of IDs.

    Raises `BadVectorFile` for a line without a name, or if the file cannot be read.
    """
    pictures: set[str] = set()
    try:
        with path.open("rb") as file:
            if path.suffix in _TABLE_DELIMITERS:
                yield from _from_table(path, iterate_lines(file, "surrogateescape"), as_paths)
                return
            for number, line in enumerate(iterate_lines(file, "surrogateescape"), start=1):
                value = line.encode("utf-8", "surrogateescape")
                if not value or b"\0" in value:
                    raise BadVectorFile(path, f"no name in line {number}")
                if path.suffix not in _LINE_SUFFIXES:
                    yield ItemName(value, as_paths)
                    continue
                name = _from_json(path, number, value, pictures, as_paths)
                if name is not None:
                    yield name
    except OSError as exc:
        raise BadVectorFile(path, exc.strerror or str(exc)) from exc
    except UnicodeError as exc:
        raise BadVectorFile(path, "its text is damaged; save the list as UTF-8") from exc


def numbered_names(count: int) -> Iterator[ItemName]:
    """Return the IDs 0, 1, 2, ... for vectors without names."""
    return (ItemName(b"%d" % number) for number in range(count))


def name_to_json(name: ItemName) -> str:
    """Return `name` as a line of JSON that `read_names` reads."""
    key = "path" if name.is_path else "id"
    record: dict[str, object] = {key: str(name)}
    if str(name).encode() != name.value:
        record[f"{key}_b64"] = base64.b64encode(name.value).decode()
    if name.frame != FIRST_FRAME:
        record["frame"] = name.frame
    return json.dumps(record, ensure_ascii=False)


def frame_number(path: Path, place: str, value: object) -> int:
    """Return `value`, read from `place` in the file `path`, as the number of a frame; None is the first one.

    Raises `BadVectorFile`.
    """
    if value is None:
        return FIRST_FRAME
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_FRAMES:
        raise BadVectorFile(path, f"{place}: Invalid frame {value!r}. Frames are whole numbers from 0.")
    return value


def _from_json(path: Path, number: int, line: bytes, pictures: set[str], as_paths: bool) -> ItemName | None:
    """Return the name in a line of JSON; None for another caption of a picture, which is in `pictures` already."""
    try:
        record: Any = json.loads(line)
        picture = _captioned_picture(record)
        if picture is not None:
            if picture in pictures:
                return None
            pictures.add(picture)
            return ItemName(os.fsencode(picture), as_paths)
        frame = frame_number(path, f"line {number}", record.get("frame"))
        for key in ("path", "id"):
            if f"{key}_b64" in record:
                return ItemName(base64.b64decode(record[f"{key}_b64"], validate=True), key == "path", frame)
            if record.get(key) not in (None, ""):
                return ItemName(os.fsencode(str(record[key])), key == "path", frame)
    except json.JSONDecodeError as exc:
        raise BadVectorFile(path, f"line {number} is not JSON, at column {exc.colno}") from exc
    except binascii.Error as exc:
        raise BadVectorFile(path, f"line {number}: the name is not valid base64") from exc
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise BadVectorFile(path, f"line {number} is not a JSON object with a name") from exc
    raise BadVectorFile(path, f"line {number} has neither `path` nor `id`")


def _from_table(path: Path, lines: Iterable[str], as_paths: bool) -> Iterator[ItemName]:
    """Yield the names in a table with a header."""
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=_TABLE_DELIMITERS[path.suffix])
    try:
        header = [name.strip().casefold() for name in next(rows, [])]
        kinds = (COMMON_PATH_COLUMNS, COMMON_ID_COLUMNS) if as_paths else (COMMON_ID_COLUMNS, COMMON_PATH_COLUMNS)
        column = next((header.index(name) for names in kinds for name in names if name in header), None)
        if column is None:
            raise BadVectorFile(path, f"no column of the header contains names: {', '.join(header) or 'it is empty'}")
        for row in rows:
            if len(row) <= column or not row[column] or "\0" in row[column]:
                raise BadVectorFile(path, f"no name in line {rows.line_num}")
            yield ItemName(os.fsencode(row[column]), as_paths)
    except csv.Error as exc:
        raise BadVectorFile(path, f"line {rows.line_num} is not CSV") from exc


def _captioned_picture(record: dict[str, Any]) -> str | None:
    """Return the picture of a record with a caption; None for a record of another kind."""
    if not any(key in record for key in _CAPTION_KEYS):
        return None
    return next((str(record[key]) for key in _PICTURE_KEYS if record.get(key)), None)
