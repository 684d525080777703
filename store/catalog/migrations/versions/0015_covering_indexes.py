"""Indexes of facts on PostgreSQL have the ID of the content, so that a filter is answered from the index alone.

In SQLite, each index has it.

Revision: 0015
"""

import sqlalchemy as sa
from alembic import op

from store.catalog.migrations.portable import is_sqlite

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = (
    ("camera",),
    ("lens",),
    ("iso",),
    ("latitude", "longitude"),
    ("sublocation",),
    ("city",),
    ("region",),
    ("country",),
)
"""The columns of each."""


def upgrade() -> None:
    """Create the indexes again, with the ID."""
    _create(["id"])


def downgrade() -> None:
    """Create them without the ID."""
    _create([])


def _create(include: list[str]) -> None:
    """Create all indexes beside those that there are: dropping an index waits for searches, and lets none begin."""
    if is_sqlite(op.get_bind()):
        return
    names = ["_".join(["ix_contents", *columns]) for columns in INDEXES]
    for name, columns in zip(names, INDEXES, strict=True):
        expressions = [sa.text(column) for column in columns]
        op.create_index(op.f(f"{name}_new"), "contents", expressions, postgresql_include=include)
    for name in names:
        op.drop_index(op.f(name), "contents")
        op.execute(f"ALTER INDEX {name}_new RENAME TO {name}")
