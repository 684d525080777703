"""Roots that are no folders: collections of documents whose vectors were made elsewhere.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Says of every root that it is a folder."""
    op.add_column("roots", sa.Column("kind", sa.String(length=10), server_default="folder", nullable=False))


def downgrade() -> None:
    """Drops the collections, which the older schema would take for folders."""
    op.execute(sa.text("DELETE FROM roots WHERE kind <> 'folder'"))
    op.drop_column("roots", "kind")
