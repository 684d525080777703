"""The index file of a space as a cache of the catalogue: found, checked, brought up to date, published.

A published file is never changed. A newer one is written beside it, flushed, renamed, and then named by a row that
carries its count, its checksum and the revision of its space that it reflects; readers that still map the old file keep
it. A file that is missing, damaged or behind is no error: the answer comes from the catalogue, and the file is made
anew.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from core.errors import IndexFault, LibraryUnusable, SpaceDropped
from store.catalog.id_sets import without
from store.catalog.tables import IndexGeneration
from store.library import Library, Writer
from store.spaces.embeddings import iter_vectors, searchable_ids
from store.spaces.index_engines import new_index, open_index
from store.spaces.registry import StoredSpace, revision_of
from store.spaces.vector_index import VectorIndex

__all__ = ["CurrentIndex", "check_file", "heal", "load", "publish", "remove_strays"]

ATTEMPTS = 3
"""A reader that finds its file replaced under its hands looks again; publishing is far slower than looking."""


@dataclass(frozen=True)
class CurrentIndex:
    """An index that holds exactly what the catalogue held of its space at `revision` of that."""

    index: VectorIndex
    revision: int
    published: bool
    """Whether the file on disk says the same; if not, `publish` would make it so."""
    fault: IndexFault | None = None
    """What was wrong with the file on disk, apart from being behind."""
    changed: bool = False
    """Whether it holds other vectors than the file on disk."""
    checksum: bytes | None = None
    """Of the file that it was made from, if it was made from one."""


@dataclass(frozen=True)
class _Entry:
    """The row that describes the published file."""

    path: Path
    generation: int
    revision: int
    count: int
    checksum: bytes


def load(library: Library, stored: StoredSpace, before: CurrentIndex | None = None) -> CurrentIndex:
    """The index as of now: mapped from its file when that is current, else brought up to date in memory.

    `before`, an index of the same space that was current once, saves the work done for it as long as the file stays the
    same. Raises `SpaceDropped` when that happened to the space.
    """
    fault: IndexFault | None = None
    for _ in range(ATTEMPTS):
        entry = _entry(library, stored)
        if before is not None and before.fault is None and before.checksum == (entry.checksum if entry else None):
            if entry is None or entry.revision != _revision(library, stored) or before.changed:
                return _bring_up_to_date(library, stored, before)
            return replace(before, revision=entry.revision, published=True)
        if entry is None:
            break
        try:
            check_file(entry.path, entry.count, entry.checksum)
            index = open_index(stored, entry.path, mapped=True)
        except (IndexFault, OSError, RuntimeError) as exc:
            fault = exc if isinstance(exc, IndexFault) else IndexFault(entry.path, f"unreadable ({exc})")
            if _entry(library, stored) == entry:
                break
            continue
        mapped = CurrentIndex(index, entry.revision, published=True, checksum=entry.checksum)
        if entry.revision == _revision(library, stored):
            return mapped
        return _bring_up_to_date(library, stored, mapped)
    return _bring_up_to_date(library, stored, CurrentIndex(new_index(stored), 0, published=False, fault=fault))


def check_file(path: Path, count: int, checksum: bytes) -> None:
    """Raises `IndexFault` unless the file at `path` is, bit for bit, the one that was published.

    Exact search reads every byte anyway, so this costs about one more query.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except OSError as exc:
        raise IndexFault(path, "missing" if isinstance(exc, FileNotFoundError) else str(exc)) from exc
    if found != checksum:
        raise IndexFault(path, f"damaged (its checksum is not that of the {count} vectors published)")


def publish(writer: Writer, stored: StoredSpace, *, rebuild: bool = False) -> CurrentIndex:
    """Bring the index file of `stored` up to date. `rebuild` ignores the file on disk.

    Raises `LibraryUnusable` when the file cannot be written; the catalogue, and thus every answer, is whole even then.
    """
    library = writer.library
    nothing = CurrentIndex(new_index(stored), 0, published=False)
    current = _bring_up_to_date(library, stored, nothing) if rebuild else load(library, stored)
    if current.published:
        remove_strays(writer)
        return current
    before, checksum = _entry(library, stored), current.checksum
    if before is not None and not (rebuild or current.changed or current.fault):
        _announce(writer, stored, replace(before, revision=current.revision))
    else:
        generation = before.generation + 1 if before else 1
        path = library.indexes / f"{stored.space.fingerprint[:12]}-{generation:06d}.faiss"
        try:
            checksum = _write(current.index, path)
        except (OSError, RuntimeError) as exc:
            raise LibraryUnusable(library.path, f"the index could not be written: {exc}") from exc
        _announce(writer, stored, _Entry(path, generation, current.revision, len(current.index), checksum))
    remove_strays(writer)
    return replace(current, published=True, changed=False, checksum=checksum)


