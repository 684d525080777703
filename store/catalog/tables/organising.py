"""User data about pictures: tags, albums, and pictures that are no near-duplicates."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, false, text

from store.catalog.tables.base import Base
from store.catalog.tables.mapping import Mapped, mapped_column

__all__ = ["Album", "AlbumContent", "ContentTag", "DistinctPair", "PictureTag", "ReplacedContent", "Tag", "TagSource"]


class TagSource(StrEnum):
    """Where a tag comes from. The tags of one source are changed independently of the others."""

    USER = "user"
    """Given by a user."""
    FILE = "file"
    """A keyword embedded in the file (XMP, IPTC)."""
    SIDECAR = "sidecar"
    """A keyword in the XMP sidecar file."""
    MODEL = "model"
    """Assigned by a model, with a probability."""


class Tag(Base):
    """A tag, used by at least one picture or left over from one."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """The name in its comparable form: `store.catalog.collation.fold`."""
    name: Mapped[str]
    """The name as first written. `/` separates levels: `people/Anna` is below `people`."""


class ContentTag(Base):
    """A tag of a content, from one source."""

    __tablename__ = "content_tags"
    __table_args__ = (
        Index(None, "content_id"),
        Index("ix_content_tags_by_users", "content_id", sqlite_where=text("source = 'user'")),
    )

    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    probability: Mapped[float | None]
    """0 to 1, from a model; NULL for any other source."""


class PictureTag(Base):
    """A tag of a single picture, from its sidecar file."""

    __tablename__ = "picture_tags"
    __table_args__ = (Index(None, "picture_id"),)

    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)


class Album(Base):
    """A saved search, whose pictures change with the library, or pictures that were put together by hand."""

    __tablename__ = "albums"

    id: Mapped[int] = mapped_column(primary_key=True)
    by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The album has the rows of `album_contents`; `query`, `condition` and `top` mean nothing."""
    cover_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id", ondelete="SET NULL"))
    """The content to show for the album; None for its first one."""
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    query: Mapped[str]
    """The whole query as it was entered, including its filters."""
    condition: Mapped[str | None]
    """The filters as JSON with absolute folders, and whether the query has more than filters; see `store.albums`."""
    top: Mapped[int]
    """The maximum number of pictures to show, if the query ranks them."""
    created_at: Mapped[datetime]


class AlbumContent(Base):
    """A content in an album that was put together by hand. It belongs to the album while its file is missing."""

    __tablename__ = "album_contents"
    __table_args__ = (Index(None, "album_id", "position"),)

    album_id: Mapped[int] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int]
    """Ascending in the order of the album; numbers may be missing."""


class DistinctPair(Base):
    """Two contents that are declared not to be near-duplicates of each other."""

    __tablename__ = "distinct_pairs"
    __table_args__ = (CheckConstraint("first_id < second_id", name="order"),)

    first_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    second_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)


class ReplacedContent(Base):
    """A content that an index run did not find any more where it was; see `store.ingest.replaced_contents`."""

    __tablename__ = "replaced_contents"

    id: Mapped[int] = mapped_column(primary_key=True)
    """Ascending in the order in which the contents were replaced."""
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"), index=True)
    beneath: Mapped[bytes] = mapped_column(LargeBinary)
    """The folder that the run indexes, relative to the root; empty for the root itself."""
    content_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id", ondelete="SET NULL"), index=True)
    """The content in its place. None if that is a copy of another picture, or unreadable."""
    replaced_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), index=True)
    is_run_complete: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A run has looked at all files of the folder since then."""
