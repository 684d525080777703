"""Compare a scan of a folder with the catalogue, and write what changed.

The scanned files go into a temporary table, so neither a million files nor a million pictures are held in memory; the
comparison is a set of queries. An index run calls `record`, `exclude`, `require_available`, `restore` and `counts`,
then `write` for each batch of `pending_files`, and finally `mark_missing`. Each call is one or more transactions: if
the process is killed between any two, the catalogue is consistent and the next run continues from there.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, FromClause, and_, delete, false, func, insert, or_, select, update

from core.errors import RootUnavailable
from store.catalog.engine import reading, writing
from store.catalog.tables import Content, Embedding, Failure, Picture, PictureState, VectorFailure
from store.ingest.batch_writer import BatchWriter, FileOutcome, PendingFile
from store.ingest.scanned_files import EXCLUDED, SEEN, TEMPORARY, ScannedFile, path_ranges
from store.library import Writer, mark_changed
from store.roots import RootLocation, within
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import has_unread_frames

__all__ = ["ReconcileSettings", "ScanCounts", "ScanReconciler", "open_reconciler"]

PENDING_PAGE_SIZE = 500
"""Files read from the catalogue at a time. Reads are short, so the write-ahead log can be checkpointed during a run."""

RECORD_CHUNK_SIZE = 5_000
"""Rows per statement when scanned files are recorded."""

MIN_PICTURES_TO_JUDGE = 20
"""A folder with fewer pictures counts as unavailable only if it is empty."""

MIN_FOUND_SHARE = 0.1
"""Share of the present pictures that a scan must find for the folder to count as mounted."""


@dataclass(frozen=True)
class ReconcileSettings:
    """How to compare a scan with the catalogue.

    `full` reads every file again, regardless of its size and modification time. Failures for one of the
    `permanent_reasons` are not tried again, even if they are transient.
    """

    full: bool = False
    permanent_reasons: Collection[str] = ()
    page_size: int = PENDING_PAGE_SIZE
    chunk_size: int = RECORD_CHUNK_SIZE


@dataclass(frozen=True)
class ScanCounts:
    """The scanned files by status, before any of them is read."""

    seen: int
    unchanged: int
    """Same size and modification time as when the content was embedded."""
    failed: int
    """Unchanged since a failure that another try cannot fix, of the file or of its vector."""

    @property
    def pending(self) -> int:
        """The number of files that must be read."""
        return self.seen - self.unchanged - self.failed


@contextmanager
def open_reconciler(
    writer: Writer, location: RootLocation, stored: StoredSpace, settings: ReconcileSettings | None = None
) -> Iterator["ScanReconciler"]:
    """Yield the reconciler for a scan of `location` and one embedding space."""
    with writer.connect() as connection:
        with writing(connection):
            TEMPORARY.create_all(connection, checkfirst=False)
        try:
            yield ScanReconciler(connection, location, stored, settings or ReconcileSettings())
        finally:
            if not connection.invalidated:
                with writing(connection):
                    TEMPORARY.drop_all(connection, checkfirst=False)


class ScanReconciler:
    """Compares one scan with the catalogue; created by `open_reconciler`.

    The scanned files are in temporary tables, which only its `connection` can read.
    """

    def __init__(
        self, connection: Connection, location: RootLocation, stored: StoredSpace, settings: ReconcileSettings
    ) -> None:
        self.connection = connection
        self._location = location
        self._stored = stored
        self._settings = settings

    def record(self, files: Iterable[ScannedFile]) -> int:
        """Record all files that the scan found; return their number."""
        remaining = iter(files)
        seen = 0
        # The scan walks the disk between chunks; no transaction stays open while it does.
        while chunk := [file._asdict() for file in islice(remaining, self._settings.chunk_size)]:
            with writing(self.connection) as connection:
                connection.execute(insert(SEEN), chunk)
            seen += len(chunk)
        return seen

    def exclude(self, paths: Iterable[bytes]) -> None:
        """Exclude paths (relative to the root) that could not be read: pictures at or below them are not missing."""
        ranges = [{"first": first, "beyond": beyond} for path in paths for first, beyond in path_ranges(path)]
        if ranges:
            with writing(self.connection) as connection:
                connection.execute(insert(EXCLUDED), ranges)

    def require_available(self, seen: int) -> None:
        """Raise `RootUnavailable` if the folder had pictures and the scan found none, or very few."""
        statement = select(func.count(Picture.id)).where(*within(self._location), Picture.state == PictureState.PRESENT)
        with reading(self.connection) as connection:
            present = connection.scalar(statement) or 0
        nearly_empty = present >= MIN_PICTURES_TO_JUDGE and seen < present * MIN_FOUND_SHARE
        if (present and not seen) or nearly_empty:
            raise RootUnavailable(self._path(), present, seen)

    def restore(self) -> int:
        """Mark missing pictures as present if their file is back and unchanged, without reading it; return how many."""
        if self._settings.full:
            return 0
        returned = (
            select(Picture.id)
            .join(SEEN, self._same_file())
            .join(Embedding, self._has_vector())
            .where(Picture.root_id == self._location.root_id, Picture.state == PictureState.MISSING)
        )
        with writing(self.connection) as connection:
            restored = connection.execute(
                update(Picture).where(Picture.id.in_(returned)).values(state=PictureState.PRESENT)
            ).rowcount
            if restored:
                mark_changed(connection)
        return restored

    def counts(self) -> ScanCounts:
        """Count the scanned files by status."""
        with reading(self.connection) as connection:
            seen = connection.scalar(select(func.count()).select_from(SEEN)) or 0
            unchanged = 0 if self._settings.full else self._count(connection, self._is_embedded())
            failed = 0 if self._settings.full else self._count(connection, self._has_failed())
        return ScanCounts(seen=seen, unchanged=unchanged, failed=failed)

    def pending_files(self) -> Iterator[PendingFile]:
        """Yield the files that must be read, sorted by path. `write` may be called between two of them."""
        after: bytes | None = None
        while page := self._pending_page(after):
            yield from page
            after = page[-1].relpath

    def write(self, outcomes: Sequence[FileOutcome]) -> Counter[str]:
        """Write the pictures, contents and vectors of a batch in one transaction; return the counts by outcome."""
        with writing(self.connection) as connection:
            batch_writer = BatchWriter(connection, self._location, self._stored, self._vanished())
            counts = batch_writer.write(outcomes)
            if batch_writer.changed:
                mark_changed(connection)
        return counts

    def mark_missing(self) -> int:
        """Mark pictures as missing that the scan did not find; return how many."""
        vanished = select(Picture.id).where(self._vanished(), Picture.state != PictureState.MISSING)
        with writing(self.connection) as connection:
            connection.execute(delete(Failure).where(Failure.picture_id.in_(vanished)))
            missing = connection.execute(
                update(Picture).where(Picture.id.in_(vanished)).values(state=PictureState.MISSING)
            ).rowcount
            if missing:
                mark_changed(connection)
        return missing

    def _path(self) -> Path:
        return self._location.root / os.fsdecode(self._location.beneath)

    def _pending_page(self, after: bytes | None) -> list[PendingFile]:
        is_done = false() if self._settings.full else or_(self._is_embedded(), self._has_failed())
        # For a file without a row every comparison is NULL, and the file is pending.
        conditions = [func.coalesce(is_done, false()) == false()]
        if after is not None:
            conditions.append(SEEN.c.relpath > after)
        size_is_known = select(Content.id).where(Content.size == SEEN.c.size).exists().label("size_is_known")
        statement = (
            select(SEEN.c.relpath, Picture.id, Picture.content_id, Picture.state, size_is_known)
            .select_from(self._joined())
            .where(*conditions)
            .order_by(SEEN.c.relpath)
            .limit(self._settings.page_size)
        )
        with reading(self.connection) as connection:
            rows = connection.execute(statement).all()
        return [PendingFile(row.relpath, row.id, row.content_id, row.state, bool(row.size_is_known)) for row in rows]

    def _count(self, connection: Connection, condition: ColumnElement[bool]) -> int:
        return connection.scalar(select(func.count()).select_from(self._joined()).where(condition)) or 0

    def _joined(self) -> FromClause:
        """The scanned files, each with its picture, vector and failures, if any."""
        same_path = and_(Picture.root_id == self._location.root_id, Picture.relpath == SEEN.c.relpath)
        return (
            SEEN.outerjoin(Picture, same_path)
            .outerjoin(Embedding, self._has_vector())
            .outerjoin(Failure, Failure.picture_id == Picture.id)
            .outerjoin(VectorFailure, self._has_vector_failure())
        )

    def _same_file(self) -> ColumnElement[bool]:
        """The file at the path of the picture has the same size and modification time as when it was last read."""
        return and_(Picture.relpath == SEEN.c.relpath, Picture.size == SEEN.c.size, Picture.mtime_ns == SEEN.c.mtime_ns)

    def _has_vector(self) -> ColumnElement[bool]:
        return and_(Embedding.space_id == self._stored.id, Embedding.content_id == Picture.content_id)

    def _has_vector_failure(self) -> ColumnElement[bool]:
        return and_(VectorFailure.space_id == self._stored.id, VectorFailure.content_id == Picture.content_id)

    def _is_embedded(self) -> ColumnElement[bool]:
        has_vectors = and_(Embedding.content_id.is_not(None), ~has_unread_frames(self._stored, Picture.content_id))
        return and_(self._same_file(), Picture.state == PictureState.PRESENT, has_vectors)

    def _has_failed(self) -> ColumnElement[bool]:
        """The file is unchanged since it failed in a way that another try cannot fix."""
        is_permanent = or_(Failure.transient == false(), Failure.reason.in_(self._settings.permanent_reasons))
        unreadable = and_(Picture.state == PictureState.FAILED, is_permanent)
        no_vector = and_(Picture.state == PictureState.PRESENT, VectorFailure.content_id.is_not(None))
        return and_(self._same_file(), or_(unreadable, no_vector))

    def _vanished(self) -> ColumnElement[bool]:
        """Pictures at the location that the scan did not find, except at excluded paths."""
        first, beyond = EXCLUDED.c.first, EXCLUDED.c.beyond
        excluded = select(first).where(Picture.relpath >= first, or_(beyond.is_(None), Picture.relpath < beyond))
        unseen = Picture.relpath.not_in(select(SEEN.c.relpath))
        return and_(*within(self._location), unseen, ~excluded.exists())
