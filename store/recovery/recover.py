"""Recover a library whose catalogue is damaged: check, rebuild beside it, swap, and say what is gone."""

import filecmp
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.errors import LibraryInUse, LibraryNotFound, LibraryUnusable
from store.catalog import schema
from store.catalog.engine import library_error, make_engine
from store.catalog.postgresql.address import is_server_url
from store.catalog.read_only import DatabaseFileState
from store.catalog.sql_functions import register_functions
from store.catalog.sqlite_backend import CATALOG_FILENAME, DAMAGED_FOLDERS, FOREIGN_LOG, SqliteBackend
from store.database_file.foreign_log import first_fault, has_foreign_log, is_in_use
from store.database_file.pages import Pages
from store.database_file.salvage import Salvage, TableShape, read_shapes, stored_schema
from store.library import Library
from store.recovery.rebuild import Rebuilt, rebuild, restore_state
from store.recovery.vectors import restore_vectors

__all__ = ["Recovery", "recover"]

SAID = ("contents", "tags", "content_tags", "albums", "album_contents", "distinct_pairs")
"""Tables with user data; ratings are in `contents`."""

DRAFT_FILENAME = "catalog.recovered"
DAMAGED_FOLDER = "damaged-{:%Y%m%d-%H%M%S}"


@dataclass
class Recovery:
    """What was saved of a damaged catalogue, by table, and what is gone."""

    damage: str
    """What was found first."""
    damaged_files: Path
    """The folder with the files as they were."""
    rows: Rebuilt = field(default_factory=Rebuilt)
    lost_pages: Counter[str] = field(default_factory=Counter)
    """Damaged pages and rows, by table."""
    unreadable_pages: int = 0
    """Pages that the disk did not return."""
    ignored_log: bool = False
    """Whether the write-ahead log was left out, because the catalogue is intact without it."""
    maybe_deleted: bool = False
    """Whether rows that had been deleted may be back, because the list of free pages was damaged."""
    vectors: int = 0
    """Vectors that were restored from index files."""

    @property
    def lost_words(self) -> bool:
        """Whether some user data may be gone."""
        return any(self.lost_pages[table] or self.rows.from_indexes[table] for table in SAID)


def recover(path: Path, waiting: Callable[[], None] | None = None) -> Recovery | None:
    """Replace the catalogue of the library in the folder `path` with all that can be read of it, if it is damaged.

    Returns None if it is intact, and for a catalogue on a server: its files are not here, and the backups of the server
    are for that. The damaged files are kept in a folder of the library. Vectors that are gone are restored from index
    files that are intact. Near-duplicates and index files are left to `store.check.repair`.

    Raises `LibraryNotFound`, `LibraryInUse` if another process has the catalogue open, and `LibraryUnusable`.
    """
    if is_server_url(str(path)):
        return None
    path = Path(path).expanduser().absolute()
    file = path / CATALOG_FILENAME
    if not file.exists():
        raise LibraryNotFound(path)
    backend = SqliteBackend(path)
    with closing(Library(backend)) as library, library.publication(waiting):  # which keeps the index files, too
        with library.locked(waiting):
            recovery = _recover(path, file, backend)
        if recovery is None:
            return None
        with Library.open(path) as recovered, recovered.exclusive(waiting) as writer:
            recovery.vectors = restore_vectors(writer)
    recovery.rows.saved["embeddings"] += recovery.vectors
    recovery.rows.gone["embeddings"] = max(0, recovery.rows.gone["embeddings"] - recovery.vectors)
    return recovery


def _recover(path: Path, file: Path, backend: SqliteBackend) -> Recovery | None:
    log = _log_of(path)
    with backend.alone() as is_alone:
        is_foreign = is_alone and has_foreign_log(file)
    damage = FOREIGN_LOG if is_foreign else _fault(path, file)
    if damage is None:
        return None
    with backend.alone() as is_alone:
        if not is_alone:
            raise LibraryInUse(path)
        _require_unused(path, file)
        ignored_log = log is not None and (is_foreign or _fault(path, file, immutable=True) is None)
        try:
            recovery = _rebuild(path, None if ignored_log else log, damage)
        except sqlite3.Error as exc:
            raise library_error(path, exc) from exc
        except OSError as exc:
            raise LibraryUnusable(path, f"the catalogue cannot be rebuilt: {exc}") from exc
    recovery.ignored_log = ignored_log
    return recovery


def _fault(path: Path, file: Path, *, immutable: bool = False) -> str | None:
    try:
        return first_fault(file, immutable=immutable)
    except sqlite3.Error as exc:
        raise library_error(path, exc) from exc


def _require_unused(path: Path, file: Path) -> None:
    """Raise `LibraryInUse` if another process has the catalogue open."""
    try:
        if is_in_use(file):
            raise LibraryInUse(path)
    except OSError as exc:
        raise LibraryUnusable(path, str(exc)) from exc


