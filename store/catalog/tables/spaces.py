"""The spaces of a library, their vectors, and the index files that were published."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String

from store.catalog.tables.base import Base
from store.catalog.tables.mapping import Mapped, mapped_column

__all__ = [
    "Embedding",
    "FrameEmbedding",
    "IndexGeneration",
    "SpaceRow",
    "UnreadFrames",
    "VectorChange",
    "VectorFailure",
]


class SpaceRow(Base):
    """An embedding space with vectors in the library."""

    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    model: Mapped[str]
    weights: Mapped[str]
    dim: Mapped[int]
    preprocessing: Mapped[dict[str, Any]] = mapped_column(JSON)
    dtype: Mapped[str] = mapped_column(String(8))
    """Data type of the stored vectors: `float16` or `float32`, little-endian."""
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """The revision of the library when the searchable vectors of this space last changed."""
    filling_since: Mapped[datetime | None]
    """When filling the space with the existing contents began; None once it is complete."""


class Embedding(Base):
    """The unit vector of one content in one space: that of its first frame."""

    __tablename__ = "embeddings"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """`dim` numbers of the `dtype` of the space."""


class UnreadFrames(Base):
    """A content that may have several frames, but whose first one alone was embedded in a space by an older version."""

    __tablename__ = "unread_frames"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)


class FrameEmbedding(Base):
    """The unit vector of a frame after the first in one space."""

    __tablename__ = "frame_embeddings"
    __table_args__ = (
        ForeignKeyConstraint(["content_id", "number"], ["frames.content_id", "frames.number"], ondelete="CASCADE"),
        Index(None, "content_id", "number"),
    )

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """1 or more."""
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """`dim` numbers of the `dtype` of the space."""


class VectorFailure(Base):
    """The reason why a content has no vector in one space. Other spaces are not affected."""

    __tablename__ = "vector_failures"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)
    reason: Mapped[str] = mapped_column(String(32))
    """A stable identifier: `bad-vector`."""
    detail: Mapped[str]
    tries: Mapped[int]
    last_try_at: Mapped[datetime]


class VectorChange(Base):
    """A content that may have other findable vectors than before. See `store.catalog.change_feed`.

    Triggers write the rows. They are no references: the space or the content may be gone.
    """

    __tablename__ = "vector_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    """Consecutive, in the order of the transactions."""
    space_id: Mapped[int | None]
    """The space in which a vector was added, replaced or deleted; None if the files of the content changed."""
    content_id: Mapped[int]


class IndexGeneration(Base):
    """The current index file of a space, with what is needed to verify it."""

    __tablename__ = "index_generations"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    """The revision of the space that the file reflects. If the space has a later one, the file is outdated."""
    position: Mapped[int | None] = mapped_column(BigInteger)
    """The last change in `vector_changes` that the file reflects; None in a file that an earlier version announced."""
    filename: Mapped[str]
    vectors: Mapped[int] = mapped_column(BigInteger)
    """Number of vectors in the file."""
    checksum: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the file."""
    created_at: Mapped[datetime]
