"""Dates with their time zone and kind, names of places and people, sidecars of any kind, files that a scan passed over.

Revision: 0007
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FACTS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("utc_offset", sa.Integer()),
    ("date_source", sa.String(length=10)),
    ("sublocation", sa.String()),
    ("city", sa.String()),
    ("region", sa.String()),
    ("country", sa.String()),
    ("duration", sa.Double()),
)
INDEXED = ("sublocation", "city", "region", "country")
FILE_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("ctime_ns", sa.BigInteger()),
    ("inode", sa.BigInteger()),
    ("companions", sa.LargeBinary()),
)


def upgrade() -> None:
    """Add the columns and tables, and list what the next index run reads again.

    These are all sidecars, which keep their values until then, and the files that could not be read: more can be now.
    """
    for name, kind in FACTS:
        op.add_column("contents", sa.Column(name, kind, nullable=True))
    for name in INDEXED:
        op.create_index(op.f(f"ix_contents_{name}"), "contents", [name], unique=False)
    op.execute("UPDATE contents SET date_source = 'original' WHERE taken_at IS NOT NULL")
    for name, kind in FILE_COLUMNS:
        op.add_column("pictures", sa.Column(name, kind, nullable=True))
    op.add_column("sidecars", sa.Column("files", sa.LargeBinary(), nullable=True))
    op.add_column("sidecars", sa.Column("facts", sa.JSON(), nullable=True))
    op.add_column("sidecars", sa.Column("content_id", sa.Integer(), nullable=True))
    for name in ("relpath", "size", "mtime_ns"):
        op.drop_column("sidecars", name)
    op.create_table(
        "people",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("left", sa.Double(), nullable=True),
        sa.Column("top", sa.Double(), nullable=True),
        sa.Column("width", sa.Double(), nullable=True),
        sa.Column("height", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_people_content_id_contents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "key", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_key"), "people", ["key"], unique=False)
    _create_places()
    op.create_table(
        "passed_over",
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.LargeBinary(), nullable=False),
        sa.Column("suffix", sa.String(length=16), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["root_id"], ["roots.id"], name=op.f("fk_passed_over_root_id_roots"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("root_id", "folder", "suffix", name=op.f("pk_passed_over")),
    )
    op.execute("UPDATE failures SET transient = true")


def _create_places() -> None:
    op.create_table(
        "places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(length=2), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
    )
    op.create_table(
        "place_names",
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_id"], ["places.id"], name=op.f("fk_place_names_place_id_places"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("place_id", "key", name=op.f("pk_place_names")),
    )
    op.create_index(op.f("ix_place_names_key"), "place_names", ["key"], unique=False)
    op.create_table(
        "content_places",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("gazetteer", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_content_places_content_id_contents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_content_places_place_id_places")),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_content_places")),
    )
    op.create_index(op.f("ix_content_places_place_id"), "content_places", ["place_id"], unique=False)


def downgrade() -> None:
    """Drop the columns and tables. Sidecars are read again by the next index run."""
    op.drop_table("passed_over")
    for table in ("content_places", "place_names", "places"):
        op.drop_table(table)
    op.drop_index(op.f("ix_people_key"), table_name="people")
    op.drop_table("people")
    op.add_column("sidecars", sa.Column("relpath", sa.LargeBinary(), server_default="", nullable=False))
    for name in ("size", "mtime_ns"):
        op.add_column("sidecars", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    for name in ("content_id", "facts", "files"):
        op.drop_column("sidecars", name)
    for name, _ in FILE_COLUMNS:
        op.drop_column("pictures", name)
    for name in INDEXED:
        op.drop_index(op.f(f"ix_contents_{name}"), table_name="contents")
    for name, _ in FACTS:
        op.drop_column("contents", name)
