"""Write the rows of a damaged catalogue into a new one, and keep it consistent."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

from core.pixels_version import PIXELS_VERSION
from store.catalog.path_keys import path_columns
from store.database_file.records import Value
from store.database_file.salvage import Row, Salvage, TableShape

__all__ = ["Rebuilt", "rebuild", "restore_state"]

BATCH_SIZE = 1_000
"""Rows per statement."""

ID_GAP = 1_000_000
"""IDs of contents that are not given again, because contents that are gone may have had them: browsers keep thumbnails
by ID."""

UNKNOWN: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "contents": {
            "size": 0,
            "format": "",
            "width": 0,
            "height": 0,
            "facts_version": 0,
            "pixels_version": PIXELS_VERSION,
        },
        "pictures": {"size": 0, "mtime_ns": 0, "folder": b"", "path_key": "", "name_key": ""},
        "roots": {"kind": "folder"},
        "tags": {},
        "content_tags": {},
        "picture_tags": {},
        "albums": {"by_hand": 1, "query": "", "top": 0},
        "album_contents": {},
        "distinct_pairs": {},
    }
)
"""Tables whose rows are restored from indexes alone, with the values of columns that no index has. A picture without
size and time is read again by the next index run, and so are the facts of a content of version 0, and the pixels of one
without a format (`restore_state`)."""

NAMED_BY_KEY = frozenset({"tags", "albums"})
"""Tables whose `name` is lost with a row, but whose index has the name in its comparable form."""


@dataclass
class Rebuilt:
    """The number of rows, by table."""

    saved: Counter[str] = field(default_factory=Counter)
    from_indexes: Counter[str] = field(default_factory=Counter)
    """Rows without the columns that no index has; they are also counted in `saved`."""
    gone: Counter[str] = field(default_factory=Counter)
    """Rows that an index names, but that could not be saved."""
    is_uncertain: bool = False
    """Whether indexes of tables with damage are damaged too, so that they do not name all rows that are gone."""
    removed: Counter[str] = field(default_factory=Counter)
    """Saved rows that were removed, because they belong to one that is gone."""


def rebuild(salvage: Salvage, shapes: Mapping[str, TableShape], target: sqlite3.Connection) -> Rebuilt:
    """Copy all rows that `salvage` finds into the empty tables of `target`, in one transaction."""
    result = Rebuilt()
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN IMMEDIATE")
    tables = [shape for name, shape in shapes.items() if _exists(target, name) and name != "alembic_version"]
    for shape in tables:
        target.execute(f"DELETE FROM {shape.name}")
        _insert(target, shape, salvage.rows(shape))
    for shape, row in salvage.stray_rows():
        _insert(target, shape, [row])
    for shape in tables:
        if salvage.lost[shape.name] or shape.name in UNKNOWN:
            _add_partial_rows(salvage, shape, target, result)
    _remove_dangling(target, result)
    _forget_readings(salvage, target)
    _forget_written_sidecars(target)
    _derive(target)
    for shape in tables:
        result.saved[shape.name] = target.execute(f"SELECT count(*) FROM {shape.name}").fetchone()[0]
    target.execute("COMMIT")
    return result


def _exists(target: sqlite3.Connection, table: str) -> bool:
    statement = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return target.execute(statement, (table,)).fetchone() is not None


def _insert(target: sqlite3.Connection, shape: TableShape, rows: Iterable[Row]) -> None:
    known = _column_names(target, shape.name)
    kept = [position for position, column in enumerate(shape.columns) if column.name in known]
    names = [f'"{shape.columns[position].name}"' for position in kept]
    statement = (
        f"INSERT OR IGNORE INTO {shape.name} (rowid, {', '.join(names)}) VALUES ({', '.join('?' * (len(names) + 1))})"
    )
    values = ((rowid, *(row[position] for position in kept)) for rowid, row in rows)
    while batch := list(islice(values, BATCH_SIZE)):
        target.executemany(statement, batch)


def _column_names(target: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in target.execute(f"PRAGMA table_info({table})")}


def _add_partial_rows(salvage: Salvage, shape: TableShape, target: sqlite3.Connection, result: Rebuilt) -> None:
    """Restore what the indexes have of rows that are lost."""
    statement = f"SELECT 1 FROM {shape.name} WHERE rowid = ?"
    lost = salvage.partial_rows(shape, lambda rowid: target.execute(statement, (rowid,)).fetchone() is not None)
    before = target.total_changes
    if shape.name in UNKNOWN:
        _insert(target, shape, _completed(shape, lost))
    restored = target.total_changes - before
    result.from_indexes[shape.name] = restored
    result.gone[shape.name] = len(lost) - restored
    if salvage.lost[shape.name] and (salvage.lost_entries[shape.name] or not shape.indexes):
        result.is_uncertain = True


def _completed(shape: TableShape, lost: Mapping[int, Mapping[str, Value]]) -> Iterator[Row]:
    """Yield the rows that have all values they need."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    for rowid, found in lost.items():
        values: dict[str, Any] = {**UNKNOWN[shape.name], "added_at": now, "created_at": now, **found}
        if shape.name in NAMED_BY_KEY and "key" in found:
            values["name"] = found["key"]
        row = [values.get(column.name) for column in shape.columns]
        if shape.alias is not None:
            row[shape.alias] = rowid
        if all(column.accepts(shape.name, value) for column, value in zip(shape.columns, row, strict=True)):
            yield rowid, tuple(row)


