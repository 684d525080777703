"""Load the counts of all blocks, count those that have changed, and keep their counts.

Triggers raise the version of a block with every change (`store.catalog.block_triggers`). Counts are stored with the
version that they were counted for, in the same view of the catalogue, so that outdated ones are never used. Index runs
store them, and readers that had to count much. Nothing waits for that, and losing counts costs only time.
"""

import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Select, and_, delete, insert, select

from core.errors import LibraryUnusable
from store.catalog.id_sets import among
from store.catalog.tables import ContentBlock, KeptCounts
from store.catalog.transactions import writing
from store.kept_counts.block_counts import KIND, BlockCounts, count_block
from store.library import Library

__all__ = ["count_everything", "keep_counts", "wrong_counts"]

MIN_STORED = 8
"""Blocks that a reader must have counted to store their counts. Storing changes the database, after which servers
compute again what they have cached. Each process remembers what it has counted anyway."""

_VERSIONS = select(ContentBlock.number, ContentBlock.version)


@dataclass
class _Memory:
    """What this process has counted in a library."""

    blocks: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    """The version of a block, and its counts."""
    total: tuple[dict[int, int], BlockCounts] | None = None
    """The versions of all blocks, and the counts of everything."""


_memories: WeakKeyDictionary[Library, _Memory] = WeakKeyDictionary()


def count_everything(library: Library) -> BlockCounts:
    """Return the counts of all contents with a present file. They are shared: do not change them."""
    memory = _memories.setdefault(library, _Memory())
    with library.read() as connection:
        versions = {row.number: row.version for row in connection.execute(_VERSIONS)}
        known = memory.total
        if known is not None and known[0] == versions:
            return known[1]
        stored = {row.number: row.counts for row in connection.execute(_blocks())}
        total, new = BlockCounts(), dict[int, tuple[int, bytes]]()
        for number, version in versions.items():
            counted = memory.blocks.get(number)
            counts = _read(counted[1] if counted is not None and counted[0] == version else stored[number])
            if counts is None:
                counts = count_block(connection, number)
                new[number] = version, counts.to_bytes()
            total.add(counts)
    memory.blocks.update(new)
    memory.total = versions, total
    if len(new) >= MIN_STORED:
        _keep(library, new)
    return total


def keep_counts(library: Library) -> None:
    """Count the blocks that have changed, and store their counts for other processes."""
    with library.read() as connection:
        changed = [row.number for row in connection.execute(_blocks()).all() if row.counts is None]
    new = dict[int, tuple[int, bytes]]()
    for number in changed:
        with library.read() as connection:  # short views, so that the write-ahead log can be checkpointed
            version = connection.scalar(select(ContentBlock.version).where(ContentBlock.number == number))
            if version is not None:
                new[number] = version, count_block(connection, number).to_bytes()
    _keep(library, new)


def wrong_counts(connection: Connection) -> list[int]:
    """Return the blocks whose kept counts are not what is in the catalogue; for `verify`."""
    return [
        number
        for number, _, stored in connection.execute(_blocks()).all()
        if stored is not None and _read(stored) != count_block(connection, number)
    ]


def _blocks() -> Select[int, int, bytes | None]:
    """A statement for the number, the version and the current counts of each block; None if it must be counted."""
    is_current = and_(
        KeptCounts.number == ContentBlock.number, KeptCounts.kind == KIND, KeptCounts.version == ContentBlock.version
    )
    return (
        select(ContentBlock.number, ContentBlock.version, KeptCounts.counts)
        .outerjoin(KeptCounts, is_current)
        .order_by(ContentBlock.number)
    )


def _read(stored: bytes | None) -> BlockCounts | None:
    """Return stored counts; None if there are none, or if they are damaged."""
    try:
        return None if stored is None else BlockCounts.from_bytes(stored)
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _keep(library: Library, counted: Mapping[int, tuple[int, bytes]]) -> None:
    """Store counts, unless another process is writing or the catalogue cannot be written: they are only a cache."""
    if not counted or library.read_only is not None:
        return
    rows = [
        {"number": number, "kind": KIND, "version": version, "counts": counts}
        for number, (version, counts) in counted.items()
    ]
    with (
        suppress(LibraryUnusable),
        library.connect() as connection,
        library.backend.impatient(connection),
        writing(connection),
    ):
        connection.execute(delete(KeptCounts).where(among(KeptCounts.number.expression, list(counted))))
        connection.execute(insert(KeptCounts), rows)
