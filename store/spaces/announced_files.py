"""Which index file of a space is the current one.

With a catalogue in a folder, the catalogue says it, in the table `index_generations`: all processes share the files.
With a catalogue on a server, each machine has files of its own, and says it in a small file beside them. It has no need
to write to the catalogue then, so that a machine that only reads keeps index files, too. The change feed tells it what
has changed since; where the feed does not have all of that, the file is built again.

The library can be changed while a file is written. It is announced all the same: the change feed tells readers what
they must add to it. It is not announced if another space has the ID of the one that was read.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from core.errors import IndexFault, LibraryUnusable, SpaceDropped
from core.files import write_atomically
from store.catalog import change_feed
from store.catalog.frame_ids import content_of
from store.catalog.tables import IndexGeneration, SpaceRow
from store.library import Library, Writer, mark_changed
from store.spaces.current_index import FULL_COMPARISON_FACTOR, CurrentIndex, registration_of, require_revision
from store.spaces.layer_files import MANIFEST_SUFFIX, read_manifest
from store.spaces.registry import StoredSpace

__all__ = [
    "AnnouncedFile",
    "NewFile",
    "WriterLock",
    "announce",
    "announced_file",
    "announced_in",
    "announced_names",
    "identity_of",
    "record",
]

RECENT_CHANGES = 10_000
"""Changes that stay in the change feed when all index files reflect them."""

WriterLock: TypeAlias = Callable[[], AbstractContextManager[Writer | None]]
"""Acquires the writer lock; yields None if it is not free."""

_SUFFIX = ".announced.json"


@dataclass(frozen=True)
class AnnouncedFile:
    """An index file, and what is needed to verify it and to bring it up to date."""

    path: Path
    generation: int
    revision: int
    """The revision of the space that it reflects."""
    count: int
    """Its vectors."""
    checksum: bytes
    position: int | None
    """As that of `CurrentIndex`."""


@dataclass(frozen=True)
class NewFile:
    """A file that was written, and what it was made from."""

    file: AnnouncedFile
    current: CurrentIndex
    before: AnnouncedFile | None
    """What was announced when its vectors were read."""
    identity: str | None
    """That of the catalogue from which its vectors were read (`identity_of`)."""
    has_other_base: bool = False
    """Whether searchers must load it although they know all its vectors: the space gets a new revision with it."""


def announced_file(library: Library, stored: StoredSpace) -> AnnouncedFile | None:
    """Return the current index file of a space; None if there is none."""
    with library.read() as connection:
        return announced_in(library, connection, stored)


def announced_in(library: Library, connection: Connection, stored: StoredSpace) -> AnnouncedFile | None:
    """As `announced_file`, within a transaction."""
    if library.backend.shares_files:
        return _of_catalogue(library, connection, stored)
    file = _file(library, stored)
    try:
        kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if kept["catalogue"] != library.backend.identity(connection) or kept["space"] != stored.id:
            return None
        name, position = str(kept["name"]), int(kept["position"])
        numbers = int(kept["generation"]), int(kept["revision"]), int(kept["vectors"])
        return AnnouncedFile(library.indexes / Path(name).name, *numbers, bytes.fromhex(kept["sha256"]), position)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def announced_names(library: Library) -> set[str]:
    """Return the names of the current index files of all spaces, and of what announces them."""
    with library.read() as connection:
        if library.backend.shares_files:
            return set(connection.execute(select(IndexGeneration.filename)).scalars())
        rows = connection.execute(select(SpaceRow.id, SpaceRow.fingerprint))
        spaces = {row.id: f"{row.fingerprint[:12]}{_SUFFIX}" for row in rows}
    names = set[str]()
    for file in library.indexes.glob(f"*{_SUFFIX}"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(file.read_text("utf-8"))
            if spaces.get(kept["space"]) == file.name:  # an import gives its space another fingerprint in the end
                names |= {str(kept["name"]), file.name}
    return names


def announce(library: Library, stored: StoredSpace, new: NewFile, lock: WriterLock) -> bool:
    """Announce a file, which has been flushed to disk, to readers; return whether that was done.

    It is not if `lock` yields None, if a file of a later revision is announced, if readers could not find out what has
    changed since its vectors were read, and if it is not there any more. Raises `SpaceDropped`, also if the space was
    dropped and registered again, and `LibraryUnusable`.
    """
    if not (library.backend.shares_files or new.has_other_base):
        with library.read() as connection:
            if not _may_announce(library, connection, stored, new):
                return False
        _write(library, stored, new.file, new.identity)
        return True
    with lock() as writer:
        if writer is None:
            return False
        with writer.transaction() as connection:
            if not _may_announce(library, connection, stored, new):
                return False
            file = _with_new_revision(connection, stored, new.file) if new.has_other_base else new.file
            if library.backend.shares_files:
                record(library, connection, stored, file)
        if not library.backend.shares_files:  # the revision exists after the commit
            _write(library, stored, file, new.identity)
    return True


def identity_of(library: Library, connection: Connection) -> str | None:
    """Return what a file of this machine has to name as its catalogue; None if the catalogue itself names the files."""
    return None if library.backend.shares_files else library.backend.identity(connection)


def record(library: Library, connection: Connection, stored: StoredSpace, file: AnnouncedFile) -> None:
    """Make `file` the current one of a space, in place of the one that is announced now."""
    if library.backend.shares_files:
        _write_to_catalogue(connection, stored, file)
        _cut_feed_off(connection)
    else:
        _write(library, stored, file, library.backend.identity(connection))


def _may_announce(library: Library, connection: Connection, stored: StoredSpace, new: NewFile) -> bool:
    registered_at = registration_of(connection, stored)
    if registered_at is None or registered_at != new.current.registered_at:
        raise SpaceDropped(str(stored.space))
    if identity_of(library, connection) != new.identity:  # it has gone on from an earlier state
        return False
    now = announced_in(library, connection, stored)
    if now is not None and now.revision > new.file.revision:
        return False
    if not _is_complete(new.file.path):  # an older version, which holds the writer lock, deletes what it does not know
        return False
    if not library.backend.shares_files or (now is not None and now == new.before):
        return True
    return _is_followed(connection, stored, new)


def _is_complete(path: Path) -> bool:
    try:
        names = [file.name for file in read_manifest(path).files] if path.suffix == MANIFEST_SUFFIX else []
    except IndexFault:
        return False
    return all(file.exists() for file in (path, *map(path.with_name, names)))


def _is_followed(connection: Connection, stored: StoredSpace, new: NewFile) -> bool:
    """Return whether no vector of the file has been replaced since it was read.

    The row of a file is deleted when that happens, because the change feed may be cut off before an update reads it
    there. A file that was written in the meantime had no row yet.
    """
    position = new.file.position
    changes = None if position is None else change_feed.changes_after(connection, stored.id, position)
    if changes is None:
        return False
    return not len(changes.replaced) or not np.isin(content_of(new.current.index.ids()), changes.replaced).any()


def _with_new_revision(connection: Connection, stored: StoredSpace, file: AnnouncedFile) -> AnnouncedFile:
    is_current = require_revision(connection, stored) == file.revision
    mark_changed(connection, stored.id)
    return replace(file, revision=require_revision(connection, stored)) if is_current else file


def _write(library: Library, stored: StoredSpace, file: AnnouncedFile, identity: str | None) -> None:
    kept = {
        "catalogue": identity,
        "space": stored.id,
        "name": file.path.name,
        "generation": file.generation,
        "revision": file.revision,
        "vectors": file.count,
        "sha256": file.checksum.hex(),
        "position": file.position,
    }
    try:
        write_atomically(_file(library, stored), [json.dumps(kept).encode()])
    except OSError as exc:
        raise LibraryUnusable(library.path, f"the index cannot be written: {exc}") from exc


def _file(library: Library, stored: StoredSpace) -> Path:
    return library.indexes / f"{stored.space.fingerprint[:12]}{_SUFFIX}"


def _of_catalogue(library: Library, connection: Connection, stored: StoredSpace) -> AnnouncedFile | None:
    row = connection.execute(
        select(IndexGeneration.__table__).where(IndexGeneration.space_id == stored.id)
    ).one_or_none()
    if row is None:
        return None
    path = library.indexes / row.filename
    return AnnouncedFile(path, row.generation, row.revision, row.vectors, row.checksum, row.position)


def _write_to_catalogue(connection: Connection, stored: StoredSpace, file: AnnouncedFile) -> None:
    connection.execute(delete(IndexGeneration).where(IndexGeneration.space_id == stored.id))
    connection.execute(
        insert(IndexGeneration).values(
            space_id=stored.id,
            generation=file.generation,
            revision=file.revision,
            filename=file.path.name,
            vectors=file.count,
            checksum=file.checksum,
            position=file.position,
            created_at=datetime.now(UTC).replace(tzinfo=None),
        )
    )


def _cut_feed_off(connection: Connection) -> None:
    """Remove the changes that all index files reflect, and those before as many as an update would not read.

    The latest changes stay, for searchers that are about to read them. Nothing is removed where it is not known which
    files there are, apart from what the feed is limited to anyway.
    """
    last = change_feed.position(connection)
    positions = select(func.min(IndexGeneration.position), func.max(IndexGeneration.vectors))
    oldest, largest = connection.execute(positions).one()
    useful = max(RECENT_CHANGES, 2 * largest // FULL_COMPARISON_FACTOR)  # two changes for each new content
    change_feed.cut_off(connection, max(min(last if oldest is None else oldest, last - RECENT_CHANGES), last - useful))
