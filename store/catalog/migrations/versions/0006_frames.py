"""Frames: several pictures in one file, each with its own vectors.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create empty tables. Vectors of first frames stay where they are, so that no library is rewritten."""
    op.add_column("contents", sa.Column("frame_count", sa.Integer(), nullable=True))
    op.create_table(
        "frames",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_frames_content_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "number", name=op.f("pk_frames")),
    )
    op.create_table(
        "frame_embeddings",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id", "number"],
            ["frames.content_id", "frames.number"],
            name=op.f("fk_frame_embeddings_content_id_frames"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_frame_embeddings_space_id_spaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "content_id", "number", name=op.f("pk_frame_embeddings")),
    )
    op.create_index(
        op.f("ix_frame_embeddings_content_id_number"), "frame_embeddings", ["content_id", "number"], unique=False
    )


def downgrade() -> None:
    """Drop the frames after the first; they can be read again from the files."""
    op.drop_index(op.f("ix_frame_embeddings_content_id_number"), table_name="frame_embeddings")
    op.drop_table("frame_embeddings")
    op.drop_table("frames")
    op.drop_column("contents", "frame_count")
