"""Several spaces: each has its own revision, can be filled gradually, and records what its model could not embed.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep index files as current as they are, and have pictures with vector failures read again."""
    op.add_column("spaces", sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("spaces", sa.Column("filling_since", sa.DateTime(), nullable=True))
    op.execute(sa.text("UPDATE spaces SET revision = COALESCE((SELECT revision FROM library), 0)"))
    op.create_table(
        "vector_failures",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_try_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_vector_failures_content_id_contents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_vector_failures_space_id_spaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "content_id", name=op.f("pk_vector_failures")),
    )
    op.create_index(op.f("ix_vector_failures_content_id"), "vector_failures", ["content_id"], unique=False)
    # What such a file held was given up, in every space; the next index run finds it out again and keeps it.
    op.execute(sa.text("UPDATE failures SET transient = 1 WHERE reason = 'bad-vector'"))


def downgrade() -> None:
    """Drop the vector failures; embeddings stay."""
    op.execute(
        sa.text("UPDATE index_generations SET revision = -1 WHERE revision <> "
                "(SELECT spaces.revision FROM spaces WHERE spaces.id = index_generations.space_id)")
    )  # fmt: skip
    op.execute(
        sa.text("UPDATE index_generations SET revision = COALESCE((SELECT revision FROM library), 0) "
                "WHERE revision >= 0")
    )  # fmt: skip
    op.drop_index(op.f("ix_vector_failures_content_id"), table_name="vector_failures")
    op.drop_table("vector_failures")
    op.drop_column("spaces", "filling_since")
    op.drop_column("spaces", "revision")
