"""Triggers that note which blocks of contents have changed, so that counts of the others can be kept.

A block is all contents whose IDs have the same quotient by `BLOCK_SIZE`. Its version in `content_blocks` is raised when
a fact of one of its contents changes that `store.kept_counts` counts. Triggers see every change, also a cascade.
"""

from store.catalog.tables import BLOCK_SIZE

__all__ = ["BLOCK_TRIGGERS", "MARKED", "OF_FILE"]

OF_FILE = "(SELECT content_id FROM pictures WHERE id = {row}.picture_id)"
"""The content of the file that the row of a table belongs to."""

MARKED = (
    ("contents", "id", "taken_at, camera, lens, format, width, height, sublocation, city, region, country"),
    ("pictures", "content_id", "content_id, state, root_id, folder"),
    ("content_tags", "content_id", "tag_id, content_id"),
    ("picture_tags", None, "tag_id, picture_id"),
    ("people", "content_id", "content_id, key, name"),
    ("content_places", "content_id", "content_id, place_id"),
)
"""Tables with facts of contents: the column with the content, and the columns whose changes count."""


def _triggers(table: str, column: str | None, columns: str) -> list[str]:
    old, new = (OF_FILE.format(row=row) if column is None else f"{row}.{column}" for row in ("old", "new"))
    changed = " OR ".join(f"old.{name} IS NOT new.{name}" for name in columns.split(", "))
    begin = _new_block(new) if table == "contents" else ""
    return [
        f"CREATE TRIGGER {table}_block_insert AFTER INSERT ON {table} BEGIN {begin}{_mark(new)} END",
        f"CREATE TRIGGER {table}_block_delete AFTER DELETE ON {table} BEGIN {_mark(old)} END",
        f"CREATE TRIGGER {table}_block_update AFTER UPDATE OF {columns} ON {table} WHEN {changed} "
        f"BEGIN {_mark(new)} {_mark(old, unless=new)} END",
    ]


def _new_block(content: str) -> str:
    # No upsert: the conflict clause of the statement that fires a trigger replaces those within it.
    number = f"{content} / {BLOCK_SIZE}"
    return (
        f"INSERT INTO content_blocks (number, version) SELECT {number}, 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM content_blocks WHERE number = {number}); "
    )


def _mark(content: str, unless: str | None = None) -> str:
    """Return a statement that raises the version of the block of a content, unless it is also that of another one."""
    other = "" if unless is None else f" AND {content} / {BLOCK_SIZE} IS NOT {unless} / {BLOCK_SIZE}"
    # An `IN` with both takes several times as long.
    return f"UPDATE content_blocks SET version = version + 1 WHERE number = {content} / {BLOCK_SIZE}{other};"


BLOCK_TRIGGERS = tuple(statement for marked in MARKED for statement in _triggers(*marked))
"""The statements that create the triggers."""
