"""Import vectors of any model as a new space, which searches see when it is complete.

A vector named by the path of an indexed file belongs to that picture. Any other name becomes a document, which has a
vector but no file, in the collection of the space. Searches find both. A frame after the first belongs to the same
picture or document; frames of documents are pages.

    check_source      reads all vectors and names; nothing is written if one is wrong
    SpaceBuilder.add  one transaction for each block, into an unfinished space with a collection of its own
    complete          one transaction: the space gets its name in place of the one that it replaces
    forget_space      removes the replaced one, in batches

The library is locked only for each of the writes, and not while the index file is written. An import that was stopped
or killed continues where it ended if it is called with the same vectors and names. Otherwise what it left is removed by
the next import under the same name.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from core.errors import BadVectorFile, ExchangeError, IndexEngineNotCleared, SpaceDropped, SpaceExists, SpaceInUse
from core.space import IMPORTED, UNFINISHED, Space
from store.catalog.id_sets import among
from store.catalog.portable_sql import quotient
from store.catalog.tables import (
    BLOCK_SIZE,
    ContentBlock,
    Embedding,
    FrameEmbedding,
    FrameRow,
    LibraryState,
    Picture,
    Root,
    RootKind,
    SpaceRow,
)
from store.exchange.checking import CheckedSource, SourceDigest, check_source, normalized_rows
from store.exchange.sources import VectorSource
from store.exchange.space_builder import SpaceBuilder
from store.library import Library, mark_changed
from store.roots import collection_of, collection_path
from store.spaces import index_cache
from store.spaces.drop import forget_space
from store.spaces.registry import StoredSpace, activate, find_spaces_in, list_spaces, register
from store.spaces.server_engines.engine import EngineTarget
from store.spaces.server_engines.feed_marks import note_dropped
from store.spaces.server_engines.leftovers import drop_from_engine

__all__ = ["ImportHooks", "ImportSettings", "ImportSummary", "import_vectors", "remove_replaced_spaces"]

REPLACED = UNFINISHED + "replaced:"
"""Prefix of `weights` for a space that another one has replaced, before the ID that it has."""

PAUSE_SECONDS = 0.05
"""Time between two transactions in which others can begin theirs: they try about that often."""


@dataclass(frozen=True)
class ImportSettings:
    """How to import vectors.

    `dtype` is that of the stored vectors, by default that of the file (64 bits become 32). `root` is the folder that
    relative paths start from, by default the current one. `activate` makes the space the active one even if there is
    another. `replace` replaces an imported space of the same name, also as the active one.
    """

    dtype: Literal["float16", "float32"] | None = None
    root: Path | None = None
    activate: bool = False
    replace: bool = False


@dataclass(frozen=True)
class ImportHooks:
    """What an import calls.

    `begin` gets the number of vectors before the file is checked, and again before they are written; `advance` the
    number of those that were checked, or written, since the last call. `waiting` is as for `Library.exclusive`. `left`
    is called if the vectors of the space that was replaced stay in an engine on a server.
    """

    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None
    waiting: Callable[[], None] | None = None
    left: Callable[[IndexEngineNotCleared], None] = lambda _: None


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
    library: Library,
    source: VectorSource,
    name: str,
    settings: ImportSettings | None = None,
    hooks: ImportHooks | None = None,
) -> ImportSummary:
    """Import the vectors of `source` as the space `name`, and write its index.

    Vectors of unit length keep every bit, others are scaled. Raises `SpaceExists`, `ExchangeError` for an invalid
    name, and `BadVectorFile` for a vector without direction or a repeated name, before anything is written; and
    `SpaceDropped` if the unfinished space is removed in the meantime. Waits while another process imports a space of
    this name.
    """
    if not name.strip() or not name.isprintable():
        raise ExchangeError(f"Invalid name for a space: {name!r}.")
    run = _Import(library, source, name, settings or ImportSettings(), hooks or ImportHooks())
    lock = hashlib.sha256(collection_path(name)).hexdigest()
    with library.space_fill_lock(lock, run.hooks.waiting):
        return run.run()


def remove_replaced_spaces(library: Library, waiting: Callable[[], None] | None = None) -> list[str]:
    """Remove what is left of replaced spaces, if an import was killed while it removed them; return their names."""
    removed = []
    for summary in list_spaces(library, unfinished=True):
        if summary.stored.space.weights.startswith(REPLACED):
            with suppress(SpaceInUse):  # by another process
                forget_space(library, summary.stored, waiting=waiting)
                removed.append(summary.stored.space.model)
    return removed


class _Import:
    """One import."""

    def __init__(
        self, library: Library, source: VectorSource, name: str, settings: ImportSettings, hooks: ImportHooks
    ) -> None:
        self.hooks = hooks
        self._library = library
        self._source = source
        self._name = name
        self._settings = settings
        self._dtype = settings.dtype or ("float16" if source.dtype.itemsize == 2 else "float32")

    def run(self) -> ImportSummary:
        with self._library.read() as connection:
            self._require_free(connection)
        storage = StoredSpace(0, Space(self._name, "", self._source.dim), self._dtype).storage
        self.hooks.begin(self._source.count)
        checked = check_source(self._library, self._source, storage, self._settings.root, self.hooks.advance)
        draft = Space(self._name, UNFINISHED + checked.key, self._source.dim)
        self._remove_others(draft)
        with self._library.space_fill_lock(draft.fingerprint, self.hooks.waiting):
            stored = self._begin(draft)
            builder = SpaceBuilder(stored, self._settings.root)
            is_continued = self._has_vectors(stored)
            self._fill(stored, builder, checked)
            if is_continued:
                with self._library.exclusive(self.hooks.waiting) as writer, writer.transaction() as connection:
                    builder.remove_others(connection)
                    mark_changed(connection, stored.id)
            index_cache.publish(self._library, stored, self.hooks.waiting)
            complete, active, replaced = self._complete(stored, IMPORTED + checked.digest)
        if replaced is not None:
            drop_from_engine(self._library, replaced, self.hooks.left)
        self._remove_others(complete.space)
        with self._library.exclusive(self.hooks.waiting) as writer, writer.transaction() as connection:
            _remove_unused_pages(connection, complete)
        with suppress(SpaceDropped):  # the import was complete
            index_cache.publish(self._library, complete, self.hooks.waiting)
        counts = builder.counts
        return ImportSummary(
            complete,
            vectors=self._source.count,
            pictures=counts["pictures"],
            documents=counts["documents"],
            unknown_paths=counts["unknown paths"],
            copies=counts["copies"],
            unknown_frames=counts["unknown frames"],
            active=active,
        )

    def _require_free(self, connection: Connection) -> StoredSpace | None:
        """Return the space that is to be replaced, if there is one. Raises `SpaceExists`."""
        for stored in find_spaces_in(connection, self._name):
            if stored.space.model != self._name:  # only its fingerprint starts with the name
                continue
            if not stored.space.is_imported or not self._settings.replace:
                raise SpaceExists(self._name, is_imported=stored.space.is_imported)
            return stored
        return None

    def _remove_others(self, kept: Space) -> None:
        """Remove unfinished spaces of this name except `kept`: other imports that were stopped, or replaced spaces."""
        for summary in list_spaces(self._library, unfinished=True):
            space = summary.stored.space
            if space.is_unfinished and space.model == self._name and space != kept:
                forget_space(self._library, summary.stored, waiting=self.hooks.waiting)

    def _begin(self, draft: Space) -> StoredSpace:
        """Return the unfinished space, which is registered if it is new."""
        now = datetime.now(UTC).replace(tzinfo=None)
        path = collection_of(draft)
        with self._library.exclusive(self.hooks.waiting) as writer, writer.transaction() as connection:
            stored = register(connection, draft, self._dtype)
            connection.execute(update(SpaceRow).where(SpaceRow.id == stored.id).values(filling_since=now))
            if connection.scalar(select(Root.id).where(Root.path == path)) is None:
                connection.execute(insert(Root).values(path=path, added_at=now, kind=RootKind.COLLECTION))
        return stored

    def _has_vectors(self, stored: StoredSpace) -> bool:
        with self._library.read() as connection:
            statement = select(Embedding.content_id).where(Embedding.space_id == stored.id).limit(1)
            return connection.scalar(statement) is not None

    def _fill(self, stored: StoredSpace, builder: SpaceBuilder, checked: CheckedSource) -> None:
        """Write all vectors. Raises `BadVectorFile` if they, or their names, are not those that were checked."""
        digest = SourceDigest(stored.storage, self._settings.root)
        self.hooks.begin(self._source.count)
        row = 0
        for names, vectors in self._source:
            rows = normalized_rows(vectors, stored.storage, self._source.path, row, names)
            digest.add(names, rows)
            if row:
                sleep(PAUSE_SECONDS)
            with self._library.exclusive(self.hooks.waiting) as writer, writer.transaction() as connection:
                builder.add(connection, names, rows)
                mark_changed(connection, stored.id)
            row += len(names)
            self.hooks.advance(len(names))
        if digest.result() != checked:
            raise BadVectorFile(self._source.path, "the file was changed while it was imported; import it again")

    def _complete(self, stored: StoredSpace, weights: str) -> tuple[StoredSpace, bool, StoredSpace | None]:
        """Give the space its name, and take it from the space that it replaces.

        Return it, whether it is active, and the replaced space with the name that engines on servers know it by.
        """
        final = Space(self._name, weights, stored.space.dim)
        blocks = self._blocks_of_documents(stored.space, final)  # none is added while the locks of the name are held
        with self._library.exclusive(self.hooks.waiting) as writer, writer.transaction() as connection:
            replaced = self._require_free(connection)
            active = connection.scalar(select(LibraryState.active_space_id))
            is_active = active is None or self._settings.activate or (replaced is not None and active == replaced.id)
            if replaced is not None:
                note_dropped(connection, replaced.id, EngineTarget.of(self._library, replaced).number)
                _rename(connection, replaced, Space(self._name, f"{REPLACED}{replaced.id}", replaced.space.dim))
            _rename(connection, stored, final)
            complete = StoredSpace(stored.id, final, stored.dtype)
            connection.execute(update(SpaceRow).where(SpaceRow.id == stored.id).values(filling_since=None))
            is_changed = among(ContentBlock.number.expression, blocks)
            connection.execute(update(ContentBlock).where(is_changed).values(version=ContentBlock.version + 1))
            if is_active:
                activate(connection, complete)
        return complete, is_active, replaced

    def _blocks_of_documents(self, *spaces: Space) -> list[int]:
        """Return the blocks of contents that appear in counts, or disappear, when the collections are renamed."""
        collections = select(Root.id).where(Root.path.in_([collection_of(space) for space in spaces]))
        number = quotient(Picture.content_id, BLOCK_SIZE)
        statement = select(number).where(Picture.root_id.in_(collections), Picture.content_id.is_not(None)).distinct()
        with self._library.read() as connection:
            return list(connection.execute(statement).scalars())


def _rename(connection: Connection, stored: StoredSpace, space: Space) -> None:
    """Make the stored space `space`, with its documents. Raises `SpaceDropped`."""
    values = {"weights": space.weights, "fingerprint": space.fingerprint}
    same = (SpaceRow.id == stored.id, SpaceRow.fingerprint == stored.space.fingerprint)
    if not connection.execute(update(SpaceRow).where(*same).values(values)).rowcount:
        raise SpaceDropped(stored.space.model)
    documents = update(Root).where(Root.path == collection_of(stored.space))
    connection.execute(documents.values(path=collection_of(space)))


def _remove_unused_pages(connection: Connection, stored: StoredSpace) -> None:
    """Remove the pages that documents had in a replaced space and do not have in the space `stored`."""
    collection = select(Root.id).where(Root.path == collection_of(stored.space)).scalar_subquery()
    documents = select(Picture.content_id).where(Picture.root_id == collection)
    used = select(FrameEmbedding.number).where(
        FrameEmbedding.content_id == FrameRow.content_id, FrameEmbedding.number == FrameRow.number
    )
    of_documents = FrameRow.content_id.in_(documents)
    connection.execute(delete(FrameRow).where(of_documents, FrameRow.number > 0, ~used.exists()))
    pages = select(FrameEmbedding.number).where(FrameEmbedding.content_id == FrameRow.content_id)
    connection.execute(delete(FrameRow).where(of_documents, FrameRow.number == 0, ~pages.exists()))
