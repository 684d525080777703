"""Writing to the terminal: text, paths of arbitrary bytes, JSON Lines, warnings."""

import base64
import codecs
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

__all__ = [
    "counted",
    "in_units",
    "in_utf8",
    "is_utf8",
    "print_json",
    "print_paths",
    "print_text",
    "printable",
    "say_waiting",
    "shown",
    "warn",
    "warn_of_unused_gpu",
    "wrapped",
]

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All control characters except tabs and newlines: a file name could use them to control the terminal."""

MIN_WIDTH, MAX_WIDTH = 40, 120
"""Limits of the width of wrapped text, in columns."""


def counted(number: int, one: str, several: str) -> str:
    """Return a number with what is counted, as in `1 picture` or `2,000 pictures`."""
    return f"{number:,} {one if number == 1 else several}"


def print_text(text: str = "") -> None:
    """Print a line for people; control characters, and those the encoding lacks, are escaped."""
    _write(printable(text))


def print_paths(paths: Iterable[Path | str], end: bytes = b"\n") -> None:
    """Print paths exactly as the operating system spells them, which may not be UTF-8."""
    sys.stdout.flush()
    for path in paths:
        sys.stdout.buffer.write(os.fsencode(path) + end)
    sys.stdout.buffer.flush()


def print_json(record: Mapping[str, Any]) -> None:
    """Print an object on one line.

    A `path` or `document` that is not UTF-8 is added exactly, as base64 under `path_b64` or `document_b64`.
    """
    plain = _json_object(record)
    # For other encodings, JSON escapes instead of the Python escapes that `_write` would add.
    _write(json.dumps(plain, ensure_ascii=codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"))


def warn(message: str) -> None:
    """Print a message about the run to standard error."""
    click.echo(f"sightline: {message}", err=True)


def warn_of_unused_gpu(reason: str) -> None:
    """Print why a GPU is not used, and how to accept that, to standard error."""
    warn(f"{reason} --device cpu or SIGHTLINE_DEVICE=cpu uses the processor without this message.")


def say_waiting() -> None:
    """Report on standard error, even without a terminal, that another process holds the library."""
    sys.stderr.write("Another sightline process is changing this library; waiting for it to finish.\n")


def shown(path: Path | str) -> str:
    """Return a path for people, on one line: bytes that are not UTF-8 and control characters appear as `\\xNN`."""
    return printable(in_utf8(path)).replace("\t", r"\x09").replace("\n", r"\x0a")


def in_utf8(path: Path | str) -> str:
    """Return a path for programs: unchanged, except that bytes that are not UTF-8 appear as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_utf8(path: Path | str) -> bool:
    """Return whether a path is UTF-8, so that `in_utf8` returns it unchanged."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def printable(text: str) -> str:
    """Return `text` with control characters as `\\xNN`."""
    return _CONTROL_CHARACTERS.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


def wrapped(text: str, first: str, rest: str) -> str:
    """Wrap `text` to the width of the terminal; `first` indents the first line, `rest` the others."""
    width = max(MIN_WIDTH, min(MAX_WIDTH, shutil.get_terminal_size((100, 24)).columns))
    return "\n".join(
        textwrap.wrap(
            text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
        )
    )


def in_units(size: int) -> str:
    """Return a number of bytes with a unit, such as "1.2 GB"."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}" if size < 1000 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size} bytes"


def _write(line: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _json_object(record: Mapping[Any, Any]) -> dict[str, Any]:
    plain = {str(key): _json_value(value) for key, value in record.items()}
    for key in ("path", "document"):
        name = record.get(key)
        if isinstance(name, (Path, str)) and not is_utf8(name):
            plain[f"{key}_b64"] = base64.b64encode(os.fsencode(name)).decode()
            plain[key] = in_utf8(name)
    return plain


def _json_value(value: Any) -> Any:
    """Convert a value to types that JSON can represent."""
    if isinstance(value, Path):
        return in_utf8(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _json_object(value)
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if isinstance(value, float):
        return round(value, 6)
    return value
