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
    """Create the tables, and list the pictures that may have several frames; the next index run reads them again.

    Vectors of first frames stay where they are, so that no library is rewritten.
    """
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
    op.create_table(
        "unread_frames",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_unread_frames_content_id_contents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_unread_frames_space_id_spaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "content_id", name=op.f("pk_unread_frames")),
    )
    op.create_index(op.f("ix_unread_frames_content_id"), "unread_frames", ["content_id"], unique=False)
    op.execute(
        "INSERT INTO unread_frames SELECT spaces.id, contents.id FROM contents"
        " JOIN embeddings ON content_id = contents.id JOIN spaces ON spaces.id = space_id"
        " WHERE format IN ('TIFF', 'GIF') AND weights NOT LIKE 'imported:%'"
    )


def downgrade() -> None:
    """Drop the frames after the first; they can be read again from the files.

    Index files that contain their vectors are built again.
    """
    op.execute("DELETE FROM index_generations WHERE space_id IN (SELECT space_id FROM frame_embeddings)")
    op.drop_index(op.f("ix_unread_frames_content_id"), table_name="unread_frames")
    op.drop_table("unread_frames")
    op.drop_index(op.f("ix_frame_embeddings_content_id_number"), table_name="frame_embeddings")
    op.drop_table("frame_embeddings")
    op.drop_table("frames")
