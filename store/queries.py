"""Questions to the catalogue: vectors to rank, files to show, counts to report."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, null, select

from store.catalog.id_sets import read_ids
from store.catalog.tables import Content, Embedding, Failure, Picture, Root, RootKind, SpaceRow, State, VectorFailure
from store.library import Library
from store.roots import collection_path
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import Ids

__all__ = [
    "ContentRecord",
    "FailureRecord",
    "count_documents",
    "counts",
    "describe",
    "document_content",
    "embeddings",
    "failures",
    "findable_ids",
    "has_embedding",
    "stored_vector",
    "taken_at",
    "vector_of",
]

VARIABLES = 5_000
"""Bound variables of one statement; SQLite allows 32,766 unless built otherwise."""


@dataclass(frozen=True)
class ContentRecord:
    """A picture that can be shown: what it is, and every file that holds it, first known first."""

    id: int
    paths: tuple[Path, ...]
    width: int
    height: int
    format: str
    size: int
    taken_at: datetime | None
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    document: str | None = None
    """The id of a document that came with an imported space: there is no file, and `paths` holds the id as it is."""


@dataclass(frozen=True)
class FailureRecord:
    """A file that is no picture, and why; or one of which the model of `space` has no vector."""

    path: Path
    reason: str
    detail: str
    tries: int
    space: str | None = None


def findable_ids(connection: Connection, stored: StoredSpace) -> Ids:
    """Contents that a search may find: embedded in this space, and held by a file that is present. Sorted."""
    embedded = read_ids(connection, select(Embedding.content_id).where(Embedding.space_id == stored.id))
    present = read_ids(connection, select(Picture.content_id).where(Picture.state == State.PRESENT))
    return embedded[np.isin(embedded, present, assume_unique=True)]


def embeddings(connection: Connection, stored: StoredSpace, ids: Ids) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
    """The vectors of `ids` in batches of (n,) ids and (n, D) vectors; malformed ones are left out."""
    length = stored.space.dim * stored.storage.itemsize
    for start in range(0, len(ids), VARIABLES):
        wanted = ids[start : start + VARIABLES].tolist()
        statement = select(Embedding.content_id, Embedding.vector).where(
            Embedding.space_id == stored.id, Embedding.content_id.in_(wanted), func.length(Embedding.vector) == length
        )
        rows = connection.execute(statement).all()
        found = np.array([row.content_id for row in rows], dtype=np.int64)  # (n,)
        blob = b"".join(row.vector for row in rows)
        vectors = np.frombuffer(blob, dtype=stored.storage).reshape(len(rows), stored.space.dim)  # (n, D)
        sound = np.isfinite(vectors).all(axis=1)
        yield found[sound], vectors[sound]


def has_embedding(connection: Connection, stored: StoredSpace, digest: bytes) -> bool:
    """Whether these very bytes were embedded in this space before."""
    statement = (
        select(Content.id)
        .join(Embedding, (Embedding.content_id == Content.id) & (Embedding.space_id == stored.id))
        .where(Content.digest == digest)
    )
    return connection.scalar(statement) is not None


def stored_vector(connection: Connection, stored: StoredSpace, digest: bytes) -> tuple[int, NDArray[np.float32]] | None:
    """The content id and the (D,) vector of these very bytes, if they were embedded in this space."""
    content_id = connection.scalar(select(Content.id).where(Content.digest == digest))
    vector = None if content_id is None else vector_of(connection, stored, content_id)
    return None if content_id is None or vector is None else (content_id, vector)


def vector_of(connection: Connection, stored: StoredSpace, content_id: int) -> NDArray[np.float32] | None:
    """The (D,) vector of a content in this space, if it has one."""
    for _, vectors in embeddings(connection, stored, np.array([content_id], dtype=np.int64)):
        if len(vectors):
            return np.asarray(vectors[0], dtype=np.float32)
    return None


def document_content(connection: Connection, stored: StoredSpace, document: bytes) -> int | None:
    """The content of the document with this id in the collection of an imported space."""
    path = collection_path(stored.space.model)
    collection = select(Root.id).where(Root.kind == RootKind.COLLECTION, Root.path == path).scalar_subquery()
    return connection.scalar(
        select(Picture.content_id).where(Picture.root_id == collection, Picture.relpath == document)
    )


def describe(connection: Connection, ids: Sequence[int]) -> dict[int, ContentRecord]:
    """What is known of these contents; one that no present file holds is left out."""
    found: dict[int, ContentRecord] = {}
    for start in range(0, len(ids), VARIABLES):
        wanted = list(ids[start : start + VARIABLES])
        paths: dict[int, list[Path]] = {}
        documents: dict[int, str] = {}
        files = (
            select(Picture.id, Picture.content_id, Root.path, Picture.relpath, Root.kind)
            .join(Root, Root.id == Picture.root_id)
            .where(Picture.content_id.in_(wanted), Picture.state == State.PRESENT)
        )
        # Sorted here: asked to do it, SQLite walks through every present picture in the order of their ids.
        for row in sorted(connection.execute(files), key=lambda row: int(row.id)):
            if row.kind == RootKind.COLLECTION:
                documents[row.content_id] = os.fsdecode(row.relpath)
                paths[row.content_id] = [Path(documents[row.content_id])]
                continue
            paths.setdefault(row.content_id, []).append(Path(os.fsdecode(row.path)) / os.fsdecode(row.relpath))
        for row in connection.execute(select(Content.__table__).where(Content.id.in_(list(paths)))):
            found[row.id] = ContentRecord(
                id=row.id,
                paths=tuple(paths[row.id]),
                width=row.width,
                height=row.height,
                format=row.format,
                size=row.size,
                taken_at=row.taken_at,
                camera=row.camera,
                lens=row.lens,
                latitude=row.latitude,
                longitude=row.longitude,
                document=documents.get(row.id),
            )
    return found


def taken_at(connection: Connection, ids: Ids) -> dict[int, datetime]:
    """When these contents were taken, by the camera's clock; those that do not tell are left out."""
    found: dict[int, datetime] = {}
    for start in range(0, len(ids), VARIABLES):
        wanted = ids[start : start + VARIABLES].tolist()
        statement = select(Content.id, Content.taken_at).where(Content.id.in_(wanted), Content.taken_at.is_not(None))
        found |= {row.id: row.taken_at for row in connection.execute(statement)}
    return found


