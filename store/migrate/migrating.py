"""Copy a library into an empty one that may be in another database, and compare every value before it counts.

All rows are written in one transaction, which is committed after the comparison. A migration that is stopped or killed
therefore leaves the target empty, and can be repeated. The source is only read, in one consistent view.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete

from core.errors import LibraryError, LibraryUnusable, MigrationFailed, TargetNotEmpty
from store.albums.moved_folders import MovePaths
from store.catalog.bulk_copy import last_ids, set_last_ids, triggers_off
from store.catalog.tables import LibraryState
from store.change_counter import ChangeCounter
from store.library import Library
from store.migrate.carried_tables import carried_tables, count_rows, is_empty
from store.migrate.copying import CarriedTable, RowsDiffer, RowsRefused, Source, compare_rows, copy_rows
from store.migrate.local_files import FileInTheWay, LocalFiles
from store.moved_roots import move_searches
from store.root_places import common_names, forget_places
from store.spaces import index_cache

__all__ = ["MigrationHooks", "MigrationReport", "migrate", "plan_migration", "publish_indexes", "require_empty"]


@dataclass(frozen=True)
class MigrationHooks:
    """What a migration calls.

    `begin` gets the number of rows to copy and to compare, `advance` that of each block, and `waiting` is as for
    `Library.exclusive`.
    """

    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None
    waiting: Callable[[], None] | None = None


@dataclass(frozen=True)
class MigrationReport:
    """What was copied and compared."""

    tables: Sequence[CarriedTable]
    files: int
    """Judgements and snapshots."""
    source_was_changed: bool | None
    """Whether the source was changed after the view that was copied; None if it could not be asked any more."""


def plan_migration(source: Library) -> dict[str, int]:
    """Return the number of rows of each table that a migration would copy."""
    with source.read() as connection:
        return count_rows(connection)


def migrate(
    source: Library,
    target: Library,
    hooks: MigrationHooks | None = None,
    move_paths: MovePaths = lambda query, _moves: query,
) -> MigrationReport:
    """Copy all that `source` has into `target`, which must be empty; return what was copied.

    IDs, revisions, the change feed, kept counts, jobs and the state of the library are the same afterwards. Index files
    are not copied, see `publish_indexes`. Folders get the paths that they have on this machine, also in saved searches;
    `move_paths` changes the text of their queries. Raises `TargetNotEmpty`, also if the target is the source by another
    address, and `MigrationFailed` if a row cannot be
    written, or is not the same afterwards; nothing was changed then.
    """
    hooks = hooks or MigrationHooks()
    _require_other(source, target)
    files = LocalFiles(source, target)
    changes = ChangeCounter(source)
    try:
        before = changes.value()
        with source.read() as read, target.exclusive(hooks.waiting) as writer, writer.transaction() as written:
            _require_empty(target, written, files)
            with source.backend.errors():
                hooks.begin(2 * sum(count_rows(read).values()))
                ids = last_ids(read)
            tables = _carry(target, Source(read, source.backend.errors), ids, written, hooks)
            names_here = {common: here for here, common in common_names(source).items()}
            if names_here:
                move_searches(written, names_here, move_paths)
            _copy_files(target, files)
        files.finish()
        target.note_many_changes()
        return MigrationReport(tables, len(files), _is_changed(changes, before))
    finally:
        changes.close()


def publish_indexes(library: Library, waiting: Callable[[], None] | None = None) -> None:
    """Write the index file of each space, so that the first search does not have to build it."""
    index_cache.publish_all(library, waiting)


def require_empty(source: Library, target: Library) -> None:
    """Raise `TargetNotEmpty` if a migration would."""
    _require_other(source, target)
    with target.read() as connection:
        _require_empty(target, connection, LocalFiles(source, target))


def _require_other(source: Library, target: Library) -> None:
    if source.backend.origin() == target.backend.origin():
        raise TargetNotEmpty(target.location, "it is the library that would be copied")


def _is_changed(changes: ChangeCounter, before: int) -> bool | None:
    """Return whether the source was changed; None if it was lost, when everything was copied already."""
    try:
        return changes.value() != before
    except LibraryError:
        return None


def _require_empty(target: Library, connection: Connection, files: LocalFiles) -> None:
    if not is_empty(connection):
        raise TargetNotEmpty(target.location, "it has folders, pictures or other records already")
    try:
        files.check()
    except FileInTheWay as exc:
        raise TargetNotEmpty(target.location, f"{exc.path} would be overwritten") from exc


def _carry(
    target: Library, read: Source, ids: Mapping[str, int], written: Connection, hooks: MigrationHooks
) -> list[CarriedTable]:
    tables = carried_tables()
    forget_places(target)
    try:
        written.execute(delete(LibraryState))
        with triggers_off(written):
            for table in tables:
                copy_rows(table, read, written, hooks.advance)
        set_last_ids(written, ids)
        compared = [compare_rows(table, read, written, hooks.advance) for table in tables]
    except RowsRefused as exc:
        reason = f"the rows cannot be written ({exc.detail})"
        raise MigrationFailed(target.location, exc.table, reason, is_limit=exc.is_limit) from exc
    except RowsDiffer as exc:
        raise MigrationFailed(target.location, exc.table, f"the row {exc.key!r} is not the same afterwards") from exc
    return compared


def _copy_files(target: Library, files: LocalFiles) -> None:
    try:
        files.copy()
    except OSError as exc:
        raise LibraryUnusable(target.location, f"its files cannot be written: {exc}") from exc
