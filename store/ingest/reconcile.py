"""A census of one place: what a scan saw, held against what the catalogue knows.

The scan's findings go into a temporary table, so that neither a million files nor a million pictures are ever held in
memory, and what changed is a question to the database. A run goes: `record` all that was seen, `guard`, `restore`,
`standing`, `pending` in pages while `commit` settles batch after batch, and at the end `mark_missing`. Each of these is
one transaction or several; a process killed between any two leaves a catalogue that is whole, and the next census goes
on from there.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from core.errors import RootUnavailable
from store.catalog.engine import reading, writing
from store.catalog.tables import Content, Embedding, Failure, Picture, State, VectorFailure
from store.ingest.batch_writer import Outcome, Settler, Work
from store.ingest.scanned_files import SEEN, SPARED, TEMPORARY, Sighting, path_ranges
from store.library import Library, bump
from store.roots import Place, within
from store.spaces.registry import StoredSpace

__all__ = ["Census", "Sighting", "Standing", "open_census"]

PAGE = 500
"""Files asked for at a time: short reads, so that the write-ahead log can be folded back while a long run goes on."""

CHUNK = 5_000
"""Rows recorded in one statement."""

ENOUGH_TO_JUDGE = 20
"""A root of fewer pictures is only guarded against being empty."""

LEAST_SHARE = 0.1
"""Of the pictures known to be present, the share that must be seen for a root to count as mounted."""


@dataclass(frozen=True)
class Standing:
    """How the files that were seen stand before any of them is read."""

    seen: int
    unchanged: int
    """Same size and time as when their content was embedded."""
    failed: int
    """Failed before in a way that another try cannot mend, be it that the model has no vector of it, and unchanged."""

    @property
    def pending(self) -> int:
        """Files that must be read."""
        return self.seen - self.unchanged - self.failed


@contextmanager
def open_census(
    library: Library, place: Place, stored: StoredSpace, *, full: bool = False, hopeless: Collection[str] = ()
) -> Iterator["Census"]:
    """The census of `place` for one space; the caller holds the library's writer lock.

    `full` reads every file again, whatever its size and time say. Failures for one of the reasons `hopeless` are not
    tried again either, although they may pass one day.
    """
    with library.connect() as connection:
        with writing(connection):
            TEMPORARY.create_all(connection, checkfirst=False)
        try:
            yield Census(connection, place, stored, full=full, hopeless=hopeless)
        finally:
            if not connection.invalidated:
                with writing(connection):
                    TEMPORARY.drop_all(connection, checkfirst=False)


class Census:
    """A census under way; made by `open_census`. What the scan saw is in temporary tables of its `connection`."""

    def __init__(
        self, connection: Connection, place: Place, stored: StoredSpace, *, full: bool, hopeless: Collection[str]
    ) -> None:
        self.connection = connection
        self._connection = connection
        self._place = place
        self._stored = stored
        self._full = full
        self._hopeless = hopeless

    def record(self, sightings: Iterable[Sighting]) -> int:
        """Takes in everything a scan saw; returns how many files that is."""
        waiting = iter(sightings)
        seen = 0
        # One chunk at a time: the scan walks a disk, and no transaction stays open meanwhile.
        while chunk := [sighting._asdict() for sighting in islice(waiting, CHUNK)]:
            with writing(self._connection) as connection:
                connection.execute(insert(SEEN), chunk)
            seen += len(chunk)
        return seen

    def standing(self) -> Standing:
        """How the files that were seen stand now."""
        with reading(self._connection) as connection:
            seen = connection.scalar(select(func.count()).select_from(SEEN)) or 0
            unchanged = 0 if self._full else self._count(connection, self._embedded())
            failed = 0 if self._full else self._count(connection, self._given_up())
        return Standing(seen=seen, unchanged=unchanged, failed=failed)

    def spare(self, folders: Iterable[bytes]) -> None:
        """Paths (relative to the root) that could not be looked at: what is at or beneath them is not missing."""
        ranges = [(first, beyond) for folder in folders for first, beyond in path_ranges(folder)]
        if ranges:
            with writing(self._connection) as connection:
                connection.execute(insert(SPARED), [{"first": first, "beyond": beyond} for first, beyond in ranges])

    def guard(self, seen: int) -> None:
        """Raises `RootUnavailable` when the place was well filled and is now empty, or nearly so."""
        statement = select(func.count(Picture.id)).where(*within(self._place), Picture.state == State.PRESENT)
        with reading(self._connection) as connection:
            known = connection.scalar(statement) or 0
        nearly_empty = known >= ENOUGH_TO_JUDGE and seen < known * LEAST_SHARE
        if (known and not seen) or nearly_empty:
            raise RootUnavailable(self._path(), known, seen)

    def restore(self) -> int:
        """Makes missing pictures present again whose file is back, unchanged; returns how many. Nothing is read."""
        if self._full:
            return 0
        back = (
            select(Picture.id)
            .join(SEEN, self._same_file())
            .join(Embedding, self._has_vector())
            .where(Picture.root_id == self._place.root_id, Picture.state == State.MISSING)
        )
        with writing(self._connection) as connection:
            restored = connection.execute(
                update(Picture).where(Picture.id.in_(back)).values(state=State.PRESENT)
            ).rowcount
            if restored:
                bump(connection)
        return restored

    def pending(self) -> Iterator[Work]:
        """The files that must be read, by path. Safe to interleave with `commit`."""
        after: bytes | None = None
        while page := self._page(after):
            yield from page
            after = page[-1].relpath

    def _page(self, after: bytes | None) -> list[Work]:
        settled = false() if self._full else or_(self._embedded(), self._given_up())
        # A file without a row makes every comparison NULL; it is pending, not unknown.
        conditions = [func.coalesce(settled, false()) == false()]
        if after is not None:
            conditions.append(SEEN.c.relpath > after)
        familiar = select(Content.id).where(Content.size == SEEN.c.size)
        statement = (
            select(SEEN.c.relpath, Picture.id, Picture.content_id, Picture.state, familiar.exists().label("familiar"))
            .select_from(self._joined())
            .where(*conditions)
            .order_by(SEEN.c.relpath)
            .limit(PAGE)
        )
        with reading(self._connection) as connection:
            rows = connection.execute(statement).all()
        return [Work(row.relpath, row.id, row.content_id, row.state, bool(row.familiar)) for row in rows]

    def commit(self, outcomes: Sequence[Outcome]) -> Counter[str]:
        """Settles a batch in one transaction: picture, content and vector of each. Counts what became of them."""
        with writing(self._connection) as connection:
            settler = Settler(connection, self._place, self._stored, self._vanished())
            counts = settler.settle(outcomes)
            if settler.touched:
                bump(connection)
        return counts

    def mark_missing(self) -> int:
        """Marks as missing what the place held and the scan did not see; returns how many that were."""
        gone = select(Picture.id).where(self._vanished(), Picture.state != State.MISSING)
        with writing(self._connection) as connection:
            connection.execute(delete(Failure).where(Failure.picture_id.in_(gone)))
            missing = connection.execute(
                update(Picture).where(Picture.id.in_(gone)).values(state=State.MISSING)
            ).rowcount
            if missing:
                bump(connection)
        return missing

    def _path(self) -> Path:
        return self._place.root / os.fsdecode(self._place.beneath)

    def _count(self, connection: Connection, condition: ColumnElement[bool]) -> int:
        return connection.scalar(select(func.count()).select_from(self._joined()).where(condition)) or 0

    def _joined(self) -> FromClause:
        """What was seen, with the picture, its vector and its failure, where there are any."""
        same_path = and_(Picture.root_id == self._place.root_id, Picture.relpath == SEEN.c.relpath)
        return (
            SEEN.outerjoin(Picture, same_path)
            .outerjoin(Embedding, self._has_vector())
            .outerjoin(Failure, Failure.picture_id == Picture.id)
            .outerjoin(VectorFailure, self._has_no_vector())
        )

    def _same_file(self) -> ColumnElement[bool]:
        """The file at the picture's path has the size and time it had when it was last read."""
        return and_(Picture.relpath == SEEN.c.relpath, Picture.size == SEEN.c.size, Picture.mtime_ns == SEEN.c.mtime_ns)

    def _has_vector(self) -> ColumnElement[bool]:
        return and_(Embedding.space_id == self._stored.id, Embedding.content_id == Picture.content_id)

    def _has_no_vector(self) -> ColumnElement[bool]:
        return and_(VectorFailure.space_id == self._stored.id, VectorFailure.content_id == Picture.content_id)

    def _embedded(self) -> ColumnElement[bool]:
        return and_(self._same_file(), Picture.state == State.PRESENT, Embedding.content_id.is_not(None))

    def _given_up(self) -> ColumnElement[bool]:
        for_good = or_(Failure.transient == false(), Failure.reason.in_(self._hopeless))
        no_picture = and_(Picture.state == State.FAILED, for_good)
        no_vector = and_(Picture.state == State.PRESENT, VectorFailure.content_id.is_not(None))
        return and_(self._same_file(), or_(no_picture, no_vector))

    def _vanished(self) -> ColumnElement[bool]:
        """Pictures of the place that the scan did not see, except where it could not look."""
        first, beyond = SPARED.c.first, SPARED.c.beyond
        spared = select(first).where(Picture.relpath >= first, or_(beyond.is_(None), Picture.relpath < beyond))
        unseen = Picture.relpath.not_in(select(SEEN.c.relpath))
        return and_(*within(self._place), unseen, ~spared.exists())
