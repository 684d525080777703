"""Perceptual hashes and groups of near-duplicates.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create an empty table; the next index run hashes every picture."""
    op.create_table(
        "likenesses",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bits", sa.LargeBinary(length=32), nullable=True),
        sa.Column("anchor_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["anchor_id"], ["contents.id"], name=op.f("fk_likenesses_anchor_id_contents"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_likenesses_content_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_likenesses")),
    )
    op.create_index(op.f("ix_likenesses_anchor_id"), "likenesses", ["anchor_id"], unique=False)


def downgrade() -> None:
    """Drop the hashes, which can be computed again."""
    op.drop_index(op.f("ix_likenesses_anchor_id"), table_name="likenesses")
    op.drop_table("likenesses")
