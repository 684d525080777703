"""The cells of B-tree pages: rows of tables and entries of indexes.

Sections "B-tree Pages" and "Record Format" of https://www.sqlite.org/fileformat2.html.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from store.database_file.pages import HEADER_BYTES, Pages

__all__ = ["INDEX_INTERIOR", "INDEX_LEAF", "TABLE_INTERIOR", "TABLE_LEAF", "Page", "Record", "Value", "read_page"]

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 0x02, 0x05, 0x0A, 0x0D

Value: TypeAlias = int | float | str | bytes | None

_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial type -> size of the integer."""


class Record(NamedTuple):
    """A row of a table with its rowid, or an entry of an index, whose last value is the rowid (`rowid` is None)."""

    rowid: int | None
    values: tuple[Value, ...]


class Page(NamedTuple):
    """A decoded page of a B-tree: its kind, the pages below it, its records, and how many of its cells are damaged."""

    number: int
    kind: int
    children: tuple[int, ...]
    records: tuple[Record, ...]
    damaged: int


class _DamagedRecord(Exception):
    """A record cannot be decoded."""


def read_page(pages: Pages, number: int) -> Page | None:
    """Return the B-tree page `number`; None if it cannot be read, or is no such page."""
    content = pages.page(number)
    start = HEADER_BYTES if number == 1 else 0
    if content is None or content[start] not in (INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF):
        return None
    kind = content[start]
    is_interior = kind in (INDEX_INTERIOR, TABLE_INTERIOR)
    cells = int.from_bytes(content[start + 3 : start + 5], "big")
    pointers = start + (12 if is_interior else 8)
    if pointers + 2 * cells > len(content):
        return None
    children, records, damaged = list[int](), list[Record](), 0
    for (offset,) in struct.iter_unpack(">H", content[pointers : pointers + 2 * cells]):
        if offset < pointers + 2 * cells:
            damaged += 1
            continue
        try:
            if is_interior:
                children.append(_uint32(content, offset))
            if kind != TABLE_INTERIOR:
                records.append(_record(pages, content, offset + (4 if is_interior else 0), kind))
        except (_DamagedRecord, IndexError):
            damaged += 1
    if is_interior:
        children.append(_uint32(content, start + 8))
    return Page(number, kind, tuple(children), tuple(records), damaged)


def _record(pages: Pages, page: bytes, offset: int, kind: int) -> Record:
    length, offset = _varint(page, offset)
    rowid = None
    if kind == TABLE_LEAF:
        number, offset = _varint(page, offset)
        rowid = number - (1 << 64) if number >> 63 else number
    return Record(rowid, tuple(_values(_payload(pages, page, offset, length, is_table=kind == TABLE_LEAF))))


def _payload(pages: Pages, page: bytes, offset: int, length: int, *, is_table: bool) -> bytes:
    """Return the content of a cell, whose end may be on overflow pages."""
    usable = pages.usable
    limit = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
    if length <= limit:
        return _slice(page, offset, length)
    if length > pages.size * pages.count:
        raise _DamagedRecord
    least = (usable - 12) * 32 // 255 - 23
    local = least + (length - least) % (usable - 4)
    local = local if local <= limit else least
    parts, remaining = [_slice(page, offset, local)], length - local
    following = _uint32(page, offset + local)
    while remaining > 0:
        overflow = pages.page(following)
        if overflow is None:
            raise _DamagedRecord
        parts.append(overflow[4 : 4 + min(remaining, usable - 4)])
        remaining -= usable - 4
        following = _uint32(overflow, 0)
    return b"".join(parts)


def _values(payload: bytes) -> Iterator[Value]:
    header_length, position = _varint(payload, 0)
    if header_length > len(payload):
        raise _DamagedRecord
    offset = header_length
    while position < header_length:
        serial, position = _varint(payload, position)
        if serial in (0, 8, 9):
            yield None if serial == 0 else serial - 8
        elif serial in _INTEGER_BYTES:
            size = _INTEGER_BYTES[serial]
            yield int.from_bytes(_slice(payload, offset, size), "big", signed=True)
            offset += size
        elif serial == 7:
            yield float(struct.unpack(">d", _slice(payload, offset, 8))[0])
            offset += 8
        elif serial >= 12:
            size = (serial - 12) // 2
            content = _slice(payload, offset, size)
            offset += size
            yield _text(content) if serial % 2 else content
        else:
            raise _DamagedRecord
    if position != header_length or offset != len(payload):
        raise _DamagedRecord


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise _DamagedRecord from exc


def _varint(content: bytes, offset: int) -> tuple[int, int]:
    """Return a number of variable length, and the offset after it."""
    value = 0
    for position in range(offset, offset + 8):
        byte = content[position]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + 1
    return value << 8 | content[offset + 8], offset + 9


def _uint32(content: bytes, offset: int) -> int:
    return int.from_bytes(_slice(content, offset, 4), "big")


def _slice(content: bytes, offset: int, length: int) -> bytes:
    part = content[offset : offset + length]
    if len(part) != length:
        raise _DamagedRecord
    return part
