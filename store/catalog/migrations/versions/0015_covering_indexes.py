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
    if is_sqlite(op.get_bind()):
        return
    for columns in INDEXES:
        name = op.f("_".join(["ix_contents", *columns]))
        op.drop_index(name, "contents")
        op.create_index(name, "contents", [sa.text(column) for column in columns], postgresql_include=include)
