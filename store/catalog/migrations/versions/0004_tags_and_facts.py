"""Tags, ratings, titles, sidecar files, albums, and more EXIF fields.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FACTS = (
    ("focal_length", sa.Double),
    ("aperture", sa.Double),
    ("exposure", sa.Double),
    ("iso", sa.Integer),
    ("rating", sa.Integer),
    ("title", sa.String),
    ("description", sa.String),
)
INDEXED = ("camera", "lens", "latitude", "iso")


def upgrade() -> None:
    """Mark the metadata of every content as outdated, so that the next index run reads the headers again."""
    for name, kind in FACTS:
        op.add_column("contents", sa.Column(name, kind(), nullable=True))
    op.add_column("contents", sa.Column("facts_version", sa.Integer(), server_default="0", nullable=False))
    for name in INDEXED:
        op.create_index(op.f(f"ix_contents_{name}"), "contents", [name], unique=False)
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("key", name=op.f("uq_tags_key")),
    )
    op.create_table(
        "content_tags",
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_content_tags_content_id_contents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_content_tags_tag_id_tags"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tag_id", "content_id", "source", name=op.f("pk_content_tags")),
    )
    op.create_index(op.f("ix_content_tags_content_id"), "content_tags", ["content_id"], unique=False)
    op.create_table(
        "picture_tags",
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["pictures.id"], name=op.f("fk_picture_tags_picture_id_pictures"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_picture_tags_tag_id_tags"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tag_id", "picture_id", name=op.f("pk_picture_tags")),
    )
    op.create_index(op.f("ix_picture_tags_picture_id"), "picture_tags", ["picture_id"], unique=False)
    op.create_table(
        "sidecars",
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.Column("relpath", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["pictures.id"], name=op.f("fk_sidecars_picture_id_pictures"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_sidecars")),
    )
    op.create_table(
        "albums",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_albums")),
        sa.UniqueConstraint("key", name=op.f("uq_albums_key")),
    )


def downgrade() -> None:
    """Drop tags, albums and the new metadata."""
    for table in ("albums", "sidecars", "picture_tags", "content_tags", "tags"):
        op.drop_table(table)
    for name in INDEXED:
        op.drop_index(op.f(f"ix_contents_{name}"), table_name="contents")
    op.drop_column("contents", "facts_version")
    for name, _ in FACTS:
        op.drop_column("contents", name)