def _log_of(path: Path) -> Path | None:
    """Return the write-ahead log of the catalogue, if it has one.

    A recovery that was stopped while it swapped the files may have moved the log, but not the catalogue.
    """
    name = f"{CATALOG_FILENAME}-wal"
    if (path / name).exists():
        return path / name
    for folder in sorted(path.glob(DAMAGED_FOLDERS), reverse=True):
        kept = folder / CATALOG_FILENAME
        if (folder / name).exists() and kept.exists() and filecmp.cmp(kept, path / CATALOG_FILENAME):
            return folder / name
    return None


def _rebuild(path: Path, log: Path | None, damage: str) -> Recovery:
    file, draft = path / CATALOG_FILENAME, path / DRAFT_FILENAME
    folder = path / DAMAGED_FOLDER.format(datetime.now())  # noqa: DTZ005 (a name for people)
    state = DatabaseFileState.of(file)
    _delete_draft(draft)
    try:
        with Pages(file, log=log) as pages:
            recovery = Recovery(damage, folder)
            _fill(path, draft, pages, recovery)
            recovery.unreadable_pages = len(pages.unreadable)
        _require_unused(path, file)
        if DatabaseFileState.of(file) != state:  # another process has changed what was read, and ended
            raise LibraryInUse(path)
        _swap(file, draft, folder)
    finally:
        _delete_draft(draft)
    return recovery


def _fill(path: Path, draft: Path, pages: Pages, recovery: Recovery) -> None:
    """Write a new catalogue to `draft`: in the schema of the damaged one, then upgraded."""
    stored = stored_schema(pages)
    shapes = read_shapes(stored)
    engine = make_engine(draft)
    try:
        revision = _revision(pages, shapes)
        if revision == schema.HEAD:
            schema.prepare(engine, path)
        else:
            schema.upgrade(engine, path, revision)
        with closing(sqlite3.connect(draft, isolation_level=None)) as target:
            register_functions(target)
            declared = target.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema").fetchall()
            shapes = _complete(pages, shapes, read_shapes(declared))
            salvage = Salvage(pages, shapes)
            for kind, name, _, root, _ in stored:
                if kind == "table" and name not in shapes and root > 0:
                    salvage.claim(root)
            recovery.rows = rebuild(salvage, shapes, target)
        recovery.lost_pages = +salvage.lost
        recovery.maybe_deleted = pages.free() is None and bool(recovery.lost_pages)
        schema.prepare(engine, path)
        with closing(sqlite3.connect(draft)) as target:
            restore_state(target)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    fault = _fault(path, draft)
    if fault is not None:
        raise LibraryUnusable(path, f"the catalogue that was rebuilt has faults: {fault}")


def _revision(pages: Pages, shapes: Mapping[str, TableShape]) -> str:
    """Return the revision of the schema, or the newest if that is not readable."""
    shape = shapes.get("alembic_version")
    for _, values in Salvage(pages, shapes).rows(shape) if shape is not None else ():
        if isinstance(values[0], str) and values[0] in schema.revisions():
            return values[0]
    return schema.HEAD


def _complete(
    pages: Pages, found: Mapping[str, TableShape], declared: Mapping[str, TableShape]
) -> dict[str, TableShape]:
    """Return the shapes of all tables: those that were `found`, the others as `declared`, without a first page.

    If none was found, the first pages are where a new catalogue has them, unless something else is there.
    """
    if not found:
        salvage = Salvage(pages, declared)
        for shape in declared.values():
            any(True for _ in salvage.rows(shape))
        if not salvage.lost.total():
            return dict(declared)
    unknown = {
        name: TableShape(name, shape.columns, shape.alias, None, ())
        for name, shape in declared.items()
        if name not in found
    }
    return {**found, **unknown}


def _swap(file: Path, draft: Path, folder: Path) -> None:
    """Put the new catalogue in place of the damaged one, whose files are kept in `folder`.

    The log is moved first: SQLite would apply it to the new catalogue. A process that is killed at any point leaves the
    damaged catalogue or the new one in place.
    """
    with suppress(OSError):
        shutil.copymode(file, draft)  # others may be allowed to use the library
    with draft.open("rb") as opened:
        os.fsync(opened.fileno())
    folder.mkdir()
    try:
        os.link(file, folder / file.name)
    except OSError:  # a file system without hard links
        shutil.copy2(file, folder / file.name)
    log = file.with_name(file.name + "-wal")
    try:
        for moved in (log, file.with_name(file.name + "-shm")):
            with suppress(FileNotFoundError):
                moved.rename(folder / moved.name)
        draft.replace(file)
    except OSError:
        with suppress(OSError):
            (folder / log.name).rename(log)
        raise
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _delete_draft(draft: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
