"""Write the vectors of a batch that are missing here, bit for bit."""

from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection, select

from store.catalog.frame_ids import content_of, frame_id, number_of
from store.catalog.tables import Embedding, VectorFailure
from store.merge.loading import SpaceVectors
from store.spaces.embeddings import add_vectors, record_vector_failures
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import mark_unread

__all__ = ["merge_vectors"]


def merge_vectors(connection: Connection, stored: StoredSpace, found: SpaceVectors, ids: Mapping[int, int]) -> int:
    """Add the vectors of the contents `ids` (other ID to ID here) that the space `stored` lacks; return how many.

    A content whose frames the other library may lack is taken only if it has no vector here. Reasons why a content
    has no vector come along, so that the next index run does not try the same bytes again.
    """
    embedded = _embedded(connection, stored, list(ids.values()))
    taken = {
        frame_id(ids[content], number): vector
        for content, number, vector in zip(
            content_of(found.frames).tolist(), number_of(found.frames).tolist(), found.vectors, strict=True
        )
        if content in ids and not (content in found.unread and ids[content] in embedded)
    }
    added = add_vectors(connection, stored, taken)
    unread = [ids[content] for content in found.unread if content in ids and ids[content] not in embedded]
    mark_unread(connection, stored, np.array(sorted(unread), np.int64))
    faults = {ids[content]: detail for content, detail in found.faults.items() if content in ids}
    settled = embedded | _failed(connection, stored, list(faults))
    record_vector_failures(connection, stored, {key: each for key, each in faults.items() if key not in settled})
    return added


def _embedded(connection: Connection, stored: StoredSpace, ids: list[int]) -> set[int]:
    statement = select(Embedding.content_id).where(Embedding.space_id == stored.id, Embedding.content_id.in_(ids))
    return set(connection.execute(statement).scalars())


def _failed(connection: Connection, stored: StoredSpace, ids: list[int]) -> set[int]:
    failed = (VectorFailure.space_id == stored.id, VectorFailure.content_id.in_(ids))
    return set(connection.execute(select(VectorFailure.content_id).where(*failed)).scalars())
