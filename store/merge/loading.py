"""Read batches of another library into memory, with all that its catalogue has about them.

Each batch is read as a whole before any of it is written: the owner of the other library may change it at any time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, FromClause, func, select

from core.errors import LibraryBusy
from store.catalog.frame_ids import content_of, frame_id, number_of
from store.catalog.id_sets import Ids, batch_slices
from store.catalog.tables import (
    Base,
    Content,
    ContentPlace,
    ContentTag,
    Failure,
    FrameEmbedding,
    FrameRow,
    PerceptualHashRow,
    PersonRow,
    Picture,
    PictureTag,
    PlaceName,
    PlaceRow,
    Sidecar,
    Tag,
    TextFrame,
    TextLineRow,
    TextReadingRow,
    VectorFailure,
    WrittenSidecar,
)
from store.library import Library
from store.spaces.embeddings import iter_vectors
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import unread_contents

__all__ = ["ContentBatch", "PictureBatch", "Row", "SpaceVectors", "content_batches", "count_contents", "unread_batches"]

BATCH_SIZE = 500
"""Contents, or pictures without one, that are read and written at a time."""

UNIT_TOLERANCE = 2e-3
"""Allowed deviation of the length of a vector from one, as in `store.check`."""

PAUSES = (0.1, 0.5, 2.0)
"""Seconds after which a batch is read again that the owner of the other library changed in between."""

Row: TypeAlias = Mapping[str, Any]
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class PictureBatch:
    """Pictures, and the rows that belong to them."""

    pictures: Sequence[Row]
    failures: Sequence[Row]
    sidecars: Sequence[Row]
    written: Sequence[Row]
    """What was added to XMP files."""
    tags: Sequence[Row]
    """`picture_id` and `name`."""


@dataclass(frozen=True)
class SpaceVectors:
    """Vectors of a space: frame IDs (n,) with (n, D) vectors, and the contents that have none for a reason."""

    frames: Ids
    vectors: NDArray[np.floating]
    unread: frozenset[int]
    """Contents that may have frames without a vector."""
    faults: Mapping[int, str]


@dataclass(frozen=True)
class ContentBatch:
    """Contents by ascending ID, and what belongs to them. All IDs are those of the other library."""

    contents: Sequence[Row]
    rows: Mapping[type[Base], Sequence[Row]]
    """Rows of the tables that name a content."""
    tags: Sequence[Row]
    """`content_id`, `name`, `source` and `probability`."""
    lines: Sequence[Row]
    """Lines of text."""
    places: Sequence[Row]
    place_names: Sequence[Row]
    pictures: PictureBatch
    vectors: Mapping[int, SpaceVectors]
    """By the ID of the space in the other library."""


OF_CONTENTS: tuple[type[Base], ...] = (
    FrameRow,
    PerceptualHashRow,
    PersonRow,
    ContentPlace,
    TextReadingRow,
    TextFrame,
)


def count_contents(library: Library) -> int:
    """Return the number of contents of a library."""
    with library.read() as connection:
        return connection.scalar(select(func.count()).select_from(Content)) or 0


def content_batches(other: Library, spaces: Sequence[StoredSpace]) -> Iterator[ContentBatch]:
    """Yield all contents of the other library by ascending ID, with the vectors of these spaces."""

    def read(connection: Connection) -> ContentBatch | None:
        contents = _rows(connection, select(Content.__table__).where(Content.id > after).order_by(Content.id))
        return _content_batch(connection, contents, spaces) if contents else None

    after = 0
    while (batch := _read_patiently(other, read)) is not None:
        after = batch.contents[-1]["id"]
        yield batch


def unread_batches(other: Library) -> Iterator[PictureBatch]:
    """Yield the pictures without a content by ascending ID, such as those that could not be read."""

    def read(connection: Connection) -> PictureBatch:
        statement = select(Picture.__table__).where(Picture.content_id.is_(None), Picture.id > after)
        return _picture_batch(connection, _rows(connection, statement.order_by(Picture.id)))

    after = 0
    while (batch := _read_patiently(other, read)).pictures:
        after = batch.pictures[-1]["id"]
        yield batch


def _read_patiently(library: Library, read: Callable[[Connection], Batch]) -> Batch:
    """Return what `read` returns. It reads again if the owner of the library changed it in between.

    Raises `LibraryBusy` if that happens again and again.
    """
    for pause in PAUSES:
        try:
            with library.read() as connection:
                return read(connection)
        except LibraryBusy:
            sleep(pause)
    with library.read() as connection:
        return read(connection)


def _content_batch(connection: Connection, contents: Sequence[Row], spaces: Sequence[StoredSpace]) -> ContentBatch:
    ids = [row["id"] for row in contents]
    rows = {table: _of(connection, table, "content_id", ids) for table in OF_CONTENTS}
    places = [row["place_id"] for row in rows[ContentPlace] if row["place_id"] is not None]
    tags = select(ContentTag.content_id, Tag.name, ContentTag.source, ContentTag.probability).join(
        Tag, Tag.id == ContentTag.tag_id
    )
    pictures = select(Picture.__table__).where(Picture.content_id.in_(ids)).order_by(Picture.id)
    return ContentBatch(
        contents=contents,
        rows=rows,
        tags=_all(connection, tags.where(ContentTag.content_id.in_(ids))),
        lines=_of(connection, TextLineRow, "frame_id", [row["id"] for row in rows[TextFrame]]),
        places=_of(connection, PlaceRow, "id", places),
        place_names=_of(connection, PlaceName, "place_id", places),
        pictures=_picture_batch(connection, _all(connection, pictures)),
        vectors={stored.id: _vectors(connection, stored, ids) for stored in spaces},
    )


def _picture_batch(connection: Connection, pictures: Sequence[Row]) -> PictureBatch:
    ids = [row["id"] for row in pictures]
    tags = select(PictureTag.picture_id, Tag.name).join(Tag, Tag.id == PictureTag.tag_id)
    return PictureBatch(
        pictures,
        _of(connection, Failure, "picture_id", ids),
        _of(connection, Sidecar, "picture_id", ids),
        _of(connection, WrittenSidecar, "picture_id", ids),
        [
            row
            for batch in batch_slices(len(ids))
            for row in _all(connection, tags.where(PictureTag.picture_id.in_(ids[batch])))
        ],
    )


def _vectors(connection: Connection, stored: StoredSpace, ids: Sequence[int]) -> SpaceVectors:
    contents = np.array(ids, np.int64)
    further = select(FrameEmbedding.content_id, FrameEmbedding.number).where(
        FrameEmbedding.space_id == stored.id, FrameEmbedding.content_id.in_(ids)
    )
    frames = [frame_id(*row) for row in connection.execute(further)]
    wanted = np.sort(np.concatenate([contents, np.array(frames, np.int64)]))
    parts = [(found, vectors) for found, vectors in iter_vectors(connection, stored, wanted) if len(found)]
    found = np.concatenate([each for each, _ in parts]) if parts else np.empty(0, np.int64)
    vectors = np.concatenate([each for _, each in parts]) if parts else np.empty((0, stored.space.dim), stored.storage)
    lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
    damaged = content_of(found[np.abs(lengths - 1) > UNIT_TOLERANCE])
    first = found[number_of(found) == 0]
    # A content is taken only with sound vectors of all its frames. The next index run embeds the others.
    kept = np.isin(content_of(found), first) & ~np.isin(content_of(found), damaged)
    failed = select(VectorFailure.content_id, VectorFailure.detail).where(
        VectorFailure.space_id == stored.id, VectorFailure.content_id.in_(ids)
    )
    faults = {row.content_id: row.detail for row in connection.execute(failed)}
    unread = frozenset(unread_contents(connection, stored, contents).tolist())
    return SpaceVectors(found[kept], vectors[kept], unread, faults)


def _of(connection: Connection, table: type[Base], column: str, ids: Sequence[int]) -> list[Row]:
    """Return the rows of a table whose `column` is one of `ids`."""
    described: FromClause = table.__table__
    found: list[Row] = []
    for batch in batch_slices(len(ids)):
        found += _all(connection, select(described).where(described.c[column].in_(ids[batch])))
    return found


def _rows(connection: Connection, statement: Any) -> list[Row]:
    return _all(connection, statement.limit(BATCH_SIZE))


def _all(connection: Connection, statement: Any) -> list[Row]:
    return [dict(row._mapping) for row in connection.execute(statement)]
