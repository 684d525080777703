"""The directories of a TIFF file, read with limits on everything: their number, their entries and the values.

Source: TIFF 6.0, section 2, and TIFF/EP (ISO 12234-2) for the tree of directories. Most RAW formats are TIFF files,
some with a signature of their own.
"""

import struct
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from PIL.TiffImagePlugin import IFDRational

from pictures.raw.sections import read_at

__all__ = ["Directory", "TagValue", "byte_order", "read_directory", "walk_directories"]

MAX_DIRECTORIES = 32
MAX_ENTRIES = 1_000
MAX_VALUE_BYTES = 1 << 16
MAX_NUMBERS = 16
"""Numbers of a value that are read, such as offsets of strips, and rationals of a value that is no longer than that."""

SUB_DIRECTORIES = 330

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_INTEGER_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}
_RATIONAL_CODES = {5: "I", 10: "i"}

TagValue = str | bytes | int | tuple[int, ...] | IFDRational | tuple[IFDRational, ...]
"""The value of a tag, of the type that Pillow has for it."""


class _Entry(NamedTuple):
    kind: int
    number: int
    """How many values it has."""
    place: int
    """Where its value is in the file."""


class Directory:
    """One directory (IFD) of a TIFF file."""

    def __init__(self, file: BinaryIO, order: str, place: int, entries: dict[int, _Entry], following: int) -> None:
        self._file = file
        self._order = order
        self._entries = entries
        self.place = place
        self.following = following
        """Where the next directory of the chain is; 0 if this is the last."""

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the first integers of a tag, or the integer parts of its rationals; none if it has no such value."""
        entry = self._entries.get(tag)
        if entry is None:
            return ()
        if entry.kind in _INTEGER_CODES:
            return self._integers(entry, _INTEGER_CODES[entry.kind], 1)
        if entry.kind in _RATIONAL_CODES:
            pairs = self._integers(entry, _RATIONAL_CODES[entry.kind], 2)
            return tuple(top // bottom for top, bottom in zip(pairs[::2], pairs[1::2], strict=False) if bottom)
        return ()

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first integer of a tag."""
        return next(iter(self.numbers(tag)), default)

    def all_numbers(self, tag: int) -> tuple[int, ...]:
        """Return all integers of a tag, unless they are too many."""
        value = self.value(tag)
        numbers = value if isinstance(value, tuple) else (value,)
        return tuple(number for number in numbers if isinstance(number, int))

    def extent(self, tag: int) -> tuple[int, int]:
        """Return where the value of a tag begins and ends in the file; (0, 0) without this tag."""
        entry = self._entries.get(tag)
        return (0, 0) if entry is None else (entry.place, entry.place + _TYPE_BYTES[entry.kind] * entry.number)

    def count(self, tag: int) -> int:
        """Return how many values a tag has."""
        entry = self._entries.get(tag)
        return 0 if entry is None else entry.number

    def data(self, tag: int, most: int = MAX_VALUE_BYTES) -> bytes:
        """Return the bytes of a value; none if there are more than `most`."""
        start, end = self.extent(tag)
        return read_at(self._file, start, end - start) if 0 < end - start <= most else b""

    def value(self, tag: int) -> TagValue | None:
        """Return the value of a tag; None if it is too long, cut, or of a type that is not used for metadata."""
        entry, data = self._entries.get(tag), self.data(tag)
        if entry is None or not data or len(data) != _TYPE_BYTES[entry.kind] * entry.number:
            return None
        if entry.kind == 2:
            return data.partition(b"\0")[0].decode("utf-8", "replace")
        if entry.kind in (1, 7):
            return data
        if entry.kind in _INTEGER_CODES:
            numbers = struct.unpack(f"{self._order}{entry.number}{_INTEGER_CODES[entry.kind]}", data)
            return numbers if entry.number > 1 else numbers[0]
        if entry.kind in _RATIONAL_CODES and entry.number <= MAX_NUMBERS:
            parts = struct.unpack(f"{self._order}{2 * entry.number}{_RATIONAL_CODES[entry.kind]}", data)
            rationals = tuple(IFDRational(top, bottom) for top, bottom in zip(parts[::2], parts[1::2], strict=True))
            return rationals if entry.number > 1 else rationals[0]
        return None

    def _integers(self, entry: _Entry, code: str, each: int) -> tuple[int, ...]:
        count = min(entry.number, MAX_NUMBERS) * each
        width = struct.calcsize(self._order + code)
        data = read_at(self._file, entry.place, count * width)
        return struct.unpack(f"{self._order}{len(data) // width}{code}", data[: len(data) // width * width])


def byte_order(head: bytes) -> str:
    """Return the byte order of a TIFF file as `struct` writes it."""
    return ">" if head[:2] == b"MM" else "<"


def read_directory(file: BinaryIO, order: str, place: int) -> Directory | None:
    """Return the directory at `place`, with as many entries as are readable; None if there is none."""
    if place <= 0:
        return None
    head = read_at(file, place, 2)
    if len(head) < 2:
        return None
    (count,) = struct.unpack(order + "H", head)
    data = file.read(12 * min(count, MAX_ENTRIES) + 4)
    entries: dict[int, _Entry] = {}
    for start in range(0, min(12 * count, len(data) - 11), 12):
        tag, kind, number, offset = struct.unpack_from(order + "HHII", data, start)
        size = _TYPE_BYTES.get(kind, 0) * number
        if size:
            entries.setdefault(tag, _Entry(kind, number, offset if size > 4 else place + 2 + start + 8))
    following = data[12 * count : 12 * count + 4]
    return Directory(file, order, place, entries, *struct.unpack(order + "I", following.ljust(4, b"\0")))


def walk_directories(file: BinaryIO, order: str, first: int) -> Iterator[Directory]:
    """Yield the directories of a file: the chain that begins at `first`, each followed by its subdirectories."""
    waiting, seen = deque([first]), set[int]()
    while waiting and len(seen) < MAX_DIRECTORIES:
        place = waiting.popleft()
        if place in seen or (directory := read_directory(file, order, place)) is None:
            continue
        seen.add(place)
        yield directory
        waiting.extendleft(reversed(directory.numbers(SUB_DIRECTORIES)))
        waiting.append(directory.following)
