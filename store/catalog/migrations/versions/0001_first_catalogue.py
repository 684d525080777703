"""The first catalogue: roots, pictures, contents, spaces, embeddings, failures, index generations.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "contents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("lens", sa.String(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contents")),
        sa.UniqueConstraint("digest", name=op.f("uq_contents_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_contents_size"), "contents", ["size"], unique=False)
    op.create_index(op.f("ix_contents_taken_at"), "contents", ["taken_at"], unique=False)
    op.create_table(
        "roots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roots")),
        sa.UniqueConstraint("path", name=op.f("uq_roots_path")),
    )
    op.create_table(
        "spaces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("weights", sa.String(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("preprocessing", sa.JSON(), nullable=False),
        sa.Column("dtype", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spaces")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_spaces_fingerprint")),
    )
    op.create_table(
        "embeddings",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_embeddings_content_id_contents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_embeddings_space_id_spaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "content_id", name=op.f("pk_embeddings")),
    )
    op.create_index(op.f("ix_embeddings_content_id"), "embeddings", ["content_id"], unique=False)
    op.create_table(
        "index_generations",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("vectors", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_index_generations_space_id_spaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", name=op.f("pk_index_generations")),
    )
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("active_space_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["active_space_id"], ["spaces.id"], name=op.f("fk_library_active_space_id_spaces")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
    )
    op.create_table(
        "pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("relpath", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name=op.f("fk_pictures_content_id_contents")),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_pictures_root_id_roots"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pictures")),
        sa.UniqueConstraint("root_id", "relpath", name=op.f("uq_pictures_root_id_relpath")),
    )
    op.create_index(op.f("ix_pictures_content_id_state"), "pictures", ["content_id", "state"], unique=False)
    op.create_index(op.f("ix_pictures_state"), "pictures", ["state"], unique=False)
    op.create_table(
        "failures",
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("transient", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_try_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["pictures.id"], name=op.f("fk_failures_picture_id_pictures"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_failures")),
    )


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("failures")
    op.drop_index(op.f("ix_pictures_state"), table_name="pictures")
    op.drop_index(op.f("ix_pictures_content_id_state"), table_name="pictures")
    op.drop_table("pictures")
    op.drop_table("library")
    op.drop_table("index_generations")
    op.drop_index(op.f("ix_embeddings_content_id"), table_name="embeddings")
    op.drop_table("embeddings")
    op.drop_table("spaces")
    op.drop_table("roots")
    op.drop_index(op.f("ix_contents_taken_at"), table_name="contents")
    op.drop_index(op.f("ix_contents_size"), table_name="contents")
    op.drop_table("contents")
