"""A file of vectors, and the names of its rows: paths of pictures or IDs of documents.

A plain list of names has one name per line, in any bytes. JSON Lines (`.jsonl`) have a key `path` or `id`, or
`path_b64` or `id_b64` for names that are not UTF-8; exports write this format. A key `frame` is the number, from 0, of
a page or a moment of a file that has several; without it, the vector is that of the first.
"""

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from core.frames import FIRST_FRAME
from store.catalog.frame_ids import MAX_FRAMES

__all__ = [
    "BLOCK_SIZE",
    "ItemName",
    "NameList",
    "VectorFile",
    "frame_number",
    "name_to_json",
    "numbered_names",
    "read_names",
]

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
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                value = line.rstrip(b"\r\n")
                if not value or b"\0" in value:
                    raise BadVectorFile(path, f"no name in line {number}")
                yield _from_json(path, number, value) if path.suffix == ".jsonl" else ItemName(value, as_paths)
    except OSError as exc:
        raise BadVectorFile(path, exc.strerror or str(exc)) from exc


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


def _from_json(path: Path, number: int, line: bytes) -> ItemName:
    try:
        record: Any = json.loads(line)
        frame = frame_number(path, f"line {number}", record.get("frame"))
        for key in ("path", "id"):
            if f"{key}_b64" in record:
                return ItemName(base64.b64decode(record[f"{key}_b64"], validate=True), key == "path", frame)
            if record.get(key) not in (None, ""):
                return ItemName(os.fsencode(str(record[key])), key == "path", frame)
    except (ValueError, TypeError, AttributeError, binascii.Error) as exc:
        raise BadVectorFile(path, f"line {number} is not a JSON object with a name ({exc})") from exc
    raise BadVectorFile(path, f"line {number} has neither `path` nor `id`")
