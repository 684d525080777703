"""The tables of a library's catalogue. The catalogue is authoritative; index files are derived from it.

A *content* is a sequence of bytes, identified by its SHA-256; a *picture* is a file with that content. Embeddings
belong to contents, so copies share one vector, and a file that is moved or restored keeps its vector.

    roots 1──* pictures *──1 contents 1──* embeddings *──1 spaces 1──1 index_generations
                  └──1 failures         ├──* vector_failures *──1 spaces
                                        └──1 likenesses (perceptual hashes)

A content has one *frame* or several, such as pages. Its first frame, the only one of a still picture, is embedded in
`embeddings`. The tables `frames` and `frame_embeddings` have rows only for contents with several frames.

    contents 1──* frames 1──* frame_embeddings *──1 spaces

Tags given by a user or a model, and keywords embedded in a file, belong to the content: copies share them. The metadata
in a sidecar file belongs to the one picture next to it.

    contents 1──* content_tags *──1 tags 1──* picture_tags *──1 pictures 1──1 sidecars
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "Album",
    "Base",
    "Content",
    "ContentTag",
    "Embedding",
    "Failure",
    "FrameEmbedding",
    "FrameRow",
    "IndexGeneration",
    "LibraryState",
    "PerceptualHashRow",
    "Picture",
    "PictureState",
    "PictureTag",
    "Root",
    "RootKind",
    "Sidecar",
    "SpaceRow",
    "Tag",
    "TagSource",
    "UnreadFrames",
    "VectorFailure",
]


class PictureState(StrEnum):
    """The state of a file, as of the last scan of its folder."""

    PRESENT = "present"
    """Found by the last scan; its content is in the catalogue."""
    MISSING = "missing"
    """Not found by the last scan; its metadata and vectors are kept."""
    FAILED = "failed"
    """Found, but not readable as a picture; the `failures` table records why."""


class RootKind(StrEnum):
    """What a root contains."""

    FOLDER = "folder"
    """Files."""
    COLLECTION = "collection"
    """Imported documents: each has an ID and a vector, but no file."""


class Base(DeclarativeBase):
    """Base class of all tables. Every constraint gets a name, so that migrations can refer to it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class LibraryState(Base):
    """A single row with the state of the library as a whole."""

    __tablename__ = "library"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    """Incremented by every transaction that changes the searchable vectors or the active space."""
    active_space_id: Mapped[int | None] = mapped_column(ForeignKey("spaces.id"))
    created_at: Mapped[datetime]


class Root(Base):
    """A folder of pictures that the library covers, or the collection of documents of an imported space.

    Documents are rows of `pictures` and `contents`, like files, so every query works on both. They are never scanned.
    """

    __tablename__ = "roots"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """Folder: the absolute path as file system bytes, not necessarily UTF-8. Collection: its name."""
    added_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(10), default=RootKind.FOLDER, server_default=RootKind.FOLDER)


class Content(Base):
    """Unique file content, shared by all copies of a file."""

    __tablename__ = "contents"
    # IDs are never reused: in an outdated index file, an old vector must not refer to a new content.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the whole file, or of the collection's name and the ID for a document."""
    size: Mapped[int] = mapped_column(BigInteger, index=True)
    format: Mapped[str] = mapped_column(String(16))
    """`JPEG`, `PNG`, ...; empty for a document, which also has zero sizes."""
    width: Mapped[int]
    height: Mapped[int]
    """Pixels of the full picture, after applying the EXIF orientation."""
    taken_at: Mapped[datetime | None] = mapped_column(index=True)
    """Local time of the camera, without a time zone."""
    camera: Mapped[str | None] = mapped_column(index=True)
    lens: Mapped[str | None] = mapped_column(index=True)
    latitude: Mapped[float | None] = mapped_column(index=True)
    longitude: Mapped[float | None]
    focal_length: Mapped[float | None]
    """Millimetres, not converted to 35 mm equivalent."""
    aperture: Mapped[float | None]
    """The f-number."""
    exposure: Mapped[float | None]
    """Seconds."""
    iso: Mapped[int | None] = mapped_column(index=True)
    rating: Mapped[int | None]
    """1 to 5 stars, -1 for rejected, 0 for unrated, as embedded in the file."""
    title: Mapped[str | None]
    description: Mapped[str | None]
    facts_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Version of the code that read this metadata. Metadata of an older version is read again."""


class FrameRow(Base):
    """A frame of a content with several frames, the first one included."""

    __tablename__ = "frames"

    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 0, in the order of the file."""
    kind: Mapped[str] = mapped_column(String(8))
    """A `core.frames.FrameKind`."""
    seconds: Mapped[float | None]
    """The time of a moment."""


class Picture(Base):
    """A file of the library, identified by its root and its path relative to it."""

    __tablename__ = "pictures"
    __table_args__ = (
        UniqueConstraint("root_id", "relpath"),
        Index(None, "content_id", "state"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"))
    relpath: Mapped[bytes] = mapped_column(LargeBinary)
    """Path relative to the root, as file system bytes separated by `/`; the ID of a document."""
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id"))
    state: Mapped[str] = mapped_column(String(8))


class Failure(Base):
    """The reason why a picture is in the state `failed`."""

    __tablename__ = "failures"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    """A stable identifier: the `reason` of a `PictureError`."""
    detail: Mapped[str]
    transient: Mapped[bool]
    """The same bytes may be readable later, so the next run tries again."""
    tries: Mapped[int]
    last_try_at: Mapped[datetime]


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


class IndexGeneration(Base):
    """The current index file of a space, with what is needed to verify it."""

    __tablename__ = "index_generations"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    """The revision of the space that the file reflects. If the space has a later one, the file is outdated."""
    filename: Mapped[str]
    vectors: Mapped[int] = mapped_column(BigInteger)
    """Number of vectors in the file."""
    checksum: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the file."""
    created_at: Mapped[datetime]


class PerceptualHashRow(Base):
    """The perceptual hash of a content and its group of near-duplicates. Both can be recomputed from the pictures.

    A content without a row has not been hashed yet.
    """

    __tablename__ = "likenesses"

    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    """Version of the hash function. Hashes of different versions are not compared."""
    bits: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """None if the picture has too little detail to hash."""
    anchor_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id", ondelete="SET NULL"), index=True)
    """The content that represents the group. Every member is near its anchor, and an anchor is its own anchor. None if
    the content has not been compared yet, or if its anchor was forgotten."""


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
    __table_args__ = (Index(None, "content_id"),)

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


class Sidecar(Base):
    """The XMP sidecar file of a picture, as it was when it was last read."""

    __tablename__ = "sidecars"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    relpath: Mapped[bytes] = mapped_column(LargeBinary)
    """Relative to the root of the picture."""
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    rating: Mapped[int | None]
    title: Mapped[str | None]
    description: Mapped[str | None]


class Album(Base):
    """A saved search. What it shows changes with the library."""

    __tablename__ = "albums"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    query: Mapped[str]
    """The whole query as it was entered, including its filters."""
    condition: Mapped[str | None]
    """The filters as JSON with absolute folders, and whether the query has more than filters; see `store.albums`."""
    top: Mapped[int]
    """The maximum number of pictures to show, if the query ranks them."""
    created_at: Mapped[datetime]