def _remove_dangling(target: sqlite3.Connection, result: Rebuilt) -> None:
    """Remove rows that refer to lost ones, or only the reference where it may be empty.

    A picture without its content is removed too: the next index run adds it again.
    """
    while violations := target.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, _, number in violations:
            columns = [row[3] for row in target.execute(f"PRAGMA foreign_key_list({table})") if row[0] == number]
            facts = {row[1]: row for row in target.execute(f"PRAGMA table_info({table})")}
            optional = [name for name in columns if not facts[name][3] and not facts[name][5]]
            if optional and table != "pictures":
                target.execute(f"UPDATE {table} SET {optional[0]} = NULL WHERE rowid = ?", (rowid,))
            else:
                target.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
                result.removed[table] += 1
    if _exists(target, "album_contents"):  # a saved search without its query
        lost = "by_hand AND query = '' AND top = 0 AND id NOT IN (SELECT album_id FROM album_contents)"
        if result.from_indexes["albums"]:
            result.gone["albums"] += target.execute(f"DELETE FROM albums WHERE {lost}").rowcount


def _forget_readings(salvage: Salvage, target: sqlite3.Connection) -> None:
    """Let texts be read again that are gone, in whole or in part."""
    if not (salvage.lost["text_frames"] or salvage.lost["text_lines"]):
        return
    target.execute("DELETE FROM text_frames WHERE id NOT IN (SELECT frame_id FROM text_lines)")
    target.execute("DELETE FROM text_readings WHERE content_id NOT IN (SELECT content_id FROM text_frames)")


def _forget_written_sidecars(target: sqlite3.Connection) -> None:
    """Let tags in XMP files stay: those that are lost here must not be taken for tags that people have removed."""
    if _exists(target, "written_sidecars"):
        target.execute("DELETE FROM written_sidecars")


def _derive(target: sqlite3.Connection) -> None:
    """Set what follows from the paths of files, which no index has; in older catalogues, their migration does it."""
    if "path_key" not in _column_names(target, "pictures"):
        return
    pictures = target.execute("SELECT id, relpath, folder, path_key, name_key FROM pictures")
    while batch := pictures.fetchmany(BATCH_SIZE):
        changed = [
            (*right.values(), row[0])
            for row in batch
            if (right := path_columns(row[1])) != dict(zip(right, row[2:], strict=True))
        ]
        target.executemany("UPDATE pictures SET folder = ?, path_key = ?, name_key = ? WHERE id = ?", changed)


def restore_state(target: sqlite3.Connection) -> None:
    """Bring the row of the whole library up to date: a revision that was never used, and an active space.

    Contents without a format, which no index has, are noted as unread. Documents have none, and no file.
    """
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    target.execute("INSERT OR IGNORE INTO library (id, revision, created_at) VALUES (1, 0, ?)", (now,))
    newest = "max(revision, (SELECT coalesce(max(revision), 0) FROM spaces)) + 1"
    most = (
        "(SELECT id FROM spaces ORDER BY (SELECT count(*) FROM embeddings WHERE space_id = spaces.id) DESC, id LIMIT 1)"
    )
    target.execute(f"UPDATE library SET revision = {newest}, active_space_id = coalesce(active_space_id, {most})")
    target.execute("UPDATE spaces SET revision = (SELECT revision FROM library)")
    target.execute("DELETE FROM vector_changes")  # the changes since the index files were written are not known
    target.execute("UPDATE index_generations SET position = NULL")
    is_document = (
        "id IN (SELECT content_id FROM pictures JOIN roots ON roots.id = root_id WHERE roots.kind = 'collection')"
    )
    target.execute(
        "INSERT OR IGNORE INTO unread_frames (space_id, content_id) SELECT active_space_id, contents.id "
        f"FROM library, contents WHERE active_space_id IS NOT NULL AND format = '' AND NOT contents.{is_document}"
    )
    used = "max(seq, (SELECT coalesce(max(content_id), 0) FROM embeddings))"
    target.execute(f"UPDATE sqlite_sequence SET seq = {used} + {ID_GAP} WHERE name = 'contents'")
    target.commit()
