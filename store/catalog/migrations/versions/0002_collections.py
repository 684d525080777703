"""Roots that are not folders: collections of documents with imported vectors.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every existing root a folder."""
    op.add_column("roots", sa.Column("kind", sa.String(length=10), server_default="folder", nullable=False))


def downgrade() -> None:
    """Drop the collections, which the older schema would treat as folders."""
    op.execute(sa.text("DELETE FROM roots WHERE kind <> 'folder'"))
    op.drop_column("roots", "kind")