def heal(library: Library, stored: StoredSpace) -> bool:
    """Publishes a file that is damaged or behind, unless another process is changing the library; says whether it did.

    For readers: their answers are right without it, but every one of them would do the same work again.
    """
    try:
        with library.exclusive_if_free() as writer:
            if writer is not None:
                publish(writer, stored)
            return writer is not None
    except LibraryUnusable:  # a library on a read-only disk can still be searched
        return False


def _announce(writer: Writer, stored: StoredSpace, entry: _Entry) -> None:
    """Lets readers use the file of `entry`, which is on disk for good."""
    with writer.transaction() as connection:
        connection.execute(delete(IndexGeneration).where(IndexGeneration.space_id == stored.id))
        connection.execute(
            insert(IndexGeneration).values(
                space_id=stored.id,
                generation=entry.generation,
                revision=entry.revision,
                filename=entry.path.name,
                vectors=entry.count,
                checksum=entry.checksum,
                created_at=datetime.now(UTC).replace(tzinfo=None),
            )
        )


def remove_strays(writer: Writer) -> list[Path]:
    """Deletes files of the index folder that no row names (older generations, leftovers of a killed process)."""
    library = writer.library
    with library.read() as connection:
        named = set(connection.execute(select(IndexGeneration.filename)).scalars())
    strays = [path for path in sorted(library.indexes.iterdir()) if path.name not in named and not path.is_dir()]
    for path in strays:
        path.unlink(missing_ok=True)
    return strays


def _entry(library: Library, stored: StoredSpace) -> _Entry | None:
    with library.read() as connection:
        row = connection.execute(
            select(IndexGeneration.__table__).where(IndexGeneration.space_id == stored.id)
        ).one_or_none()
    if row is None:
        return None
    return _Entry(library.indexes / row.filename, row.generation, row.revision, row.vectors, row.checksum)


def _revision(library: Library, stored: StoredSpace) -> int:
    with library.read() as connection:
        return _require_revision(connection, stored)


def _require_revision(connection: Connection, stored: StoredSpace) -> int:
    revision = revision_of(connection, stored)
    if revision is None:
        raise SpaceDropped(str(stored.space))
    return revision


def _bring_up_to_date(library: Library, stored: StoredSpace, before: CurrentIndex) -> CurrentIndex:
    """Adds to an index and removes from it what the catalogue says, within one view of the catalogue.

    It is copied if there is anything to change: others may be searching it, or it is mapped from its file. Where a
    library has several spaces, what changes mostly concerns one of them.
    """
    index = before.index
    with library.read() as connection:
        revision = _require_revision(connection, stored)
        wanted, have = searchable_ids(connection, stored), index.ids()
        surplus, lacking = without(have, wanted), without(wanted, have)
        changes = bool(len(surplus) or len(lacking))
        if changes:
            index = index.copy()
        if len(surplus):
            index.remove(surplus)
        for ids, vectors in iter_vectors(connection, stored, lacking):
            index.add(ids, vectors)
    changed = before.changed or changes
    return replace(before, index=index, revision=revision, published=False, changed=changed)


def _write(index: VectorIndex, path: Path) -> bytes:
    """Writes `index` so that `path` either holds all of it or does not exist; returns its SHA-256."""
    draft = path.with_suffix(".tmp")
    try:
        index.write(draft)
    except BaseException:
        draft.unlink(missing_ok=True)  # a disk that is full needs the room
        raise
    with draft.open("rb+") as file:
        checksum = hashlib.file_digest(file, "sha256").digest()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut
    finally:
        os.close(folder)
    return checksum
