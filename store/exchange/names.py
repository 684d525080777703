"""What vectors belong to: files by their paths, documents by their ids, read from a list beside the vectors.

A plain list has one name a line, in any bytes. JSON Lines (`.jsonl`) say `path` or `id`, and `path_b64` or `id_b64`
for names that are not UTF-8; that is also what an export writes.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import BadVectorFile

__all__ = ["Name", "as_json", "number_names", "read_names"]


class Name(NamedTuple):
    """The path of a file, or the id of a document of which there is only the vector."""

    value: bytes
    is_path: bool = False

    def __str__(self) -> str:
        return self.value.decode("utf-8", "backslashreplace")


def read_names(path: Path, *, as_paths: bool = False) -> Iterator[Name]:
    """The names listed in the file `path`, in order; `as_paths` takes the lines of a plain list for paths.

    Raises `BadVectorFile` for a line that names nothing, or when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                value = line.rstrip(b"\r\n")
                if not value or b"\0" in value:
                    raise BadVectorFile(path, f"line {number} holds no name")
                yield _from_json(path, number, value) if path.suffix == ".jsonl" else Name(value, as_paths)
    except OSError as exc:
        raise BadVectorFile(path, exc.strerror or str(exc)) from exc


def number_names(count: int) -> Iterator[Name]:
    """0, 1, 2, ...: the ids of vectors that came without any."""
    return (Name(b"%d" % number) for number in range(count))


def as_json(name: Name) -> str:
    """`name` as a line that `read_names` understands."""
    key = "path" if name.is_path else "id"
    record = {key: str(name)}
    if record[key].encode() != name.value:
        record[f"{key}_b64"] = base64.b64encode(name.value).decode()
    return json.dumps(record, ensure_ascii=False)


def _from_json(path: Path, number: int, line: bytes) -> Name:
    try:
        record: Any = json.loads(line)
        for key in ("path", "id"):
            if f"{key}_b64" in record:
                return Name(base64.b64decode(record[f"{key}_b64"], validate=True), key == "path")
            if record.get(key) not in (None, ""):
                return Name(os.fsencode(str(record[key])), key == "path")
    except (ValueError, TypeError, AttributeError, binascii.Error) as exc:
        raise BadVectorFile(path, f"line {number} is not one JSON object with a name ({exc})") from exc
    raise BadVectorFile(path, f"line {number} has neither `path` nor `id`")
