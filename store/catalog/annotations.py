"""The tables of what people, programs and models say of pictures: tags, sidecar files, albums.

What a user or a model says of a picture, and what is written into its bytes, belongs to the content: copies share it,
and a file that is moved keeps it. What stands in a sidecar file belongs to the one picture beside it.

    contents 1──* content_tags *──1 tags 1──* picture_tags *──1 pictures 1──1 sidecars
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from store.catalog.tables import Base

__all__ = ["Album", "ContentTag", "PictureTag", "Sidecar", "Tag", "TagSource"]


class TagSource(StrEnum):
    """Who says that a picture has a tag; each source is changed without the others."""

    USER = "user"
    """A person, with `sightline tag`."""
    FILE = "file"
    """A keyword that is written into the file itself (XMP, IPTC)."""
    SIDECAR = "sidecar"
    """A keyword in an XMP file beside it."""
    MODEL = "model"
    """A model, with a probability."""


class Tag(Base):
    """A tag that some picture has, or had."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """The name as it is compared: `store.catalog.collation.fold`."""
    name: Mapped[str]
    """As it was first written. `/` separates levels: `people/Anna` lies beneath `people`."""


class ContentTag(Base):
    """A content has a tag, says a source."""

    __tablename__ = "content_tags"
    __table_args__ = (Index(None, "content_id"),)

    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    probability: Mapped[float | None]
    """How sure a model is, 0 to 1; NULL from any other source."""


class PictureTag(Base):
    """A file has a tag, says the sidecar beside it."""

    __tablename__ = "picture_tags"
    __table_args__ = (Index(None, "picture_id"),)

    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)


class Sidecar(Base):
    """The XMP file beside a picture, as it was when it was last read."""

    __tablename__ = "sidecars"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    relpath: Mapped[bytes] = mapped_column(LargeBinary)
    """Relative to the picture's root."""
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    rating: Mapped[int | None]
    title: Mapped[str | None]
    description: Mapped[str | None]


class Album(Base):
    """A question that was given a name: what it shows changes with the library."""

    __tablename__ = "albums"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    query: Mapped[str]
    """The whole question in the grammar of searches, filters included, as it was asked."""
    condition: Mapped[str | None]
    """Its filters as JSON (`store/albums.py`), folders absolute; and whether there is more than filters."""
    top: Mapped[int]
    """How many pictures it shows at most, if words rank them."""
    created_at: Mapped[datetime]
