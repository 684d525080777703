"""The vectors of frames in one space: reading them, adding them, and recording why a content has none.

Vectors belong to contents, so that files of the same bytes share them. A content has one vector for each of its frames,
and frame IDs name them (`store.catalog.frame_ids`): that of a first frame is the ID of the content.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, Select, delete, func, insert, literal, select

from core.frames import FIRST_FRAME
from store.catalog.bulk_insert import insert_rows
from store.catalog.frame_ids import CONTENT_BITS, content_of, frame_id, has_further_frames, number_of
from store.catalog.id_sets import Ids, among, batch_slices, read_ids
from store.catalog.tables import (
    Content,
    Embedding,
    FrameEmbedding,
    IndexGeneration,
    Picture,
    PictureState,
    Root,
    RootKind,
    VectorFailure,
)
from store.library import Library
from store.roots import collection_path
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import has_unread_frames, mark_read, mark_unread, unread_contents

__all__ = [
    "BAD_VECTOR",
    "StoredVector",
    "add_vectors",
    "delete_differing",
    "delete_vectors",
    "embedded_frames",
    "find_document_vector",
    "find_file_vector",
    "further_frames",
    "is_embedded",
    "iter_vectors",
    "load_vector",
    "load_vectors",
    "record_vector_failures",
    "searchable_among",
    "searchable_ids",
]

BAD_VECTOR = "bad-vector"
"""The reason of every vector failure so far: the model returned a vector that cannot be ranked."""


class StoredVector(NamedTuple):
    """A content and the vector of its first frame in one space."""

    content_id: int
    vector: NDArray[np.float32]
    """(D,), as it is stored."""


def load_vectors(library: Library, stored: StoredSpace, ids: Ids) -> NDArray[np.float32]:
    """Return the vectors of frames `ids` (n,) as (n, D); a frame without a sound vector has a row of NaN."""
    with library.read() as connection:
        return _vectors_in(connection, stored, ids)


def load_vector(library: Library, stored: StoredSpace, frame: int) -> NDArray[np.float32] | None:
    """Return the (D,) vector of a frame in this space, or None if it has none."""
    with library.read() as connection:
        return _vector_in(connection, stored, frame)


def find_file_vector(library: Library, stored: StoredSpace, digest: bytes) -> StoredVector | None:
    """Return the content whose bytes have the SHA-256 `digest`, if it has a vector in this space."""
    with library.read() as connection:
        return _with_vector(connection, stored, connection.scalar(select(Content.id).where(Content.digest == digest)))


def find_document_vector(library: Library, stored: StoredSpace, document: bytes) -> StoredVector | None:
    """Return the content of the document with the id `document` in an imported space, if it has a vector."""
    collection = (
        select(Root.id)
        .where(Root.kind == RootKind.COLLECTION, Root.path == collection_path(stored.space.model))
        .scalar_subquery()
    )
    statement = select(Picture.content_id).where(Picture.root_id == collection, Picture.relpath == document)
    with library.read() as connection:
        return _with_vector(connection, stored, connection.scalar(statement))


def is_embedded(library: Library, stored: StoredSpace, digest: bytes) -> bool:
    """Return whether a content whose bytes have the SHA-256 `digest` has the vectors of all frames in this space."""
    statement = (
        select(Content.id)
        .join(Embedding, (Embedding.content_id == Content.id) & (Embedding.space_id == stored.id))
        .where(Content.digest == digest, ~has_unread_frames(stored, Content.id))
    )
    with library.read() as connection:
        return connection.scalar(statement) is not None


def searchable_ids(connection: Connection, stored: StoredSpace) -> Ids:
    """Return the frames that a search can find, ascending: those with a vector in this space and a present file.

    A content whose first frame has no vector is not found at all: it has not been embedded completely.
    """
    present = read_ids(connection, select(Picture.content_id).where(Picture.state == PictureState.PRESENT))
    return _searchable(embedded_frames(connection, stored), present)


def searchable_among(connection: Connection, stored: StoredSpace, contents: Ids) -> Ids:
    """Return the frames of `contents` (n,) that a search can find, ascending; see `searchable_ids`."""
    found = [np.empty(0, np.int64)]
    for batch in batch_slices(len(contents)):
        wanted = contents[batch].tolist()
        first = select(Embedding.content_id).where(Embedding.space_id == stored.id, among(Embedding.content_id, wanted))
        further = _further_frames(stored).where(among(FrameEmbedding.content_id, wanted))
        has_file = select(Picture.content_id).where(
            Picture.state == PictureState.PRESENT, among(Picture.content_id, wanted)
        )
        embedded = np.concatenate([read_ids(connection, first), read_ids(connection, further)])
        found.append(_searchable(embedded, read_ids(connection, has_file)))
    return np.sort(np.concatenate(found))


def _searchable(embedded: Ids, present: Ids) -> Ids:
    """Return those frames `embedded` (n,) whose content is `present` (m,) and has a first frame."""
    has_further = has_further_frames(embedded)
    searchable = embedded[np.isin(content_of(embedded), present, assume_unique=not has_further)]
    if not has_further:
        return searchable
    first = searchable[number_of(searchable) == FIRST_FRAME]
    return searchable[np.isin(content_of(searchable), first)]


def embedded_frames(connection: Connection, stored: StoredSpace) -> Ids:
    """Return the frames that have a vector in this space, ascending."""
    first = read_ids(connection, select(Embedding.content_id).where(Embedding.space_id == stored.id))
    further = further_frames(connection, stored)
    return np.concatenate([first, further]) if len(further) else first


def further_frames(connection: Connection, stored: StoredSpace) -> Ids:
    """Return the frames after the first that have a vector in this space, ascending."""
    return read_ids(connection, _further_frames(stored))


def _further_frames(stored: StoredSpace) -> Select[tuple[int]]:
    ids = FrameEmbedding.content_id.bitwise_or(
        FrameEmbedding.number.bitwise_lshift(literal(CONTENT_BITS, Integer)).self_group()
    )
    return select(ids).where(FrameEmbedding.space_id == stored.id)


def iter_vectors(connection: Connection, stored: StoredSpace, ids: Ids) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
    """Yield the vectors of the frames `ids` in batches of (n,) IDs and (n, D) vectors; malformed ones are left out."""
    length = stored.space.dim * stored.storage.itemsize
    for batch in batch_slices(len(ids)):
        rows = _stored_rows(connection, stored, ids[batch], length)
        found = np.array([frame for frame, _ in rows], dtype=np.int64)  # (n,)
        blob = b"".join(vector for _, vector in rows)
        vectors = np.frombuffer(blob, dtype=stored.storage).reshape(len(rows), stored.space.dim)  # (n, D)
        is_finite = np.isfinite(vectors).all(axis=1)
        yield (found, vectors) if is_finite.all() else (found[is_finite], vectors[is_finite])


def add_vectors(
    connection: Connection,
    stored: StoredSpace,
    vectors: Mapping[int, NDArray[np.floating]],
    new_contents: Collection[int] = (),
) -> int:
    """Write the (D,) vectors of frames that have none in this space yet; return how many were written.

    They must be all frames of each content. Those after the first must have been recorded (`store.frames`). Vectors of
    contents with unread frames are replaced: an older version may have embedded other pixels. `new_contents` were
    inserted in the same transaction, so that nothing is looked up for them.
    """
    if not vectors:
        return 0
    ids = np.array([frame for frame in vectors if content_of(frame) not in new_contents], np.int64)
    unread = unread_contents(connection, stored, ids[number_of(ids) == FIRST_FRAME])
    if len(unread):
        _delete_outdated(connection, stored, unread, vectors)
        mark_read(connection, stored, unread)
    already = {frame for frame, _ in _stored_rows(connection, stored, ids)} if len(ids) else set()
    first, further = list[dict[str, object]](), list[dict[str, object]]()
    for frame, vector in vectors.items():
        if frame in already:
            continue
        row = {"space_id": stored.id, "content_id": content_of(frame), "vector": stored.to_bytes(vector)}
        if number := number_of(frame):
            further.append({**row, "number": number})
        else:
            first.append(row)
    insert_rows(connection, Embedding, first)
    insert_rows(connection, FrameEmbedding, further)
    if len(ids):
        _forget_failures(connection, stored, np.unique(content_of(ids)).tolist())
    return len(first) + len(further)


def delete_differing(connection: Connection, stored: StoredSpace, vectors: Mapping[int, NDArray[np.floating]]) -> None:
    """Delete the vectors that frames have in this space if they differ from the (D,) `vectors` of these frames."""
    _delete_outdated(connection, stored, np.unique(content_of(np.array(list(vectors), np.int64))), vectors)


def delete_vectors(connection: Connection, stored: StoredSpace, ids: Ids) -> None:
    """Delete the vectors of the frames `ids` (n,). The next index run embeds them again, unless they were imported."""
    first, further = ids[number_of(ids) == FIRST_FRAME], ids[number_of(ids) > FIRST_FRAME]
    for batch in batch_slices(len(first)):
        contents = first[batch].tolist()
        connection.execute(delete(Embedding).where(Embedding.space_id == stored.id, Embedding.content_id.in_(contents)))
    for content_id, number in zip(content_of(further).tolist(), number_of(further).tolist(), strict=True):
        key = (FrameEmbedding.content_id == content_id, FrameEmbedding.number == number)
        connection.execute(delete(FrameEmbedding).where(FrameEmbedding.space_id == stored.id, *key))
    mark_unread(connection, stored, np.unique(content_of(further)))
    # Where the change feed is cut off, an index file is updated by IDs, and would keep the vectors of IDs that get new
    # ones. Without its row it is built again.
    connection.execute(delete(IndexGeneration).where(IndexGeneration.space_id == stored.id))


def record_vector_failures(connection: Connection, stored: StoredSpace, faults: Mapping[int, str]) -> None:
    """Record what was wrong with the vectors of these contents, so that later runs do not try the same bytes again."""
    if not faults:
        return
    failed = select(VectorFailure.content_id, VectorFailure.tries).where(
        VectorFailure.space_id == stored.id, VectorFailure.content_id.in_(list(faults))
    )
    tries = {row.content_id: row.tries for row in connection.execute(failed)}
    _forget_failures(connection, stored, list(faults))
    now = datetime.now(UTC).replace(tzinfo=None)
    always = {"space_id": stored.id, "reason": BAD_VECTOR, "last_try_at": now}
    rows = [
        {**always, "content_id": content_id, "detail": fault, "tries": tries.get(content_id, 0) + 1}
        for content_id, fault in faults.items()
    ]
    connection.execute(insert(VectorFailure), rows)


def _vectors_in(connection: Connection, stored: StoredSpace, ids: Ids) -> NDArray[np.float32]:
    unique, positions = np.unique(ids, return_inverse=True)
    vectors = np.full((len(unique), stored.space.dim), np.nan, np.float32)  # (u, D)
    for batch_ids, batch in iter_vectors(connection, stored, unique):
        vectors[np.searchsorted(unique, batch_ids)] = batch
    return vectors if np.array_equal(unique, ids) else vectors[positions]


def _stored_rows(
    connection: Connection, stored: StoredSpace, ids: Ids, length: int | None = None
) -> list[tuple[int, bytes]]:
    """Return the IDs and stored bytes of frames `ids` that have a vector, of `length` bytes if that is given."""
    is_first = number_of(ids) == FIRST_FRAME
    rows = _stored_first_rows(connection, stored, ids[is_first], length) if is_first.any() else []
    if is_first.all():
        return rows
    others = ids[~is_first]
    wanted, numbers = set(others.tolist()), number_of(others)
    further = select(FrameEmbedding.content_id, FrameEmbedding.number, FrameEmbedding.vector).where(
        FrameEmbedding.space_id == stored.id,
        FrameEmbedding.content_id.in_(np.unique(content_of(others)).tolist()),
        FrameEmbedding.number.between(int(numbers.min()), int(numbers.max())),  # ascending IDs have few numbers
    )
    for row in connection.execute(further):
        frame = frame_id(row.content_id, row.number)
        if frame in wanted and length in (None, len(row.vector)):
            rows.append((frame, row.vector))
    return rows


def _stored_first_rows(
    connection: Connection, stored: StoredSpace, ids: Ids, length: int | None
) -> list[tuple[int, bytes]]:
    """As `_stored_rows`, for at least one first frame and no others."""
    low, high = int(ids.min()), int(ids.max())
    is_range = high - low + 1 == len(ids) and len(np.unique(ids)) == len(ids)
    # Imported vectors have successive IDs. A range of them is read twice as fast as a list.
    chosen = Embedding.content_id.between(low, high) if is_range else Embedding.content_id.in_(ids.tolist())
    statement = select(Embedding.content_id, Embedding.vector).where(Embedding.space_id == stored.id, chosen)
    if length is not None:
        statement = statement.where(func.length(Embedding.vector) == length)
    return [(content_id, vector) for content_id, vector in connection.execute(statement).all()]


def _delete_outdated(
    connection: Connection, stored: StoredSpace, unread: Ids, vectors: Mapping[int, NDArray[np.floating]]
) -> None:
    """Delete the vectors of frames of contents `unread` (n,) that differ from `vectors`."""
    ids = np.array(list(vectors), np.int64)
    before = _stored_rows(connection, stored, ids[np.isin(content_of(ids), unread)])
    outdated = [frame for frame, vector in before if vector != stored.to_bytes(vectors[frame])]
    if outdated:
        delete_vectors(connection, stored, np.array(outdated, np.int64))


def _vector_in(connection: Connection, stored: StoredSpace, frame: int) -> NDArray[np.float32] | None:
    for _, vectors in iter_vectors(connection, stored, np.array([frame], dtype=np.int64)):
        if len(vectors):
            return np.asarray(vectors[0], dtype=np.float32)
    return None


def _with_vector(connection: Connection, stored: StoredSpace, content_id: int | None) -> StoredVector | None:
    vector = None if content_id is None else _vector_in(connection, stored, content_id)
    return None if content_id is None or vector is None else StoredVector(content_id, vector)


def _forget_failures(connection: Connection, stored: StoredSpace, content_ids: list[int]) -> None:
    failures = (VectorFailure.space_id == stored.id, VectorFailure.content_id.in_(content_ids))
    connection.execute(delete(VectorFailure).where(*failures))
