"""Import vectors of any model as a new space, completely or not at all.

A vector named by the path of an indexed file belongs to that picture. Any other name becomes a document, which has a
vector but no file, in the collection of the space. Searches find both. A frame after the first belongs to the same
picture or document; frames of documents are pages.
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
from store.exchange.space_builder import SpaceBuilder
from store.library import Writer, mark_changed
from store.spaces import index_cache
from store.spaces.drop import drop_space
from store.spaces.registry import StoredSpace, activate, find_spaces_in, list_spaces, register

__all__ = ["ImportSettings", "ImportSummary", "import_vectors"]


@dataclass(frozen=True)
class ImportSettings:
    """How to import vectors.

    `dtype` is that of the stored vectors, by default that of the file (64 bits become 32). `root` is the folder that
    relative paths start from, by default the current one. `activate` makes the space the active one even if there is
    another. `replace` drops an imported space of the same name in the same transaction.
    """

    dtype: Literal["float16", "float32"] | None = None
    root: Path | None = None
    activate: bool = False
    replace: bool = False


@dataclass(frozen=True)
class ImportSummary:
    """The result of an import."""

    stored: StoredSpace
    vectors: int
    pictures: int
    """Vectors of indexed pictures."""
    documents: int
    """Vectors of documents."""
    unknown_paths: int
    """Documents whose name is a path without an indexed picture."""
    copies: int
    """Vectors left out because another file with the same content has one."""
    unknown_frames: int
    """Vectors left out because the library does not know this frame of an indexed file."""
    active: bool


def import_vectors(
    writer: Writer,
    source: VectorSource,
    name: str,
    settings: ImportSettings | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> ImportSummary:
    """Import the vectors of `source` as the space `name`, and write its index.

    Vectors of unit length keep every bit, others are scaled. Raises `SpaceExists`, `ExchangeError` for an invalid
    name, and `BadVectorFile` for a vector without direction or a repeated name; nothing is changed then.
    """
    settings = settings or ImportSettings()
    if not name.strip() or not name.isprintable():
        raise ExchangeError(f"Invalid name for a space: {name!r}.")
    with writer.transaction() as connection:
        _drop_replaced(connection, name, replace=settings.replace)
        stored, counts = _fill(connection, source, name, settings, advance)
        active = connection.scalar(select(LibraryState.active_space_id))
        if active is None or settings.activate:
            activate(connection, stored)
            active = stored.id
        mark_changed(connection, stored.id)
    for summary in list_spaces(writer.library):
        index_cache.publish(writer, summary.stored)
    return ImportSummary(
        stored,
        vectors=source.count,
        pictures=counts["pictures"],
        documents=counts["documents"],
        unknown_paths=counts["unknown paths"],
        copies=counts["copies"],
        unknown_frames=counts["unknown frames"],
        active=active == stored.id,
    )


def _drop_replaced(connection: Connection, name: str, *, replace: bool) -> None:
    for stored in find_spaces_in(connection, name):
        if stored.space.model != name:  # only its fingerprint starts with `name`
            continue
        if not stored.space.is_imported:
            raise SpaceExists(name, is_imported=False)
        if not replace:
            raise SpaceExists(name, is_imported=True)
        drop_space(connection, stored)


def _fill(
    connection: Connection, source: VectorSource, name: str, settings: ImportSettings, advance: Callable[[int], None]
) -> tuple[StoredSpace, Mapping[str, int]]:
    """Return the new space with all vectors, and the counts of `SpaceBuilder`."""
    dtype = settings.dtype or ("float16" if source.dtype.itemsize == 2 else "float32")
    # The fingerprint depends on the vectors, so it is set at the end of the transaction.
    stored = register(connection, Space(name, IMPORTED, source.dim), dtype)
    builder = SpaceBuilder(connection, stored, source.path, settings.root)
    for names, vectors in source:
        builder.add(names, vectors)
        advance(len(names))
    return _set_fingerprint(connection, stored, builder.digest()), builder.counts


def _set_fingerprint(connection: Connection, stored: StoredSpace, digest: str) -> StoredSpace:
    """Set the fingerprint of the space, which identifies its vectors."""
    space = Space(stored.space.model, IMPORTED + digest, stored.space.dim)
    values = {"weights": space.weights, "fingerprint": space.fingerprint}
    connection.execute(update(SpaceRow).where(SpaceRow.id == stored.id).values(values))
    return StoredSpace(stored.id, space, stored.dtype)
