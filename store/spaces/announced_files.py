"""Which index file of a space is the current one.

With a catalogue in a folder, the catalogue says it, in the table `index_generations`: all processes share the files.
With a catalogue on a server, each machine has files of its own, and says it in a small file beside them. It has no need
to write to the catalogue then, so that a machine that only reads keeps index files, too. The change feed tells it what
has changed since; where the feed does not have all of that, the file is built again.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from core.files import write_atomically
from store.catalog import change_feed
from store.catalog.tables import IndexGeneration, SpaceRow
from store.library import Library, Writer
from store.spaces.current_index import FULL_COMPARISON_FACTOR
from store.spaces.registry import StoredSpace

__all__ = ["AnnouncedFile", "announce", "announced_file", "announced_names"]

RECENT_CHANGES = 10_000
"""Changes that stay in the change feed when all index files reflect them."""

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


def announced_file(library: Library, stored: StoredSpace) -> AnnouncedFile | None:
    """Return the current index file of a space; None if there is none."""
    if library.backend.shares_files:
        return _of_catalogue(library, stored)
    file = _file(library, stored)
    try:
        kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
        with library.read() as connection:
            if kept["catalogue"] != library.backend.identity(connection) or kept["space"] != stored.id:
                return None
        name, position = str(kept["name"]), int(kept["position"])
        numbers = int(kept["generation"]), int(kept["revision"]), int(kept["vectors"])
        return AnnouncedFile(library.indexes / Path(name).name, *numbers, bytes.fromhex(kept["sha256"]), position)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def announce(writer: Writer, stored: StoredSpace, file: AnnouncedFile) -> None:
    """Announce a file, which has been flushed to disk, to readers."""
    library = writer.library
    if library.backend.shares_files:
        with writer.transaction() as connection:
            _announce_in_catalogue(connection, stored, file)
            _cut_feed_off(connection)
        return
    with library.read() as connection:
        identity = library.backend.identity(connection)
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
    write_atomically(_file(library, stored), [json.dumps(kept).encode()])


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


def _file(library: Library, stored: StoredSpace) -> Path:
    return library.indexes / f"{stored.space.fingerprint[:12]}{_SUFFIX}"


def _of_catalogue(library: Library, stored: StoredSpace) -> AnnouncedFile | None:
    with library.read() as connection:
        row = connection.execute(
            select(IndexGeneration.__table__).where(IndexGeneration.space_id == stored.id)
        ).one_or_none()
    if row is None:
        return None
    path = library.indexes / row.filename
    return AnnouncedFile(path, row.generation, row.revision, row.vectors, row.checksum, row.position)


def _announce_in_catalogue(connection: Connection, stored: StoredSpace, file: AnnouncedFile) -> None:
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
