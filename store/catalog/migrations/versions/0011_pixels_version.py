"""The version of the code that decoded the pixels of a content, and the places that files mean by names of cities.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table. The next index run looks for files that are shown with other pixels now."""
    op.add_column("contents", sa.Column("pixels_version", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "named_places",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("gazetteer", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_named_places_place_id_places")),
        sa.PrimaryKeyConstraint("city", "country", name=op.f("pk_named_places")),
    )
    op.create_index(op.f("ix_named_places_place_id"), "named_places", ["place_id"], unique=False)


def downgrade() -> None:
    """Drop the column and the table."""
    op.drop_index(op.f("ix_named_places_place_id"), table_name="named_places")
    op.drop_table("named_places")
    op.drop_column("contents", "pixels_version")
