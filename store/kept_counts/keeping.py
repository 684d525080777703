"""Load the counts and columns of blocks, compute those of blocks that have changed, and keep them.

Triggers raise the version of a block with every change (`store.catalog.block_triggers`). Counts are stored with the
version that they were counted for, in the same view of the catalogue, so that outdated ones are never used. Index runs
store them, and readers that had to count much. Nothing waits for that, and losing counts costs only time.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Select, and_, delete, insert, select

from core.errors import LibraryBusy, LibraryUnusable
from store.catalog.id_sets import among
from store.catalog.tables import ContentBlock, KeptCounts
from store.catalog.transactions import writing
from store.kept_counts.block_columns import COLUMNS_KIND, BlockColumns, read_columns
from store.kept_counts.block_counts import KIND, BlockCounts
from store.library import Library

__all__ = ["block_versions", "count_everything", "keep_counts", "load_columns", "wrong_counts"]

MIN_STORED = 8
"""Blocks that a reader must have counted to store their counts. Storing changes the database, after which servers
compute again what they have cached. Each process remembers what it has counted anyway."""

BATCH_BLOCKS = 64
"""Blocks that are read with one statement, or stored at once. The columns of each take about 200 kB."""

_KINDS = {KIND: BlockCounts.from_bytes, COLUMNS_KIND: BlockColumns.from_bytes}

_Read = TypeVar("_Read")


@dataclass
class _Memory:
    """What this process has counted in a library."""

    blocks: dict[int, tuple[int, dict[str, bytes]]] = field(default_factory=dict)
    """The version of a block, and what is stored of it, by kind."""
    total: tuple[dict[int, int], BlockCounts] | None = None
    """The versions of all blocks, and the counts of everything."""


_memories: WeakKeyDictionary[Library, _Memory] = WeakKeyDictionary()


def block_versions(connection: Connection) -> dict[int, int]:
    """Return the version of each block by its number, ascending."""
    rows = connection.execute(select(ContentBlock.number, ContentBlock.version).order_by(ContentBlock.number))
    return {row.number: row.version for row in rows}


def count_everything(library: Library) -> BlockCounts:
    """Return the counts of all contents with a present file. They are shared: do not change them."""
    memory = _memories.setdefault(library, _Memory())
    with library.read() as connection:
        versions = block_versions(connection)
        known = memory.total
        if known is not None and known[0] == versions:
            return known[1]
        total = BlockCounts()
        for _, counts in _load(library, connection, versions, KIND, BlockCounts.from_bytes):
            total.add(counts)
    memory.total = versions, total
    return total


def load_columns(
    library: Library, connection: Connection, versions: Mapping[int, int]
) -> Iterator[tuple[int, BlockColumns]]:
    """Yield the numbers and columns of blocks. `versions` are those in the view of the catalogue of `connection`."""
    return _load(library, connection, versions, COLUMNS_KIND, BlockColumns.from_bytes)


def _load(
    library: Library,
    connection: Connection,
    versions: Mapping[int, int],
    kind: str,
    from_bytes: Callable[[bytes], _Read],
) -> Iterator[tuple[int, _Read]]:
    """Yield what is kept of blocks, and compute it where it is outdated. If that was much, it is stored afterwards."""
    memory, new = _memories.setdefault(library, _Memory()), dict[int, tuple[int, dict[str, bytes]]]()
    every = list(versions.items())
    for start in range(0, len(every), BATCH_BLOCKS):
        some = every[start : start + BATCH_BLOCKS]
        stored = _stored(connection, [number for number, _ in some], kind)
        for number, version in some:
            known = memory.blocks.get(number)
            data = known[1].get(kind) if known is not None and known[0] == version else stored.get(number)
            found = _read(data, from_bytes)
            if found is None:
                new[number] = memory.blocks[number] = version, _computed(connection, number)
                found = from_bytes(new[number][1][kind])
            yield number, found
        if len(new) >= MIN_STORED and _keep(library, new):
            for number in new:
                memory.blocks.pop(number, None)
            new.clear()


def keep_counts(library: Library) -> None:
    """Count the blocks that have changed, and store their counts for other processes."""
    with library.read() as connection:
        changed = sorted({number for kind in _KINDS for number in _outdated(connection, kind)})
    new = dict[int, tuple[int, dict[str, bytes]]]()
    for number in changed:
        with library.read() as connection:  # short views, so that the write-ahead log can be checkpointed
            version = connection.scalar(select(ContentBlock.version).where(ContentBlock.number == number))
            if version is not None:
                new[number] = version, _computed(connection, number)
        if len(new) == BATCH_BLOCKS or number == changed[-1]:
            _keep(library, new)
            new.clear()


def wrong_counts(connection: Connection) -> list[int]:
    """Return the blocks whose kept counts are not what is in the catalogue; for `verify`."""
    return sorted({number for kind in _KINDS for number in _wrong(connection, kind)})


def _stored(connection: Connection, numbers: Sequence[int], kind: str) -> dict[int, bytes]:
    """Return what is stored of those of the blocks that have not changed since."""
    chosen = among(ContentBlock.number.expression, numbers)
    rows = connection.execute(_kept(kind).where(chosen, KeptCounts.counts.is_not(None)))
    return {row.number: row.counts for row in rows}


def _outdated(connection: Connection, kind: str) -> Sequence[int]:
    statement = _kept(kind).where(KeptCounts.counts.is_(None)).with_only_columns(ContentBlock.number)
    return connection.execute(statement).scalars().all()


def _wrong(connection: Connection, kind: str) -> Iterator[int]:
    for number, stored in connection.execute(_kept(kind).where(KeptCounts.counts.is_not(None))):
        computed = _computed(connection, number)[kind]
        # Counts of an earlier version of the code can be the same in another order.
        if stored not in (None, computed) and _read(stored, _KINDS[kind]) != _read(computed, _KINDS[kind]):
            yield number


def _kept(kind: str) -> Select[int, bytes | None]:
    """A statement for the number of each block and what is kept of it; None if that must be computed."""
    is_current = and_(
        KeptCounts.number == ContentBlock.number, KeptCounts.kind == kind, KeptCounts.version == ContentBlock.version
    )
    return (
        select(ContentBlock.number, KeptCounts.counts).outerjoin(KeptCounts, is_current).order_by(ContentBlock.number)
    )


def _computed(connection: Connection, number: int) -> dict[str, bytes]:
    """Compute everything that is kept of a block."""
    columns = read_columns(connection, number)
    return {KIND: columns.count().to_bytes(), COLUMNS_KIND: columns.to_bytes()}


def _read(stored: bytes | None, from_bytes: Callable[[bytes], _Read]) -> _Read | None:
    """Return what is stored; None if it is nothing, or damaged."""
    try:
        return None if stored is None else from_bytes(stored)
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error):
        return None


def _keep(library: Library, counted: Mapping[int, tuple[int, Mapping[str, bytes]]]) -> bool:
    """Store counts, unless another process is writing or the catalogue cannot be written; return whether they are.

    They are only a cache. No connection may be free for it: the caller reads with one of its own.
    """
    if not counted or library.read_only is not None:
        return False
    rows = [
        {"number": number, "kind": kind, "version": version, "counts": counts}
        for number, (version, kept) in counted.items()
        for kind, counts in kept.items()
    ]
    is_kept = False
    with (
        suppress(LibraryBusy, LibraryUnusable),
        library.connect() as connection,
        library.backend.impatient(connection),
        writing(connection),
    ):
        connection.execute(delete(KeptCounts).where(among(KeptCounts.number.expression, list(counted))))
        connection.execute(insert(KeptCounts), rows)
        is_kept = True
    return is_kept
