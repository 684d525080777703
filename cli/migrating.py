"""`sightline migrate`."""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from cli.output import print_json, print_text, warn
from cli.progress import ProgressBar
from cli.suggestions import remember_library
from core.errors import LibraryNotFound, LibraryUnusable
from search.query_language.moved_folders import with_folders_moved
from store import Library
from store.migrate.migrating import (
    MigrationHooks,
    MigrationReport,
    migrate,
    plan_migration,
    publish_indexes,
    require_empty,
)
from store.migrate.target_folder import require_usable_folder
from store.spaces.approximation import update_approximation
from store.spaces.registry import active_space

__all__ = ["migrate_library"]

SHOWN_TABLES = {
    "roots": "folders",
    "pictures": "pictures",
    "contents": "different contents",
    "embeddings": "vectors",
    "frame_embeddings": "vectors of further frames",
    "content_tags": "tags of pictures",
    "albums": "albums",
    "text_frames": "texts in pictures",
    "jobs": "jobs",
}
"""Tables that the output names, in this order; all others are counted together."""


def migrate_library(source: str, target: str, *, dry_run: bool, as_json: bool) -> None:
    """Copy a library, and print what was copied."""
    remember_library(Path(source), source)
    with Library.open_to_read(source) as opened:
        require_usable_folder(target)
        if dry_run:
            _plan(opened, target, as_json=as_json)
            return
        with Library.open(target, create=True) as copy, ProgressBar("Copying and comparing") as progress:
            hooks = MigrationHooks(progress.begin, progress.advance, progress.waiting)
            report = migrate(opened, copy, hooks, with_folders_moved)
            progress.publish()
            _publish(copy)
            location = copy.location
    _report(report, location, as_json=as_json)


def _plan(source: Library, target: str, *, as_json: bool) -> None:
    with suppress(LibraryNotFound), Library.open_to_read(target) as existing:
        require_empty(source, existing)
    rows = plan_migration(source)
    if as_json:
        print_json({"dry_run": True, "rows": rows, "total": sum(rows.values())})
        return
    print_text(f"Would copy {sum(rows.values()):,} rows:")
    _print_rows(rows)


def _publish(library: Library) -> None:
    try:
        publish_indexes(library)
        active = active_space(library)
        if active is not None:
            update_approximation(library, active)
    except LibraryUnusable as exc:  # the library has been copied
        warn(str(exc))


def _report(report: MigrationReport, target: str, *, as_json: bool) -> None:
    rows = {table.name: table.rows for table in report.tables}
    if report.source_was_changed:
        warn(
            "the library was changed while it was copied. The copy has none of these changes. To have them, stop what "
            "changes it, delete the copy, and migrate again."
        )
    if report.source_was_changed is None:
        warn("the library could not be asked in the end whether it was changed while it was copied.")
    if as_json:
        print_json(
            {
                "dry_run": False,
                "target": target,
                "tables": [asdict(table) for table in report.tables],
                "total": sum(rows.values()),
                "files": report.files,
                "source_was_changed": report.source_was_changed,
            }
        )
        return
    print_text(f"Copied {sum(rows.values()):,} rows to {target}; every value was compared:")
    _print_rows(rows)
    if report.files:
        files = "file" if report.files == 1 else "files"
        print_text(f"  {report.files:,} {files} with judgements and snapshots")


def _print_rows(rows: dict[str, int]) -> None:
    for table, name in SHOWN_TABLES.items():
        if rows.get(table):
            print_text(f"  {rows[table]:,} {name}")
    others = sum(number for table, number in rows.items() if table not in SHOWN_TABLES)
    print_text(f"  {others:,} other rows")
