"""Compare a scan of a folder with the catalogue, and write what changed.

The scanned files go into a temporary table, so neither a million files nor a million pictures are held in memory; the
comparison is a set of queries. An index run calls `record`, `exclude`, `require_available`, `update_unread` and
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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
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
    true,
    update,
)

from core.errors import PictureTooLarge, RootUnavailable
from store.catalog.bulk_insert import count_rows, load_rows
from store.catalog.tables import Content, Embedding, Failure, Picture, PictureState, VectorFailure
from store.catalog.transactions import reading, writing, writing_temporary
from store.ingest.batch_writer import BatchWriter, FileOutcome, PendingFile
from store.ingest.current_outcomes import current_outcomes
from store.ingest.embedded_digests import EmbeddedDigests
from store.ingest.metadata import mark_sidecar_contents
from store.ingest.scanned_files import (
    COMPANIONS,
    EXCLUDED,
    RELEASED,
    SEEN,
    TEMPORARY,
    ScannedFile,
    companion_paths,
    is_excluded,
    outermost_paths,
    path_ranges,
)
from store.library import Library, Writer, mark_changed
from store.roots import RootLocation, locate, within
from store.spaces.registry import StoredSpace, model_space_in
from store.spaces.unread_frames import has_unread_frames

__all__ = ["ReconcileSettings", "ScanCounts", "ScanOutdated", "ScanReconciler", "open_reconciler"]

PENDING_PAGE_SIZE = 500
"""Files read from the catalogue at a time. Reads are short, so the write-ahead log can be checkpointed during a run."""

RECORD_CHUNK_SIZE = 5_000
"""Rows per statement when scanned files are recorded."""

MIN_PICTURES_TO_JUDGE = 20
"""A folder with fewer pictures counts as unavailable only if it is empty."""

MIN_FOUND_SHARE = 0.1
"""Share of the present pictures that a scan must find for the folder to count as mounted."""


class ScanOutdated(Exception):
    """The root was merged into another one, or the model was changed, since the scan. Scan the folder again."""


@dataclass(frozen=True)
class ReconcileSettings:
    """How to compare a scan with the catalogue.

    `full` reads every file again, regardless of its size and modification time. `only_failed` reads only the files that
    could not be read or embedded before. Failures for one of the `permanent_reasons` are not tried again, even if they
    are transient.
    """

    full: bool = False
    only_failed: bool = False
    permanent_reasons: Collection[str] = ()
    pixel_limit: str = ""
    """How the detail of a failure names the limit of pixels. Pictures that failed at another limit are tried again."""
    page_size: int = PENDING_PAGE_SIZE
    chunk_size: int = RECORD_CHUNK_SIZE


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

    The scanned files are in temporary tables, which only its `connection` can read.
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

    def require_available_root(self) -> None:
        """Raise `RootUnavailable` if hardly any picture of the root is left without those that the scan did not find.

        This is `require_available` for a scan of some folders only.
        """
        present = [Picture.root_id == self._location.root_id, Picture.state == PictureState.PRESENT]
        with reading(self.connection) as connection:
            vanished = connection.scalar(select(func.count(Picture.id)).where(*present, self._vanished())) or 0
            if not vanished:
                return
            known = connection.scalar(select(func.count(Picture.id)).where(*present)) or 0
            new = connection.scalar(select(func.count()).select_from(self._joined()).where(Picture.id.is_(None))) or 0
        left = known - vanished + new
        if not left or (known >= MIN_PICTURES_TO_JUDGE and left < known * MIN_FOUND_SHARE):
            raise RootUnavailable(self._location.root, known, left)

    def count_known(self, folder: bytes) -> int:
        """Count the present pictures below a folder, relative to the root, according to the catalogue."""
        with reading(self.connection) as connection:
            return connection.scalar(select(func.count(Picture.id)).where(*self._present_below(folder))) or 0

    def is_suddenly_empty(self, folder: bytes) -> bool:
        """Return whether the folder had pictures, and the scan found none of them, or very few."""
        found = select(SEEN.c.relpath)
        with reading(self.connection) as connection:
            here = self._present_below(folder)
            known = connection.scalar(select(func.count(Picture.id)).where(*here)) or 0
            left = connection.scalar(select(func.count(Picture.id)).where(*here, Picture.relpath.in_(found))) or 0
        return bool(known and not left) or (known >= MIN_PICTURES_TO_JUDGE and left < known * MIN_FOUND_SHARE)

    def emptied(self, folders: Iterable[bytes]) -> list[bytes]:
        """Return those of the empty `folders` that had many pictures, which are neither deleted nor moved for sure."""
        return [folder for folder in folders if self.count_known(folder) >= MIN_PICTURES_TO_JUDGE]

    def _present_below(self, folder: bytes) -> list[ColumnElement[bool]]:
        below = within(RootLocation(self._location.root_id, self._location.root, folder))
        return [*within(self._location), *below, Picture.state == PictureState.PRESENT]

    def require_available(self, seen: int) -> None:
        """Raise `RootUnavailable` if the folder had pictures and the scan found none, or very few."""
        statement = select(func.count(Picture.id)).where(*within(self._location), Picture.state == PictureState.PRESENT)
        with reading(self.connection) as connection:
            present = connection.scalar(statement) or 0
        nearly_empty = present >= MIN_PICTURES_TO_JUDGE and seen < present * MIN_FOUND_SHARE
        if (present and not seen) or nearly_empty:
            raise RootUnavailable(self._path(), present, seen)

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
        is_outdated = and_(Picture.root_id == self._location.root_id, self._same_file(), outdated)
        columns = {column: SEEN.c[column] for column in ("ctime_ns", "inode", "companions")}
        with self.changing() as connection:
            connection.execute(update(Picture).where(is_outdated).values(columns))
        return restored

    def _restore(self) -> int:
        if self._settings.full:
            return 0
        returned = (
            select(Picture.id)
            .join(SEEN, self._same_file())
            .join(Embedding, self._has_vector())
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
                seen = self._count(connection, or_(Embedding.content_id.is_not(None), self._failed_before()))
                return ScanCounts(seen, seen - self._count(connection, self._failed_before()), failed=0)
            unchanged = 0 if self._settings.full else self._count(connection, self._is_embedded())
            failed = 0 if self._settings.full else self._count(connection, self._has_failed())
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
            batch_writer = BatchWriter(connection, self._location, self._stored, self._vanished())
            current = current_outcomes(connection, self._location, self._stored, outcomes)
            counts = batch_writer.write(current)
            if len(current) < len(outcomes):
                counts["postponed"] = len(outcomes) - len(current)
            if batch_writer.changed:
                mark_changed(connection)
        return counts

    def mark_missing(self) -> int:
        """Mark pictures as missing that the scan did not find; return how many."""
        vanished = select(Picture.id).where(self._vanished(), Picture.state != PictureState.MISSING)
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
        is_done = false() if self._settings.full else or_(self._is_embedded(), self._has_failed())
        # For a file without a row every comparison is NULL, and the file is pending.
        conditions = [func.coalesce(is_done, false()) == false()]
        if self._settings.only_failed and not only_released:
            conditions = [self._failed_before()]
        if after is not None:
            conditions.append(SEEN.c.relpath > after)
        if only_released:
            conditions.append(SEEN.c.relpath.in_(select(RELEASED.c.relpath)))
        size_is_known = select(Content.id).where(Content.size == SEEN.c.size).exists().label("size_is_known")
        statement = (
            select(SEEN, Picture.id, Picture.content_id, Picture.state, size_is_known)
            .select_from(self._joined())
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
        """The file at the path of the picture has the same size and times as when it was last read.

        Programs can keep size and modification time when they replace a file; its change time or inode number then
        differ. Neither of these is compared where one side is unknown.
        """
        pairs = ((Picture.ctime_ns, SEEN.c.ctime_ns), (Picture.inode, SEEN.c.inode))
        return and_(
            Picture.relpath == SEEN.c.relpath,
            Picture.size == SEEN.c.size,
            Picture.mtime_ns == SEEN.c.mtime_ns,
            *(func.coalesce(stored == seen, true()) for stored, seen in pairs),
        )

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
        limit = self._settings.pixel_limit
        had_other_limit = and_(
            Failure.reason == PictureTooLarge.reason,
            Failure.detail.contains(PictureTooLarge.in_total),
            ~Failure.detail.contains(limit),
        )
        if limit:
            is_permanent = and_(is_permanent, ~had_other_limit)
        unreadable = and_(Picture.state == PictureState.FAILED, is_permanent)
        return and_(self._same_file(), or_(unreadable, self._was_not_embedded()))

    def _failed_before(self) -> ColumnElement[bool]:
        """The file could not be read, or not be embedded, when it was last tried."""
        return or_(Picture.state == PictureState.FAILED, self._was_not_embedded())

    def _was_not_embedded(self) -> ColumnElement[bool]:
        """The model returned no usable vector for the picture."""
        return and_(Picture.state == PictureState.PRESENT, VectorFailure.content_id.is_not(None))

    def _vanished(self) -> ColumnElement[bool]:
        """Pictures at the location that the scan did not find, except at excluded paths."""
        unseen = Picture.relpath.not_in(select(SEEN.c.relpath))
        unpaired = Picture.relpath.not_in(select(COMPANIONS.c.relpath))
        return and_(*within(self._location), unseen, unpaired, ~is_excluded(Picture.relpath))
