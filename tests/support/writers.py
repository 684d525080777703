"""Short names for changes of a library that tests make in a single step."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, update

from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState
from store.check import repair
from store.forget import forget
from store.library import mark_changed
from store.roots import RootLocation, ensure_root
from store.spaces import index_cache
from store.spaces.index_cache import CurrentIndex
from store.spaces.registry import StoredSpace

__all__ = ["add_root", "insert_pictures", "lose", "publish", "run_forget", "run_repair"]


def add_root(library: Library, path: Path) -> RootLocation:
    """Call `ensure_root` as the only writer."""
    with library.exclusive() as writer:
        return ensure_root(writer, path)


def insert_pictures(
    connection: Connection,
    stored: StoredSpace,
    root_id: int,
    vectors: Mapping[int, NDArray[np.floating]],
    state: PictureState = PictureState.PRESENT,
) -> list[int]:
    """Insert pictures, named by numbers, each with a content of its own and its vector; return the content IDs."""
    blank = {"size": 1, "format": "PNG", "width": 8, "height": 8}
    inserted = insert(Content).returning(Content.id, sort_by_parameter_order=True)
    contents = [{"digest": number.to_bytes(32), **blank} for number in vectors]
    ids = list(connection.execute(inserted, contents).scalars()) if contents else []
    for number, content_id in zip(vectors, ids, strict=True):
        embedding = {"space_id": stored.id, "content_id": content_id, "vector": stored.to_bytes(vectors[number])}
        connection.execute(insert(Embedding).values(embedding))
        file = {"root_id": root_id, "relpath": b"%04d.png" % number, "size": 1, "mtime_ns": 1}
        connection.execute(insert(Picture).values(content_id=content_id, state=state, **file))
    mark_changed(connection)
    return ids


def lose(library: Library, ids: list[int]) -> None:
    """Mark the pictures of contents as missing."""
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id.in_(ids)).values(state=PictureState.MISSING))
        mark_changed(connection)


def publish(library: Library, stored: StoredSpace, *, rebuild: bool = False) -> CurrentIndex:
    """Call `index_cache.publish`."""
    return index_cache.publish(library, stored, rebuild=rebuild)


def run_repair(library: Library) -> list[str]:
    """Call `repair`."""
    return repair(library)


def run_forget(library: Library, path: Path, *, missing_only: bool = False, dry_run: bool = False) -> int:
    """Call `forget`."""
    return forget(library, path, missing_only=missing_only, dry_run=dry_run)
