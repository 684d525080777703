"""Write the outcomes of reading files to the catalogue, a batch per transaction."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Executable, and_, delete, insert, select, update

from core.frames import Frame
from core.metadata import ImageInfo
from core.pixels_version import PIXELS_VERSION
from store.catalog.bulk_insert import insert_rows, insert_with_ids
from store.catalog.id_sets import among
from store.catalog.path_keys import path_columns
from store.catalog.tables import Content, Failure, Picture, PictureState, Root
from store.colors import record_colors_in
from store.frames import EmbeddedFrames, add_frames
from store.ingest.metadata import (
    content_columns,
    mark_renamed_contents,
    mark_sidecar_contents,
    write_keywords_and_people,
)
from store.ingest.replaced_contents import Replacement, record_replaced, without_files
from store.near_duplicates.hashes import PerceptualHash, record_hashes_in
from store.roots import RootLocation, within
from store.spaces.embeddings import record_vector_failures
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import unread_contents

__all__ = ["Accepted", "BatchWriter", "FileOutcome", "PendingFile", "Rejected"]


@dataclass(frozen=True)
class PendingFile:
    """A file that must be read, and its row in the catalogue, if it has one."""

    relpath: bytes
    picture_id: int | None = None
    content_id: int | None = None
    state: str | None = None
    size_is_known: bool = True
    """The catalogue has a content of the same size, so the digest is worth looking up before decoding."""
    ctime_ns: int | None = None
    inode: int | None = None
    """As the scan found them. If the file has changed since then, the next run reads it again."""
    companions: bytes | None = None


@dataclass(frozen=True)
class FileOutcome:
    """The outcome of reading a file. `size` and `mtime_ns` belong to exactly the bytes that were read."""

    file: PendingFile
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Accepted(FileOutcome):
    """A picture. `info`, `vectors` (F, D) and `perceptual_hash` are None if the catalogue has them for this `digest`.

    A still picture has one vector and no `frames`; any other file has a vector for each of its `frames`. `fault`
    describes an invalid vector from the model; none of the file is then stored.
    """

    digest: bytes
    info: ImageInfo | None = None
    frames: tuple[Frame, ...] = ()
    vectors: NDArray[np.float32] | None = None
    fault: str | None = None
    perceptual_hash: PerceptualHash | None = None
    color: int | None = None
    """The average colour as 0xRRGGBB."""


@dataclass(frozen=True)
class Rejected(FileOutcome):
    """A file that is not a readable picture, for now (`transient`) or until the file changes."""

    reason: str
    detail: str
    transient: bool


class BatchWriter:
    """Writes outcomes to the catalogue within one transaction.

    `vanished` is the condition for pictures at `location` whose file no longer exists. A content that reappears under
    another path is then recorded as a move, not as a copy. `changed` is set if a search could return other results.
    """

    def __init__(
        self, connection: Connection, location: RootLocation, stored: StoredSpace, vanished: ColumnElement[bool]
    ) -> None:
        self._connection = connection
        self._location = location
        self._stored = stored
        self._vanished = vanished
        self._now = datetime.now(UTC).replace(tzinfo=None)
        self.changed = False

    def write(self, outcomes: Sequence[FileOutcome]) -> Counter[str]:
        """Write a batch and return the counts for the summary of the run."""
        counts = Counter[str]()
        self._write_accepted([outcome for outcome in outcomes if isinstance(outcome, Accepted)], counts)
        for rejected in (outcome for outcome in outcomes if isinstance(outcome, Rejected)):
            self._write_rejected(rejected)
            counts["failed"] += 1
        return counts

    def _write_accepted(self, batch: Sequence[Accepted], counts: Counter[str]) -> None:
        content_ids, known = self._ensure_contents(batch)
        # What belongs to a content is looked up only if the content was there before: the database may be on a server.
        new_contents = set(content_ids.values()) - {content_ids[item.digest] for item in known}
        hashes = {content_ids[item.digest]: item.perceptual_hash for item in batch if item.perceptual_hash}
        record_hashes_in(self._connection, hashes, new_contents)
        self._update_known(known, content_ids)
        counts["embedded"] += self._write_vectors(batch, content_ids, new_contents)
        replaced = self._find_replaced(batch, content_ids)
        self._write_pictures(batch, content_ids, new_contents, counts)
        record_replaced(self._connection, self._location, replaced)

    def _write_pictures(
        self,
        batch: Sequence[Accepted],
        content_ids: Mapping[bytes, int],
        new_contents: Collection[int],
        counts: Counter[str],
    ) -> None:
        """Write the rows of the files. A file at a new path takes the row of one with its content that has vanished."""
        of_new_files = {content_ids[item.digest] for item in batch if item.file.picture_id is None}
        with_pictures, vanished = self._find_pictures(of_new_files.difference(new_contents))
        rows: list[dict[str, object]] = []
        moved = set[int]()
        for item in batch:
            content_id = content_ids[item.digest]
            row = {**self._file_columns(item), "content_id": content_id, "state": PictureState.PRESENT}
            if item.file.picture_id is not None:
                change = self._update_picture(item, row)
            elif vanished.get(content_id):
                picture_id = vanished[content_id].pop(0)
                self._mark_sidecars(picture_id)
                self._rewrite(picture_id, row)
                self.changed, change = True, "moved"
                moved.add(content_id)
            else:
                counts["duplicates"] += content_id in with_pictures and item.fault is None
                change = "new"
                with_pictures.add(content_id)
                rows.append(row)
            counts["failed" if item.fault else change] += 1
        if rows:
            insert_rows(self._connection, Picture, rows)
            self.changed = True
        if moved:
            mark_renamed_contents(self._connection, moved)

    def _find_replaced(self, batch: Sequence[Accepted], content_ids: Mapping[bytes, int]) -> list[Replacement]:
        """Return the contents that the batch replaces. Only a content that has no file yet takes the place of one."""
        replaced = [
            (item.file.content_id, content_ids[item.digest])
            for item in batch
            if item.file.content_id is not None and item.file.content_id != content_ids[item.digest]
        ]
        new = without_files(self._connection, {content_id for _, content_id in replaced})
        return [Replacement(old, content_id if content_id in new else None) for old, content_id in replaced]

    def _ensure_contents(self, batch: Sequence[Accepted]) -> tuple[dict[bytes, int], list[Accepted]]:
        """Insert the contents that the catalogue does not have.

        Returns the ID of each content by digest, and those of the batch whose content was there before.
        """
        by_digest: dict[bytes, Accepted] = {}
        for item in batch:
            by_digest.setdefault(item.digest, item)  # the first copy: its name may have a date
        existing = select(Content.digest, Content.id).where(Content.digest.in_(list(by_digest)))
        ids = {row.digest: row.id for row in self._connection.execute(existing)}
        known = [item for item in batch if item.digest in ids]
        missing = [item for digest, item in by_digest.items() if digest not in ids]
        infos = {item.digest: item.info for item in missing if item.info is not None}
        if len(infos) < len(missing):
            raise LookupError("A content without image information must be in the catalogue.")
        rows = [_content_row(item, infos[item.digest]) for item in missing]
        if rows:
            ids |= insert_with_ids(self._connection, Content, "digest", rows)
            metadata = {ids[digest]: info.metadata for digest, info in infos.items()}
            named = {content_id: each for content_id, each in metadata.items() if each.keywords or each.people}
            if named:
                write_keywords_and_people(self._connection, named)
        return ids, known

    def _update_known(self, known: Sequence[Accepted], content_ids: Mapping[bytes, int]) -> None:
        """Update the colours of contents, and the formats and sizes of those whose preview an older version read."""
        if not known:
            return
        colors = {content_ids[item.digest]: item.color for item in known if item.color is not None}
        record_colors_in(self._connection, colors)
        infos = {content_ids[item.digest]: item.info for item in known if item.info is not None}
        for content_id in unread_contents(self._connection, self._stored, np.array(list(infos), np.int64)).tolist():
            info = infos[content_id]
            size = {"format": info.format, "width": info.width, "height": info.height}
            self._connection.execute(update(Content).where(Content.id == content_id).values(size))

    def _write_vectors(
        self, batch: Sequence[Accepted], content_ids: Mapping[bytes, int], new_contents: Collection[int]
    ) -> int:
        """Write frames, vectors and vector failures; return the number of new vectors, counting copies once."""
        embedded = {
            content_ids[item.digest]: EmbeddedFrames(item.frames, item.vectors)
            for item in batch
            if item.vectors is not None
        }
        added = add_frames(self._connection, self._stored, embedded, new_contents)
        faults = {content_ids[item.digest]: item.fault for item in batch if item.fault is not None}
        record_vector_failures(self._connection, self._stored, faults)
        self.changed = self.changed or bool(added)
        return added

    def _find_pictures(self, content_ids: set[int]) -> tuple[set[int], dict[int, list[int]]]:
        """Return the contents that have pictures, and by content the IDs of pictures whose file has vanished.

        For pictures at the scanned location, the scan decides: a file that is back but changed is pending itself. For
        all others the file system is asked, see `_has_vanished`.
        """
        with_pictures = set[int]()
        vanished: dict[int, list[int]] = {content_id: [] for content_id in content_ids}
        if not content_ids:
            return with_pictures, vanished
        for row in self._connection.execute(self._select_pictures(content_ids)):
            with_pictures.add(row.content_id)
            if row.vanished if row.scanned else _has_vanished(row.path, row.relpath, PictureState(row.state)):
                vanished[row.content_id].append(row.id)
        return with_pictures, vanished

    def _select_pictures(self, content_ids: set[int]) -> Executable:
        return (
            select(
                Picture.id,
                Picture.content_id,
                Picture.relpath,
                Picture.state,
                Root.path,
                and_(*within(self._location)).label("scanned"),
                self._vanished.label("vanished"),
            )
            .join(Root, Root.id == Picture.root_id)
            .where(among(Picture.content_id, list(content_ids)))
            .order_by(Picture.id)
        )

    def _update_picture(self, item: Accepted, row: Mapping[str, object]) -> str:
        """Update the row of a known path; return whether it is unchanged, restored or changed."""
        same_content = row["content_id"] == item.file.content_id
        unchanged = same_content and item.file.state == PictureState.PRESENT
        if item.file.state != PictureState.PRESENT:
            self._mark_sidecars(item.file.picture_id)
        self._rewrite(item.file.picture_id, row)
        if unchanged:
            return "unchanged"
        self.changed = True
        return "restored" if same_content else "changed"

    def _rewrite(self, picture_id: int | None, row: Mapping[str, object]) -> None:
        """Replace the row of a picture and delete its failure."""
        self._connection.execute(update(Picture).where(Picture.id == picture_id).values(row))
        self._connection.execute(delete(Failure).where(Failure.picture_id == picture_id))

    def _mark_sidecars(self, picture_id: int | None) -> None:
        """Have the metadata merged again that includes the sidecars of a picture which fails, or fails no more."""
        mark_sidecar_contents(self._connection, select(Picture.id).where(Picture.id == picture_id))

    def _file_columns(self, outcome: FileOutcome) -> dict[str, object]:
        return {
            "root_id": self._location.root_id,
            "relpath": outcome.file.relpath,
            **path_columns(outcome.file.relpath),
            "size": outcome.size,
            "mtime_ns": outcome.mtime_ns,
            "ctime_ns": outcome.file.ctime_ns,
            "inode": outcome.file.inode,
            "companions": outcome.file.companions,
        }

    def _write_rejected(self, rejected: Rejected) -> None:
        picture_id = rejected.file.picture_id
        tries = 1
        if picture_id is None:
            row = {**self._file_columns(rejected), "content_id": None, "state": PictureState.FAILED}
            picture_id = self._connection.execute(insert(Picture).values(row).returning(Picture.id)).scalar_one()
        else:
            tries += self._connection.scalar(select(Failure.tries).where(Failure.picture_id == picture_id)) or 0
            self._mark_failed(rejected, picture_id)
        self._connection.execute(delete(Failure).where(Failure.picture_id == picture_id))
        self._connection.execute(
            insert(Failure).values(
                picture_id=picture_id,
                reason=rejected.reason,
                detail=rejected.detail,
                transient=rejected.transient,
                tries=tries,
                last_try_at=self._now,
            )
        )

    def _mark_failed(self, rejected: Rejected, picture_id: int) -> None:
        """Mark a known picture as failed. On a transient failure it keeps its content, to avoid embedding it again."""
        values: dict[str, object] = {"state": PictureState.FAILED}
        if not rejected.transient:
            values |= {**self._file_columns(rejected), "content_id": None}
            if rejected.file.content_id is not None:
                record_replaced(self._connection, self._location, [Replacement(rejected.file.content_id, None)])
        if rejected.file.state == PictureState.PRESENT:
            self._mark_sidecars(picture_id)
        self._connection.execute(update(Picture).where(Picture.id == picture_id).values(values))
        self.changed = True


def _content_row(item: Accepted, info: ImageInfo) -> dict[str, object]:
    size = {"format": info.format, "width": info.width, "height": info.height, "pixels_version": PIXELS_VERSION}
    return {"digest": item.digest, "size": item.size, "color": item.color, **size, **content_columns(info.metadata)}


def _has_vanished(root: bytes, relpath: bytes, state: PictureState) -> bool:
    """Return whether a file no longer exists, other than on a disk that does not seem to be mounted.

    A root that exists but is empty looks like an unmounted disk; its files do not count as vanished.
    """
    try:
        os.lstat(root + b"/" + relpath)
    except (FileNotFoundError, NotADirectoryError):
        return state == PictureState.MISSING or not _is_empty(root)
    except OSError:  # no permission, or a dead mount: the file may still exist
        return False
    return False


def _is_empty(folder: bytes) -> bool:
    try:
        with os.scandir(folder) as listing:
            return next(listing, None) is None
    except OSError:
        return False
