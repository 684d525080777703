"""How a scanned file compares with what the catalogue has for its path, as conditions of SQL statements."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_, false, func, or_, select, true

from core.errors import PictureTooLarge
from store.catalog.tables import Embedding, Failure, Picture, PictureState, VectorFailure
from store.ingest.scanned_files import COMPANIONS, SEEN, is_excluded
from store.roots import RootLocation, within
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import has_unread_frames

__all__ = ["ReconcileSettings", "ScanComparison"]

PENDING_PAGE_SIZE = 500
"""Files read from the catalogue at a time. Reads are short, so the write-ahead log can be checkpointed during a run."""

RECORD_CHUNK_SIZE = 5_000
"""Rows per statement when scanned files are recorded."""


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


class ScanComparison:
    """The conditions for the scan of one location and one embedding space.

    They compare `SEEN`, the table of the scanned files, with the pictures of the catalogue.
    """

    def __init__(self, location: RootLocation, stored: StoredSpace, settings: ReconcileSettings) -> None:
        self._location = location
        self._stored = stored
        self._settings = settings

    def joined(self) -> FromClause:
        """The scanned files, each with its picture, vector and failures, if any."""
        same_path = and_(Picture.root_id == self._location.root_id, Picture.relpath == SEEN.c.relpath)
        return (
            SEEN.outerjoin(Picture, same_path)
            .outerjoin(Embedding, self.has_vector())
            .outerjoin(Failure, Failure.picture_id == Picture.id)
            .outerjoin(VectorFailure, self._has_vector_failure())
        )

    def same_file(self) -> ColumnElement[bool]:
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

    def has_vector(self) -> ColumnElement[bool]:
        """The content of the picture has a vector in the space."""
        return and_(Embedding.space_id == self._stored.id, Embedding.content_id == Picture.content_id)

    def _has_vector_failure(self) -> ColumnElement[bool]:
        return and_(VectorFailure.space_id == self._stored.id, VectorFailure.content_id == Picture.content_id)

    def is_embedded(self) -> ColumnElement[bool]:
        """The file is unchanged since it was read, and its content has all vectors."""
        has_vectors = and_(Embedding.content_id.is_not(None), ~has_unread_frames(self._stored, Picture.content_id))
        return and_(self.same_file(), Picture.state == PictureState.PRESENT, has_vectors)

    def has_failed(self) -> ColumnElement[bool]:
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
        return and_(self.same_file(), or_(unreadable, self._was_not_embedded()))

    def failed_before(self) -> ColumnElement[bool]:
        """The file could not be read, or not be embedded, when it was last tried."""
        return or_(Picture.state == PictureState.FAILED, self._was_not_embedded())

    def _was_not_embedded(self) -> ColumnElement[bool]:
        """The model returned no usable vector for the picture."""
        return and_(Picture.state == PictureState.PRESENT, VectorFailure.content_id.is_not(None))

    def vanished(self) -> ColumnElement[bool]:
        """Pictures at the location that the scan did not find, except at excluded paths."""
        unseen = Picture.relpath.not_in(select(SEEN.c.relpath))
        unpaired = Picture.relpath.not_in(select(COMPANIONS.c.relpath))
        return and_(*within(self._location), unseen, unpaired, ~is_excluded(Picture.relpath))
