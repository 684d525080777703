"""A section of an open file, as a file of its own."""

import io
import os
from typing import BinaryIO, cast

__all__ = ["file_size", "open_section", "read_at"]

_BUFFER_BYTES = 1 << 16


class _Section(io.RawIOBase):
    """The bytes of `file` from `start` to `end`, with the first ones replaced by `head`."""

    def __init__(self, file: BinaryIO, start: int, end: int, head: bytes) -> None:
        self._file = file
        self._start = start
        self._length = max(0, end - start)
        self._head = head[: self._length]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        position, wanted = self._position, min(len(buffer), max(0, self._length - self._position))
        if position < len(self._head):
            data = self._head[position : position + wanted]
        else:
            data = read_at(self._file, self._start + position, wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def open_section(file: BinaryIO, start: int, end: int, head: bytes = b"") -> BinaryIO:
    """Return the bytes of `file` from `start` to `end` as a file, with the first ones replaced by `head`.

    Reading it moves the position of `file`, which stays open when the section is closed.
    """
    return cast("BinaryIO", io.BufferedReader(_Section(file, start, end, head), _BUFFER_BYTES))


def read_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Return at most `count` bytes of `file` at `place`."""
    file.seek(place)
    return file.read(count)


def file_size(file: BinaryIO) -> int:
    """Return the number of bytes of a file."""
    return file.seek(0, os.SEEK_END)
