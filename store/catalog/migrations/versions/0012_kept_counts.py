"""Comparable paths and names of files, and counts that are kept for blocks of contents.

Revision: 0012
"""

from itertools import starmap

import sqlalchemy as sa
from alembic import op

from store.catalog.path_keys import folder_of, name_key, path_key

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PAGE_SIZE = 10_000
"""Pictures that are read and written at a time."""

OF_CONTENTS = "taken_at, camera, lens, format, width, height, sublocation, city, region, country"
OF_PICTURES = "content_id, state, root_id, folder"
OF_FILE = "(SELECT content_id FROM pictures WHERE id = {row}.picture_id)"
MARKED = (
    ("contents", "id", OF_CONTENTS),
    ("pictures", "content_id", OF_PICTURES),
    ("content_tags", "content_id", "tag_id, content_id"),
    ("picture_tags", None, "tag_id, picture_id"),
    ("people", "content_id", "content_id, key, name"),
    ("content_places", "content_id", "content_id, place_id"),
)
"""Tables with facts of contents: the column with the content, and the columns whose changes count."""


def upgrade() -> None:
    """Add the columns and fill them page by page; then create the tables, the triggers that mark blocks, and indexes.

    All blocks are counted when they are first asked for.
    """
    op.add_column("pictures", sa.Column("folder", sa.LargeBinary(), server_default=sa.text("x''"), nullable=False))
    op.add_column("pictures", sa.Column("path_key", sa.String(), server_default="", nullable=False))
    op.add_column("pictures", sa.Column("name_key", sa.String(), server_default="", nullable=False))
    _fill()
    op.create_table(
        "content_blocks",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_content_blocks")),
    )
    op.create_table(
        "kept_counts",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "kind", name=op.f("pk_kept_counts")),
    )
    op.execute("INSERT INTO content_blocks (number, version) SELECT DISTINCT id / 16384, 1 FROM contents")
    for table, column, columns in MARKED:
        for statement in _triggers(table, column, columns):
            op.execute(statement)
    op.create_index(
        op.f("ix_contents_user_rating"), "contents", ["user_rating"], sqlite_where=sa.text("user_rating IS NOT NULL")
    )
    op.create_index(
        op.f("ix_content_tags_by_users"), "content_tags", ["content_id"], sqlite_where=sa.text("source = 'user'")
    )


def downgrade() -> None:
    """Drop what was added."""
    op.drop_index(op.f("ix_content_tags_by_users"), table_name="content_tags")
    op.drop_index(op.f("ix_contents_user_rating"), table_name="contents")
    for table, _, _ in MARKED:
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER {table}_block_{event}")
    op.drop_table("kept_counts")
    op.drop_table("content_blocks")
    for name in ("name_key", "path_key", "folder"):
        op.drop_column("pictures", name)


def _fill() -> None:
    connection = op.get_bind()
    page = sa.text("SELECT id, relpath FROM pictures WHERE id > :after ORDER BY id LIMIT :size")
    change = "UPDATE pictures SET folder = ?, path_key = ?, name_key = ? WHERE id = ?"
    after = -(2**63)
    while rows := connection.execute(page, {"after": after, "size": PAGE_SIZE}).all():
        connection.exec_driver_sql(change, list(starmap(_values, rows)))
        after = rows[-1].id


def _values(picture: int, relpath: bytes) -> tuple[bytes, str, str, int]:
    return folder_of(relpath), path_key(relpath), name_key(relpath), picture


def _triggers(table: str, column: str | None, columns: str) -> list[str]:
    """Return triggers that raise the version of the block of a content when one of its facts changes."""
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
    number = f"{content} / 16384"
    return (
        f"INSERT INTO content_blocks (number, version) SELECT {number}, 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM content_blocks WHERE number = {number}); "
    )


def _mark(content: str, unless: str | None = None) -> str:
    """Return a statement that raises the version of the block of a content, unless it is also that of another one."""
    other = "" if unless is None else f" AND {content} / 16384 IS NOT {unless} / 16384"
    # An `IN` with both takes several times as long.
    return f"UPDATE content_blocks SET version = version + 1 WHERE number = {content} / 16384{other};"
