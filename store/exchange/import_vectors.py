"""Vectors made elsewhere become a space of their own, in one transaction: all of them or nothing.

A path that the library knows gives its vector to that picture. Every other name becomes a document: a picture of which
there is only the vector, in the collection that belongs to the space. Both are found by searches as any picture is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, select, update

from core.errors import ExchangeError, SpaceExists
from core.space import IMPORTED, Space
from store.catalog.tables import LibraryState, SpaceRow
from store.exchange.sources import VectorSource
from store.exchange.space_builder import Intake
from store.library import Writer, mark_changed
from store.spaces import index_cache
from store.spaces.drop import drop_space
from store.spaces.registry import StoredSpace, activate, find_spaces_in, list_spaces, register

__all__ = ["ImportSettings", "Imported", "import_vectors"]


@dataclass(frozen=True)
class ImportSettings:
    """How to take vectors in.

    `dtype` of the stored vectors: that of the file unless given (64 bits become 32). `root`: where relative paths
    start, the current folder unless given. `activate`: let the space answer searches even if another does now.
    `replace`: drop an imported space of the same name, once the new one is whole.
    """

    dtype: Literal["float16", "float32"] | None = None
    root: Path | None = None
    activate: bool = False
    replace: bool = False


@dataclass(frozen=True)
class Imported:
    """What an import came to."""

    stored: StoredSpace
    vectors: int
    pictures: int
    """Vectors of pictures that the library knows."""
    documents: int
    """Vectors of which it knows nothing else."""
    unknown_paths: int
    """How many of the documents were meant as paths of pictures, but the library knows no picture there."""
    copies: int
    """Vectors left out because another file of the very same bytes brought one."""
    active: bool


def import_vectors(
    writer: Writer,
    source: VectorSource,
    name: str,
    settings: ImportSettings | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Takes the vectors of `source` in as the space `name`, and writes its index.

    Rows that have unit length keep every bit, the others are scaled to it. Raises `SpaceExists`, `ExchangeError`
    for a name that is none, and `BadVectorFile` for a vector without direction or a name given twice; then nothing was
    changed.
    """
    settings = settings or ImportSettings()
    if not name.strip() or not name.isprintable():
        raise ExchangeError(f"{name!r} is no name for a space")
    with writer.transaction() as connection:
        _make_room(connection, name, replace=settings.replace)
        stored, counts = _fill(connection, source, name, settings, advance)
        active = connection.scalar(select(LibraryState.active_space_id))
        if active is None or settings.activate:
            activate(connection, stored)
            active = stored.id
        mark_changed(connection, stored.id)
    for summary in list_spaces(writer.library):
        index_cache.publish(writer, summary.stored)
    return Imported(
        stored,
        vectors=source.count,
        pictures=counts["pictures"],
        documents=counts["documents"],
        unknown_paths=counts["unknown paths"],
        copies=counts["copies"],
        active=active == stored.id,
    )


def _make_room(connection: Connection, name: str, *, replace: bool) -> None:
    for known in find_spaces_in(connection, name):
        if known.space.model != name:  # only its fingerprint begins so
            continue
        if not known.space.is_imported:
            raise SpaceExists(name, is_imported=False)
        if not replace:
            raise SpaceExists(name, is_imported=True)
        drop_space(connection, known)


def _fill(
    connection: Connection, source: VectorSource, name: str, settings: ImportSettings, advance: Callable[[int], None]
) -> tuple[StoredSpace, Mapping[str, int]]:
    """The new space with all vectors in it, and how many were of what (see `Intake`)."""
    dtype = settings.dtype or ("float16" if source.dtype.itemsize == 2 else "float32")
    # What the vectors are is known when all were read; until then nobody else sees this space.
    stored = register(connection, Space(name, IMPORTED, source.dim), dtype)
    intake = Intake(connection, stored, source.path, settings.root)
    for names, vectors in source:
        intake.take(names, vectors)
        advance(len(names))
    return _seal(connection, stored, intake.digest()), intake.counts


def _seal(connection: Connection, stored: StoredSpace, digest: str) -> StoredSpace:
    """Lets the space be known by its vectors."""
    space = Space(stored.space.model, IMPORTED + digest, stored.space.dim)
    values = {"weights": space.weights, "fingerprint": space.fingerprint}
    connection.execute(update(SpaceRow).where(SpaceRow.id == stored.id).values(values))
    return StoredSpace(stored.id, space, stored.dtype)
