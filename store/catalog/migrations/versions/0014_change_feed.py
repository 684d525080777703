"""The change feed: contents whose findable vectors may have changed, written by triggers.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OF_FILE = "INSERT INTO vector_changes (content_id) VALUES ({row}.content_id);"
OF_VECTOR = "INSERT INTO vector_changes (space_id, content_id) VALUES ({row}.space_id, {row}.content_id);"
IS_FINDABLE = "({row}.state = 'present' AND {row}.content_id IS NOT NULL)"
SPACE_EXISTS = "EXISTS (SELECT 1 FROM spaces WHERE id = old.space_id)"


def upgrade() -> None:
    """Create the table, the triggers, and the column. Index files are compared with the catalogue once more."""
    op.create_table(
        "vector_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vector_changes")),
    )
    op.add_column("index_generations", sa.Column("position", sa.BigInteger(), nullable=True))
    for name, event, condition, body in _triggers():
        when = f" WHEN {condition}" if condition else ""
        op.execute(f"CREATE TRIGGER vector_changes_{name} AFTER {event}{when} BEGIN {body} END")


def downgrade() -> None:
    """Drop what was added."""
    for name, *_ in _triggers():
        op.execute(f"DROP TRIGGER vector_changes_{name}")
    op.drop_column("index_generations", "position")
    op.drop_table("vector_changes")


def _triggers() -> list[tuple[str, str, str, str]]:
    """Return the name, the event, the condition and the statements of each trigger."""
    old, new = ({"row": row} for row in ("old", "new"))
    old_vector, new_vector = OF_VECTOR.format(**old), OF_VECTOR.format(**new)
    was_findable, is_findable = IS_FINDABLE.format(**old), IS_FINDABLE.format(**new)
    triggers = []
    for table in ("embeddings", "frame_embeddings"):
        triggers += [
            (f"{table}_insert", f"INSERT ON {table}", "", new_vector),
            (f"{table}_update", f"UPDATE ON {table}", "", f"{old_vector} {new_vector}"),
            (f"{table}_delete", f"DELETE ON {table}", SPACE_EXISTS, old_vector),
        ]
    changed = "(old.content_id IS NOT new.content_id OR old.state <> new.state)"
    of_update = (
        f"INSERT INTO vector_changes (content_id) SELECT old.content_id WHERE {was_findable}; "
        f"INSERT INTO vector_changes (content_id) SELECT new.content_id WHERE {is_findable} "
        "AND NOT (old.content_id IS new.content_id AND old.state = 'present');"
    )
    return [
        *triggers,
        ("pictures_insert", "INSERT ON pictures", is_findable, OF_FILE.format(**new)),
        ("pictures_delete", "DELETE ON pictures", was_findable, OF_FILE.format(**old)),
        (
            "pictures_update",
            "UPDATE OF content_id, state ON pictures",
            f"{changed} AND ({was_findable} OR {is_findable})",
            of_update,
        ),
        (
            "limit",
            "INSERT ON vector_changes",
            "new.id % 4096 = 0",
            "DELETE FROM vector_changes WHERE id <= new.id - 1048576;",
        ),
    ]
