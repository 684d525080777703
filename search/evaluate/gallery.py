"""The vectors that a library holds of a data set's pictures, in the data set's order."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.errors import MissingVectors
from search.evaluate.datasets.base import Dataset
from store.catalog.tables import Embedding, Picture, Root, State
from store.library import Library
from store.queries import embeddings
from store.roots import FolderRoots, collection_path
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import Ids

__all__ = ["LibraryGallery", "open_gallery"]

_BLOCK = 4096
"""Vectors read at once."""


class LibraryGallery:
    """One vector a row, read from the catalogue whenever it is iterated: (n, D) blocks, never all at once.

    Files of the same bytes share a content and thus a vector.
    """

    def __init__(self, library: Library, stored: StoredSpace, contents: Ids) -> None:
        self._library = library
        self._stored = stored
        self._contents = contents  # (N,)

    def __len__(self) -> int:
        return len(self._contents)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """All rows, in order."""
        for start in range(0, len(self), _BLOCK):
            yield self._read(self._contents[start : start + _BLOCK])

    def _read(self, wanted: Ids) -> NDArray[np.float32]:
        unique, places = np.unique(wanted, return_inverse=True)
        found = np.full((len(unique), self._stored.space.dim), np.nan, np.float32)  # (u, D)
        with self._library.read() as connection:
            for ids, vectors in embeddings(connection, self._stored, unique):
                found[np.searchsorted(unique, ids)] = vectors
        return found[places]  # (n, D)


def open_gallery(library: Library, stored: StoredSpace, dataset: Dataset) -> LibraryGallery:
    """The pictures of `dataset` as the library has them in one space: by their files, or by their ids as documents.

    Raises `MissingVectors` for pictures that the library does not have in this space.
    """
    contents: list[int | None] = []
    with library.read() as connection:
        for start in range(0, len(dataset.images), _BLOCK):
            contents += _contents(connection, stored, dataset, dataset.images[start : start + _BLOCK])
    missing = tuple(image for image, content in zip(dataset.images, contents, strict=True) if content is None)
    if missing:
        raise MissingVectors(str(stored.space), missing)
    return LibraryGallery(library, stored, np.array(contents, dtype=np.int64))


def _contents(connection: Connection, stored: StoredSpace, dataset: Dataset, images: Sequence[str]) -> list[int | None]:
    """The content of each picture that has a vector in the space."""
    folders = FolderRoots(connection)
    collection = connection.scalar(select(Root.id).where(Root.path == collection_path(stored.space.model)))
    places: dict[str, list[tuple[int, bytes]]] = {}
    for image in images:
        file = folders.locate(os.fsencode(dataset.root / image))
        document = [(collection, os.fsencode(image))] if collection is not None and stored.space.is_imported else []
        places[image] = [*([file] if file else []), *document]
    known = _embedded(connection, stored, [place for some in places.values() for place in some])
    return [next((known[place] for place in places[image] if place in known), None) for image in images]


def _embedded(
    connection: Connection, stored: StoredSpace, places: Sequence[tuple[int, bytes]]
) -> dict[tuple[int, bytes], int]:
    """The content at each of these places (root and path beneath it) of which the space holds a vector."""
    known: dict[tuple[int, bytes], int] = {}
    for root_id in {root_id for root_id, _ in places}:
        statement = (
            select(Picture.relpath, Picture.content_id)
            .join(Embedding, (Embedding.content_id == Picture.content_id) & (Embedding.space_id == stored.id))
            .where(
                Picture.root_id == root_id,
                Picture.relpath.in_([relpath for its, relpath in places if its == root_id]),
                Picture.state != State.FAILED,
            )
        )
        for row in connection.execute(statement):
            known[root_id, row.relpath] = row.content_id
    return known
