"""Compare a scan of a folder with the catalogue, and write what changed.

The scanned files go into a temporary table, so neither a million files nor a million pictures are held in memory; the
comparison is a set of queries. An index run calls `record`, `exclude`, `availability.require`, `update_unread` and
`counts`, then `write` for each batch of `pending_files`, and finally `mark_missing`. Each call is one or more
transactions: if the process is killed between any two, the catalogue is consistent and the next run continues from
there.

The run holds the lock of its root, so that no other run writes the same pictures, and the writer lock only within each
transaction. In between, others may change the library: merge the root into another one, change the model, move a
picture to another root, remove a content. Each transaction therefore begins with a check of root and model, which
raises `ScanOutdated`, and `write` looks up the rows of its files again.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from store.catalog.bulk_insert import count_rows, load_rows
from store.catalog.tables import Content, Embedding, Failure, Picture, PictureState
from store.catalog.transactions import reading, writing, writing_temporary
from store.ingest.availability import Availability
from store.ingest.batch_writer import BatchWriter, FileOutcome, PendingFile
from store.ingest.current_outcomes import current_outcomes
from store.ingest.embedded_digests import EmbeddedDigests
from store.ingest.metadata import mark_sidecar_contents
from store.ingest.scan_comparison import ReconcileSettings, ScanComparison
from store.ingest.scanned_files import (
    COMPANIONS,
    EXCLUDED,
    RELEASED,
    SEEN,
    TEMPORARY,
    ScannedFile,
    companion_paths,
    outermost_paths,
    path_ranges,
)
from store.library import Library, Writer, mark_changed
from store.roots import RootLocation, locate
from store.spaces.registry import StoredSpace, model_space_in

__all__ = ["ScanCounts", "ScanOutdated", "ScanReconciler", "open_reconciler"]


class ScanOutdated(Exception):
    """The root was merged into another one, or the model was changed, since the scan. Scan the folder again."""


@dataclass(frozen=True)
class ScanCounts:
    """The scanned files by status, before any of them is read."""

    seen: int
    unchanged: int
    """Same size and times as when the content was embedded."""
    failed: int
    """Unchanged since a failure that another try cannot fix, of the file or of its vector."""

    @property
    def pending(self) -> int:
        """The number of files that must be read."""
        return self.seen - self.unchanged - self.failed


@contextmanager
def open_reconciler(
    library: Library,
    location: RootLocation,
    stored: StoredSpace,
    settings: ReconcileSettings | None = None,
    lock: Callable[[], AbstractContextManager[Writer]] | None = None,
) -> Iterator["ScanReconciler"]:
    """Yield the reconciler for a scan of `location` and one embedding space, and hold the lock of its root.

    `lock` takes the writer lock, by default `library.exclusive`.
    """
    with library.connect() as connection:
        with writing_temporary(connection):
            TEMPORARY.create_all(connection, checkfirst=False)
        try:
            yield ScanReconciler(
                connection, location, stored, settings or ReconcileSettings(), lock or library.exclusive
            )
        finally:
            if not connection.invalidated:
                with writing_temporary(connection):
                    TEMPORARY.drop_all(connection, checkfirst=False)


class ScanReconciler:
    """Compares one scan with the catalogue; created by `open_reconciler`.

    The scanned files are in temporary tables, which only its `connection` can read. `availability` tells whether a disk
    seems to be away, once they are recorded.
    """

    def __init__(
        self,
        connection: Connection,
        location: RootLocation,
        stored: StoredSpace,
        settings: ReconcileSettings,
        lock: Callable[[], AbstractContextManager[Writer]],
    ) -> None:
        self.connection = connection
        self._excluded: set[bytes] = set()
        self._lock = lock
        self._location = location
        self._stored = stored
        self._settings = settings
        self._compared = ScanComparison(location, stored, settings)
        self.availability = Availability(connection, location, self._compared)

    def record(self, files: Iterable[ScannedFile]) -> int:
        """Record all files that the scan found; return their number."""
        remaining = iter(files)
        seen = 0
        # The scan walks the disk between chunks; no transaction stays open while it does.
        while chunk := list(islice(remaining, self._settings.chunk_size)):
            companions = [
                {"relpath": path, "still": file.relpath}
                for file in chunk
                if file.companions
                for path in companion_paths(file)
            ]
            with writing_temporary(self.connection) as connection:
                load_rows(connection, SEEN, chunk)
                if companions:
                    connection.execute(insert(COMPANIONS), companions)
            seen += len(chunk)
        with writing_temporary(self.connection) as connection:
            count_rows(connection, SEEN, COMPANIONS)
        return seen

    def exclude(self, paths: Iterable[bytes]) -> None:
        """Exclude paths (relative to the root) that were not looked at: pictures at or below them are not missing."""
        new = set(paths) - self._excluded
        if not new:
            return
        self._excluded |= new
        ranges = [
            {"first": first, "beyond": beyond}
            for path in outermost_paths(self._excluded)
            for first, beyond in path_ranges(path)
        ]
        with writing_temporary(self.connection) as connection:
            connection.execute(delete(EXCLUDED))
            connection.execute(insert(EXCLUDED), ranges)

    def update_unread(self) -> int:
        """Write what the scan alone tells, without reading a file; return how many pictures were restored.

        These are pictures whose file is back and unchanged, or no longer a companion. The times, companions and inode
        numbers of unchanged files are recorded, which earlier versions did not do.
        """
        restored = self._restore()
        outdated = or_(
            and_(Picture.ctime_ns.is_(None), SEEN.c.ctime_ns.is_not(None)),
            and_(Picture.inode.is_(None), SEEN.c.inode.is_not(None)),
            Picture.companions.is_distinct_from(SEEN.c.companions),
        )
        is_outdated = and_(Picture.root_id == self._location.root_id, self._compared.same_file(), outdated)
        columns = {column: SEEN.c[column] for column in ("ctime_ns", "inode", "companions")}
        with self.changing() as connection:
            connection.execute(update(Picture).where(is_outdated).values(columns))
        return restored

    def _restore(self) -> int:
        if self._settings.full:
            return 0
        returned = (
            select(Picture.id)
            .join(SEEN, self._compared.same_file())
            .join(Embedding, self._compared.has_vector())
            .where(
                Picture.root_id == self._location.root_id,
                Picture.state.in_([PictureState.MISSING, PictureState.PAIRED]),
            )
        )
        with self.changing() as connection:
            mark_sidecar_contents(connection, returned)
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
            if self._settings.only_failed:
                seen = self._count(connection, or_(Embedding.content_id.is_not(None), self._compared.failed_before()))
                return ScanCounts(seen, seen - self._count(connection, self._compared.failed_before()), failed=0)
            unchanged = 0 if self._settings.full else self._count(connection, self._compared.is_embedded())
            failed = 0 if self._settings.full else self._count(connection, self._compared.has_failed())
        return ScanCounts(seen=seen, unchanged=unchanged, failed=failed)

    def pending_files(
        self, *, only_released: bool = False, embedded: EmbeddedDigests | None = None
    ) -> Iterator[PendingFile]:
        """Yield the files that must be read, sorted by path. `write` may be called between two of them.

        With `only_released`, these are the companions that `CompanionPairing.release` added last. `embedded` gets the
        digests of contents that the files may have.
        """
        after: bytes | None = None
        while page := self._pending_page(after, only_released, embedded):
            yield from page
            after = page[-1].relpath

    def write(self, outcomes: Sequence[FileOutcome]) -> Counter[str]:
        """Write the pictures, contents and vectors of a batch in one transaction; return the counts by outcome.

        `postponed` counts files that must be read again: while they were read, another process removed the content that
        the catalogue had for them. They are still pending.
        """
        with self.changing() as connection:
            batch_writer = BatchWriter(connection, self._location, self._stored, self._compared.vanished())
            current = current_outcomes(connection, self._location, self._stored, outcomes)
            counts = batch_writer.write(current)
            if len(current) < len(outcomes):
                counts["postponed"] = len(outcomes) - len(current)
            if batch_writer.changed:
                mark_changed(connection)
        return counts

    def mark_missing(self) -> int:
        """Mark pictures as missing that the scan did not find; return how many."""
        vanished = select(Picture.id).where(self._compared.vanished(), Picture.state != PictureState.MISSING)
        with self.changing() as connection:
            connection.execute(delete(Failure).where(Failure.picture_id.in_(vanished)))
            mark_sidecar_contents(connection, vanished)
            missing = connection.execute(
                update(Picture).where(Picture.id.in_(vanished)).values(state=PictureState.MISSING)
            ).rowcount
            if missing:
                mark_changed(connection)
        return missing

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Yield the connection within a write transaction, while no other process writes. Raises `ScanOutdated`."""
        with self._lock(), writing(self.connection) as connection:
            if locate(connection, self._path()) != self._location or model_space_in(connection) != self._stored:
                raise ScanOutdated
            yield connection

    def _path(self) -> Path:
        return self._location.root / os.fsdecode(self._location.beneath)

    def _pending_page(
        self, after: bytes | None, only_released: bool, embedded: EmbeddedDigests | None
    ) -> list[PendingFile]:
        is_done = false() if self._settings.full else or_(self._compared.is_embedded(), self._compared.has_failed())
        # For a file without a row every comparison is NULL, and the file is pending.
        conditions = [func.coalesce(is_done, false()) == false()]
        if self._settings.only_failed and not only_released:
            conditions = [self._compared.failed_before()]
        if after is not None:
            conditions.append(SEEN.c.relpath > after)
        if only_released:
            conditions.append(SEEN.c.relpath.in_(select(RELEASED.c.relpath)))
        size_is_known = select(Content.id).where(Content.size == SEEN.c.size).exists().label("size_is_known")
        statement = (
            select(SEEN, Picture.id, Picture.content_id, Picture.state, size_is_known)
            .select_from(self._compared.joined())
            .where(*conditions)
            .order_by(SEEN.c.relpath)
            .limit(self._settings.page_size)
        )
        with reading(self.connection) as connection:
            rows = connection.execute(statement).all()
            if embedded is not None:
                embedded.add_page(connection, [row.size for row in rows if row.size_is_known])
        return [
            PendingFile(
                row.relpath,
                row.id,
                row.content_id,
                row.state,
                size_is_known=bool(row.size_is_known),
                ctime_ns=row.ctime_ns,
                inode=row.inode,
                companions=row.companions,
            )
            for row in rows
        ]

    def _count(self, connection: Connection, condition: ColumnElement[bool]) -> int:
        return connection.scalar(select(func.count()).select_from(self._compared.joined()).where(condition)) or 0
