"""Text in pictures: what was read, its lines, and a full-text index of them.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and the index with the triggers that keep it up to date.

    The index has every sequence of three characters, so that it finds parts of words, and words of scripts without
    spaces. It has no text of its own.
    """
    op.create_table(
        "text_readings",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("recognizer", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_text_readings_content_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_text_readings")),
    )
    op.create_table(
        "text_frames",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("comparable", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_text_frames_content_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_frames")),
        sa.UniqueConstraint("content_id", "number", name=op.f("uq_text_frames_content_id_number")),
    )
    op.create_table(
        "text_lines",
        sa.Column("frame_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("corners", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["frame_id"], ["text_frames.id"], name=op.f("fk_text_lines_frame_id_text_frames"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("frame_id", "number", name=op.f("pk_text_lines")),
    )
    op.execute(
        "CREATE VIRTUAL TABLE text_index USING fts5("
        "comparable, content='text_frames', content_rowid='id', tokenize='trigram case_sensitive 1')"
    )
    # The row for a deleted text must have that text (https://www.sqlite.org/fts5.html, "External Content Tables").
    op.execute(
        "CREATE TRIGGER text_index_insert AFTER INSERT ON text_frames BEGIN "
        "INSERT INTO text_index (rowid, comparable) VALUES (new.id, new.comparable); END"
    )
    op.execute(
        "CREATE TRIGGER text_index_delete AFTER DELETE ON text_frames BEGIN "
        "INSERT INTO text_index (text_index, rowid, comparable) VALUES ('delete', old.id, old.comparable); END"
    )


def downgrade() -> None:
    """Drop the tables with all texts."""
    op.execute("DROP TRIGGER text_index_delete")
    op.execute("DROP TRIGGER text_index_insert")
    op.execute("DROP TABLE text_index")
    for name in ("text_lines", "text_frames", "text_readings"):
        op.drop_table(name)
