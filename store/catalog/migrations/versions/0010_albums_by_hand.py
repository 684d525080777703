"""Albums put together by hand, ratings by users, pairs that are not near-duplicates, and average colours.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables. Existing albums stay saved searches."""
    op.add_column("contents", sa.Column("color", sa.Integer(), nullable=True))
    op.add_column("contents", sa.Column("user_rating", sa.Integer(), nullable=True))
    op.drop_index(op.f("ix_contents_taken_at"), table_name="contents")
    columns = ["taken_at", "id", "width", "height"]
    op.create_index(op.f("ix_contents_taken_at_id_width_height"), "contents", columns, unique=False)
    op.drop_index(op.f("ix_contents_latitude"), table_name="contents")
    op.create_index(op.f("ix_contents_latitude_longitude"), "contents", ["latitude", "longitude"], unique=False)
    with op.batch_alter_table("albums") as batch:
        batch.add_column(sa.Column("by_hand", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("cover_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_albums_cover_id_contents"), "contents", ["cover_id"], ["id"], ondelete="SET NULL"
        )
    op.create_table(
        "album_contents",
        sa.Column("album_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["album_id"], ["albums.id"], name=op.f("fk_album_contents_album_id_albums"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_album_contents_content_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("album_id", "content_id", name=op.f("pk_album_contents")),
    )
    op.create_index(
        op.f("ix_album_contents_album_id_position"), "album_contents", ["album_id", "position"], unique=False
    )
    op.create_index(op.f("ix_album_contents_content_id"), "album_contents", ["content_id"], unique=False)
    op.create_table(
        "distinct_pairs",
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_distinct_pairs_order")),
        sa.ForeignKeyConstraint(
            ["first_id"], ["contents.id"], name=op.f("fk_distinct_pairs_first_id_contents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["contents.id"], name=op.f("fk_distinct_pairs_second_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_distinct_pairs")),
    )
    op.create_index(op.f("ix_distinct_pairs_second_id"), "distinct_pairs", ["second_id"], unique=False)
    op.create_table(
        "replaced_contents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("beneath", sa.LargeBinary(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("replaced_id", sa.Integer(), nullable=False),
        sa.Column("is_run_complete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["root_id"], ["roots.id"], name=op.f("fk_replaced_contents_root_id_roots"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_replaced_contents_content_id_contents"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["replaced_id"], ["contents.id"], name=op.f("fk_replaced_contents_replaced_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replaced_contents")),
    )
    for column in ("content_id", "replaced_id", "root_id"):
        op.create_index(op.f(f"ix_replaced_contents_{column}"), "replaced_contents", [column], unique=False)


def downgrade() -> None:
    """Drop the columns and tables."""
    op.drop_table("replaced_contents")
    op.drop_table("distinct_pairs")
    op.drop_table("album_contents")
    op.execute("DELETE FROM albums WHERE by_hand")
    with op.batch_alter_table("albums") as batch:
        batch.drop_constraint(op.f("fk_albums_cover_id_contents"), type_="foreignkey")
        batch.drop_column("cover_id")
        batch.drop_column("by_hand")
    op.drop_index(op.f("ix_contents_latitude_longitude"), table_name="contents")
    op.create_index(op.f("ix_contents_latitude"), "contents", ["latitude"], unique=False)
    op.drop_index(op.f("ix_contents_taken_at_id_width_height"), table_name="contents")
    op.create_index(op.f("ix_contents_taken_at"), "contents", ["taken_at"], unique=False)
    op.drop_column("contents", "user_rating")
    op.drop_column("contents", "color")
