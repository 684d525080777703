"""Restore vectors that a damaged catalogue lost from the index files, which have copies of them."""

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from core.errors import IndexFault
from core.frames import FIRST_FRAME
from store.catalog.frame_ids import content_of, number_of
from store.catalog.id_sets import without
from store.catalog.tables import Content, Embedding, FrameEmbedding, FrameRow, IndexGeneration
from store.library import Writer, mark_changed
from store.spaces import index_cache
from store.spaces.embeddings import embedded_frames
from store.spaces.index_engines import open_index
from store.spaces.registry import StoredSpace, list_spaces

__all__ = ["restore_vectors"]

CHUNK_SIZE = 5_000


def restore_vectors(writer: Writer) -> int:
    """Insert the vectors that only the index files have, and forget these files; return the number of vectors.

    A file is used only if its checksum is the one in the catalogue. All files of a layered index are read.
    """
    restored = 0
    for summary in list_spaces(writer.library):
        with writer.transaction() as connection:
            restored += _restore(writer, connection, summary.stored)
            connection.execute(delete(IndexGeneration).where(IndexGeneration.space_id == summary.stored.id))
            mark_changed(connection, summary.stored.id)
    return restored


def _restore(writer: Writer, connection: Connection, stored: StoredSpace) -> int:
    row = connection.execute(
        select(IndexGeneration.__table__).where(IndexGeneration.space_id == stored.id)
    ).one_or_none()
    if row is None:
        return 0
    path = writer.library.indexes / row.filename
    try:
        index_cache.check_every_file(path, row.vectors, row.checksum)
        index = open_index(stored, path, mapped=True)
    except (IndexFault, OSError, RuntimeError):
        return 0
    contents = np.array(connection.execute(select(Content.id)).scalars().all(), np.int64)
    frames = {tuple(each) for each in connection.execute(select(FrameRow.content_id, FrameRow.number))}
    present = index.ids()
    lost = without(present, embedded_frames(connection, stored))
    lost = lost[np.isin(content_of(lost), contents)]
    restored = 0
    for start in range(0, len(index), CHUNK_SIZE):
        ids, vectors = present[start : start + CHUNK_SIZE], index.vectors(start, start + CHUNK_SIZE)
        kept = np.isin(ids, lost)
        for frame, vector in zip(ids[kept], vectors[kept], strict=True):
            content, number = int(content_of(frame)), int(number_of(frame))
            values = {"space_id": stored.id, "content_id": content, "vector": stored.to_bytes(vector)}
            if number == FIRST_FRAME:
                connection.execute(insert(Embedding).values(values))
            elif (content, number) in frames:
                connection.execute(insert(FrameEmbedding).values(**values, number=number))
            else:
                continue
            restored += 1
    return restored
