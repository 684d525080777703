"""The tables of a library's catalogue. What the catalogue says is the truth; every index is derived from it.

A *content* is what a file's bytes hold, known by their SHA-256; a *picture* is a file that holds it. Embeddings belong
to contents, so that copies share one vector, and a moved or restored file keeps its own.

    roots 1──* pictures *──1 contents 1──* embeddings *──1 spaces 1──1 index_generations
                  └──1 failures         └──* vector_failures *──1 spaces
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "Base",
    "Content",
    "Embedding",
    "Failure",
    "IndexGeneration",
    "LibraryState",
    "Picture",
    "Root",
    "RootKind",
    "SpaceRow",
    "State",
    "VectorFailure",
]


class State(StrEnum):
    """What a library knows of a file; never guessed."""

    PRESENT = "present"
    """Seen by the last scan, and its content is known."""
    MISSING = "missing"
    """Not seen by the last scan of its folder; everything known of it is kept."""
    FAILED = "failed"
    """Seen, but it could not become a picture; the failures table says why."""


class RootKind(StrEnum):
    """What lies beneath a root."""

    FOLDER = "folder"
    """Files."""
    COLLECTION = "collection"
    """Documents of which the library has only the vector, each known by an id."""


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class LibraryState(Base):
    """One row: what is true of the library as a whole."""

    __tablename__ = "library"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    """Raised by every transaction that changes which vectors can be found, or which space answers."""
    active_space_id: Mapped[int | None] = mapped_column(ForeignKey("spaces.id"))
    created_at: Mapped[datetime]


class Root(Base):
    """A folder of pictures that the library covers, or a collection of documents that came with an imported space.

    Documents are rows of `pictures` and `contents` as files are, so that whatever is asked of a picture can be asked of
    them; a scan never comes to them.
    """

    __tablename__ = "roots"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """Of a folder: absolute, as the operating system spells it; names need not be UTF-8. Of a collection: its name."""
    added_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(10), default=RootKind.FOLDER, server_default=RootKind.FOLDER)


class Content(Base):
    """What some bytes hold: one picture, however many files carry it."""

    __tablename__ = "contents"
    # Identifiers are never used again: an index that lags behind must not give an old vector a new meaning.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the whole file; of a document, of its collection's name and its id."""
    size: Mapped[int] = mapped_column(BigInteger, index=True)
    format: Mapped[str] = mapped_column(String(16))
    """`JPEG`, `PNG`, ...; empty for a document, whose sizes are zero."""
    width: Mapped[int]
    height: Mapped[int]
    """Pixels of the full picture, upright."""
    taken_at: Mapped[datetime | None] = mapped_column(index=True)
    """Local time of the camera, without a zone."""
    camera: Mapped[str | None] = mapped_column(index=True)
    lens: Mapped[str | None] = mapped_column(index=True)
    latitude: Mapped[float | None] = mapped_column(index=True)
    longitude: Mapped[float | None]
    focal_length: Mapped[float | None]
    """Millimetres, of the lens itself."""
    aperture: Mapped[float | None]
    """The f-number."""
    exposure: Mapped[float | None]
    """Seconds."""
    iso: Mapped[int | None] = mapped_column(index=True)
    rating: Mapped[int | None]
    """1 to 5 stars, -1 for rejected, 0 for none, as the file itself says."""
    title: Mapped[str | None]
    description: Mapped[str | None]
    facts_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of the code that read these facts from the file: an older one may have passed something over."""


class Picture(Base):
    """A file the library knows, by its place beneath a root."""

    __tablename__ = "pictures"
    __table_args__ = (
        UniqueConstraint("root_id", "relpath"),
        Index(None, "content_id", "state"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"))
    relpath: Mapped[bytes] = mapped_column(LargeBinary)
    """Bytes as the operating system spells them, separated by `/`; of a document, its id."""
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id"))
    state: Mapped[str] = mapped_column(String(8))


class Failure(Base):
    """Why a picture is in the state `failed`."""

    __tablename__ = "failures"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    """A stable word: the `reason` of a `PictureError`."""
    detail: Mapped[str]
    transient: Mapped[bool]
    """The same bytes may succeed later: the next run tries again."""
    tries: Mapped[int]
    last_try_at: Mapped[datetime]


class SpaceRow(Base):
    """An embedding space of which the library holds vectors."""

    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    model: Mapped[str]
    weights: Mapped[str]
    dim: Mapped[int]
    preprocessing: Mapped[dict[str, Any]] = mapped_column(JSON)
    dtype: Mapped[str] = mapped_column(String(8))
    """Of the stored vectors: `float16` or `float32`, little-endian."""
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """What the library's revision was when the vectors that can be found in this space last changed."""
    filling_since: Mapped[datetime | None]
    """When somebody began to fill it with what the library holds already; None once that is done."""


class Embedding(Base):
    """The unit vector of one content in one space."""

    __tablename__ = "embeddings"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """`dim` numbers of the space's `dtype`."""


class VectorFailure(Base):
    """Why a content has no vector in one space. The picture is known all the same, and found in other spaces."""

    __tablename__ = "vector_failures"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True, index=True)
    reason: Mapped[str] = mapped_column(String(32))
    """A stable word: `bad-vector`."""
    detail: Mapped[str]
    tries: Mapped[int]
    last_try_at: Mapped[datetime]


class IndexGeneration(Base):
    """The index file of a space that readers should use, and what it must look like."""

    __tablename__ = "index_generations"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    """The space's revision that this file reflects; a later one makes it stale."""
    filename: Mapped[str]
    vectors: Mapped[int] = mapped_column(BigInteger)
    """How many the file holds."""
    checksum: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the file."""
    created_at: Mapped[datetime]
