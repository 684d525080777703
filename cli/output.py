"""Writing to standard output: text, paths of any bytes, JSON Lines."""

import base64
import codecs
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["harmless", "in_utf8", "is_utf8", "print_json", "print_paths", "print_text", "say_waiting", "shown"]

_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters by which a file's name could steer the terminal: all control characters but tabs and ends of lines."""


def print_text(text: str = "") -> None:
    """A line for people; characters that cannot be printed, or would steer the terminal, are shown escaped."""
    _write(harmless(text))


def print_paths(paths: Iterable[Path | str], end: bytes = b"\n") -> None:
    """Paths exactly as the operating system spells them, which need not be UTF-8."""
    sys.stdout.flush()
    for path in paths:
        sys.stdout.buffer.write(os.fsencode(path) + end)
    sys.stdout.buffer.flush()


def print_json(record: Mapping[str, Any]) -> None:
    """One object on one line. A path or document that is not UTF-8 also comes exactly, as base64 under `..._b64`."""
    plain = _plain_object(record)
    # Escaped as JSON does it where the output cannot have every letter; `_write` would escape as Python does.
    _write(json.dumps(plain, ensure_ascii=codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"))


def say_waiting() -> None:
    """To standard error, even without a terminal: a script that seems to hang should say why."""
    sys.stderr.write("Another sightline is changing this library; waiting until it is done.\n")


def shown(path: Path | str) -> str:
    """A path for people, on one line: bytes that are not UTF-8 and control characters appear as `\\xNN`."""
    return harmless(in_utf8(path)).replace("\t", r"\x09").replace("\n", r"\x0a")


def in_utf8(path: Path | str) -> str:
    """A path for programs: itself, but for bytes that are not UTF-8, which appear as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_utf8(path: Path | str) -> bool:
    """Whether `in_utf8` is the path itself."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def harmless(text: str) -> str:
    """`text`, with `\\xNN` for what would steer the terminal."""
    return _STEERS.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


def _write(line: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _plain_object(record: Mapping[Any, Any]) -> dict[str, Any]:
    plain = {str(key): _plain(value) for key, value in record.items()}
    for key in ("path", "document"):
        name = record.get(key)
        if isinstance(name, (Path, str)) and not is_utf8(name):
            plain[f"{key}_b64"] = base64.b64encode(os.fsencode(name)).decode()
            plain[key] = in_utf8(name)
    return plain


def _plain(value: Any) -> Any:
    """What JSON can say."""
    if isinstance(value, Path):
        return in_utf8(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain_object(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6)
    return value
