"""The contents of many files, or of many imported documents, that have a vector in one space."""

import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, select

from store.catalog.id_sets import among, batch_slices
from store.catalog.tables import Embedding, Picture, PictureState, Root
from store.library import Library
from store.roots import FolderRoots, collection_path
from store.spaces.registry import StoredSpace

__all__ = ["embedded_contents"]


def embedded_contents(library: Library, stored: StoredSpace, folder: Path, names: Sequence[str]) -> list[int | None]:
    """Return for each name the content that has a vector in this space, or None.

    A name is the path of a file relative to `folder` or, in an imported space, the ID of a document. The file comes
    first if both exist.
    """
    contents: list[int | None] = []
    base = os.fsencode(folder)
    with library.read() as connection:
        roots = FolderRoots(connection)
        path = collection_path(stored.space.model)
        collection = connection.scalar(select(Root.id).where(Root.path == path)) if stored.space.is_imported else None
        for batch in batch_slices(len(names)):
            relpaths = [os.fsencode(name) for name in names[batch]]
            files = [roots.locate(os.path.join(base, relpath)) for relpath in relpaths]  # noqa: PTH118 - faster than Path
            found = _embedded_files(connection, stored, files)
            if collection is not None:
                others = [relpath for relpath, content in zip(relpaths, found, strict=True) if content is None]
                documents = _embedded_in(connection, stored, collection, others)
                found = [
                    documents.get(relpath) if content is None else content
                    for relpath, content in zip(relpaths, found, strict=True)
                ]
            contents += found
    return contents


def _embedded_files(
    connection: Connection, stored: StoredSpace, files: Sequence[tuple[int, bytes] | None]
) -> list[int | None]:
    """Return the content at each (root ID, relative path) that has a vector in the space, or None."""
    relpaths: dict[int, list[bytes]] = {}
    for file in files:
        if file is not None:
            relpaths.setdefault(file[0], []).append(file[1])
    ids = {root_id: _embedded_in(connection, stored, root_id, of_root) for root_id, of_root in relpaths.items()}
    return [None if file is None else ids[file[0]].get(file[1]) for file in files]


def _embedded_in(
    connection: Connection, stored: StoredSpace, root_id: int, relpaths: Sequence[bytes]
) -> dict[bytes, int | None]:
    """Map the relative paths in a root to the contents there, for those that have a vector in the space."""
    statement = (
        select(Picture.relpath, Picture.content_id)
        .join(Embedding, (Embedding.content_id == Picture.content_id) & (Embedding.space_id == stored.id))
        .where(Picture.root_id == root_id, _is_one_of(relpaths), Picture.state != PictureState.FAILED)
    )
    return {row[0]: row[1] for row in connection.execute(statement).all()}


def _is_one_of(relpaths: Sequence[bytes]) -> ColumnElement[bool]:
    """Return `Picture.relpath IN relpaths`, with one variable if they are valid UTF-8, which is twice as fast."""
    try:
        b"".join(relpaths).decode()
    except UnicodeDecodeError:
        return Picture.relpath.in_(relpaths)
    return among(Picture.relpath, relpaths)
