"""The pages of a database file, with the committed changes of its write-ahead log.

Sections "The Database File" and "The Write-Ahead Log" of https://www.sqlite.org/fileformat2.html.
"""

import os
import struct
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from store.catalog.engine import PAGE_BYTES

__all__ = ["Pages", "committed_pages"]

HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"
_MIN_PAGE_BYTES, _MAX_PAGE_BYTES = 512, 65_536
_LOG_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_LOG_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
"""First number of a write-ahead log -> byte order of its checksums."""


class Pages:
    """The pages of a database, numbered from 1. Pages that cannot be read are None.

    With `log`, pages that a transaction in the write-ahead log has changed are read from there.
    """

    def __init__(self, file: Path, *, log: Path | None = None) -> None:
        self._descriptor = os.open(file, os.O_RDONLY)
        size = os.fstat(self._descriptor).st_size
        self.size = _page_size(self._read(0, HEADER_BYTES), size)
        self.unreadable: set[int] = set()
        """Numbers of the pages that the disk did not return."""
        self.changed = committed_pages(log, self.size) if log is not None else {}
        """The pages that the log has changed, by number."""
        self.count = max(-(-size // self.size), *self.changed, 0)
        first = self.page(1)
        reserved = first[20] if first is not None and first.startswith(_MAGIC) else 0
        self.usable = self.size - reserved if reserved < self.size - 480 else self.size

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def page(self, number: int) -> bytes | None:
        """Return a page; None if there is none of this number, or if the disk does not return it."""
        if not 1 <= number <= self.count:
            return None
        if number in self.changed:
            return self.changed[number]
        page = self._read((number - 1) * self.size, self.size)
        if page is None:
            self.unreadable.add(number)
            return None
        return page if len(page) == self.size else None

    def free(self) -> set[int] | None:
        """Return the numbers of the pages that are not in use; None if the list of them cannot be read."""
        first = self.page(1)
        if first is None or not first.startswith(_MAGIC):
            return None
        trunk, total = struct.unpack(">II", first[32:40])
        numbers = set[int]()
        while trunk:
            page = self.page(trunk)
            if page is None or trunk in numbers:
                return None
            following, leaves = struct.unpack(">II", page[:8])
            if leaves > self.size // 4 - 2:
                return None
            numbers |= {trunk, *struct.unpack(f">{leaves}I", page[8 : 8 + 4 * leaves])}
            trunk = following
        return numbers if len(numbers) == total else None

    def _read(self, offset: int, length: int) -> bytes | None:
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError:  # a failing disk
            return None


def committed_pages(log: Path, page_size: int) -> dict[int, bytes]:
    """Return the last version of each page that the transactions in a write-ahead log have changed.

    As in SQLite, the log ends at the first frame whose checksum is wrong, and what follows the last complete
    transaction does not count. A log with pages of another size belongs to another database, and is left out.
    """
    try:
        with log.open("rb") as file:
            header = file.read(_LOG_HEADER_BYTES)
            if len(header) < _LOG_HEADER_BYTES:
                return {}
            magic, _, size, _, salt1, salt2, *expected = struct.unpack(">8I", header)
            order = _LOG_MAGIC.get(magic)
            if order is None or size != page_size:
                return {}
            checksum = _checksum(header[:24], (0, 0), order)
            if checksum != tuple(expected):
                return {}
            committed, pending = dict[int, bytes](), dict[int, bytes]()
            for frame in iter(lambda: file.read(_FRAME_HEADER_BYTES + size), b""):
                if len(frame) < _FRAME_HEADER_BYTES + size:
                    break
                number, pages, *salts_and_sums = struct.unpack(">6I", frame[:_FRAME_HEADER_BYTES])
                checksum = _checksum(frame[_FRAME_HEADER_BYTES:], _checksum(frame[:8], checksum, order), order)
                if salts_and_sums != [salt1, salt2, *checksum]:
                    break
                pending[number] = frame[_FRAME_HEADER_BYTES:]
                if pages:
                    committed |= pending
                    pending.clear()
    except OSError:
        return {}
    return committed


def _checksum(content: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    """Return the checksum of `content`, an even number of 32-bit words, continued from that of what is before it.

    SQLite adds the words in pairs: `first += word + second`, `second += next + first`, modulo 2**32. The n-th word from
    the end (from 0) is thus counted F(n) times in the first sum and F(n+1) times in the second, where F are the
    Fibonacci numbers.
    """
    words = np.frombuffer(content, f"{order}u4").astype(np.uint32)
    count = len(words)
    factors = _fibonacci(count + 2)
    times = factors[:count][::-1], factors[1 : count + 1][::-1]
    before, last, following = (int(each) for each in factors[[count - 1, count, count + 1]])
    first = before * start[0] + last * start[1] + int(times[0] @ words)
    second = last * start[0] + following * start[1] + int(times[1] @ words)
    return first & 0xFFFFFFFF, second & 0xFFFFFFFF


@cache
def _fibonacci(count: int) -> NDArray[np.uint32]:
    """Return the first Fibonacci numbers modulo 2**32."""
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append((numbers[-1] + numbers[-2]) & 0xFFFFFFFF)
    return np.array(numbers, np.uint32)


def _page_size(header: bytes | None, file_size: int) -> int:
    """Return the page size in the header, or that of Sightline if the header is damaged."""
    if header is not None and header.startswith(_MAGIC):
        stored = int.from_bytes(header[16:18], "big")
        size = _MAX_PAGE_BYTES if stored == 1 else stored
        if _MIN_PAGE_BYTES <= size <= _MAX_PAGE_BYTES and not size & (size - 1) and file_size >= size:
            return size
    return PAGE_BYTES