def counts(library: Library) -> dict[State, int]:
    """Pictures by state; documents of imported spaces are not among them."""
    statement = (
        select(Picture.state, func.count(Picture.id))
        .where(Picture.root_id.in_(select(Root.id).where(Root.kind == RootKind.FOLDER)))
        .group_by(Picture.state)
    )
    with library.read() as connection:
        rows = connection.execute(statement).all()
    by_state = {State(state): number for state, number in rows}
    return {state: by_state.get(state, 0) for state in State}


def count_documents(library: Library) -> int:
    """Documents that came with imported spaces, of which the library has only the vector."""
    collections = select(Root.id).where(Root.kind == RootKind.COLLECTION)
    with library.read() as connection:
        return connection.scalar(select(func.count(Picture.id)).where(Picture.root_id.in_(collections))) or 0


def failures(library: Library) -> list[FailureRecord]:
    """Every file that failed, with its reason, by path; also those that are known, but not embedded in some space."""
    unreadable = (
        select(Root.path, Picture.relpath, Failure.reason, Failure.detail, Failure.tries, null().label("space"))
        .join(Picture, Picture.id == Failure.picture_id)
        .join(Root, Root.id == Picture.root_id)
    )
    why = (VectorFailure.reason, VectorFailure.detail, VectorFailure.tries)
    unembedded = (
        select(Root.path, Picture.relpath, *why, SpaceRow.model.label("space"))
        .join(Picture, Picture.content_id == VectorFailure.content_id)
        .join(Root, Root.id == Picture.root_id)
        .join(SpaceRow, SpaceRow.id == VectorFailure.space_id)
        .where(Picture.state == State.PRESENT)
    )
    statement = unreadable.union_all(unembedded).order_by("path", "relpath", "space")
    with library.read() as connection:
        rows = connection.execute(statement).all()
    return [
        FailureRecord(
            path=Path(os.fsdecode(row.path)) / os.fsdecode(row.relpath),
            reason=row.reason,
            detail=row.detail,
            tries=row.tries,
            space=row.space,
        )
        for row in rows
    ]
