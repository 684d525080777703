"""The contents of files, and what was found in them: facts, frames, hashes, people, places and text."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text

from store.catalog.tables.base import Base
from store.catalog.tables.mapping import Mapped, mapped_column

__all__ = [
    "Content",
    "ContentPlace",
    "FrameRow",
    "NamedPlace",
    "PerceptualHashRow",
    "PersonRow",
    "PlaceName",
    "PlaceRow",
    "TextFrame",
    "TextLineRow",
    "TextReadingRow",
]


class Content(Base):
    """Unique file content, shared by all copies of a file."""

    __tablename__ = "contents"
    # IDs are never reused: in an outdated index file, an old vector must not refer to a new content.
    # The index has all that the timeline needs of a content.
    __table_args__ = (
        Index(None, "taken_at", "id", "width", "height"),
        Index(None, "latitude", "longitude"),
        Index(None, "user_rating", sqlite_where=text("user_rating IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the whole file, or of the collection's name and the ID for a document."""
    size: Mapped[int] = mapped_column(BigInteger, index=True)
    format: Mapped[str] = mapped_column(String(16))
    """`JPEG`, `PNG`, ...; empty for a document, which also has zero sizes."""
    width: Mapped[int]
    height: Mapped[int]
    """Pixels of the full picture, after applying the EXIF orientation."""
    taken_at: Mapped[datetime | None]
    """Local time of the camera, without a time zone."""
    utc_offset: Mapped[int | None]
    """Minutes that `taken_at` is ahead of UTC, where the source says it."""
    date_source: Mapped[str | None] = mapped_column(String(10))
    """A `core.metadata.DateSource`: what `taken_at` is."""
    camera: Mapped[str | None] = mapped_column(index=True)
    lens: Mapped[str | None] = mapped_column(index=True)
    latitude: Mapped[float | None]
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
    user_rating: Mapped[int | None]
    """The same, given by a user. It outranks the file and its sidecar, and no index run changes it."""
    title: Mapped[str | None]
    description: Mapped[str | None]
    sublocation: Mapped[str | None] = mapped_column(index=True)
    """A part of a city, or a sight."""
    city: Mapped[str | None] = mapped_column(index=True)
    region: Mapped[str | None] = mapped_column(index=True)
    """State or province."""
    country: Mapped[str | None] = mapped_column(index=True)
    duration: Mapped[float | None]
    """Seconds, of a video."""
    color: Mapped[int | None]
    """The average colour as 0xRRGGBB, shown until the picture is there; None if it was indexed before it was stored."""
    facts_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Version of the code that read this metadata. Metadata of an older version is read again."""
    pixels_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Version of the code that decoded the pixels, or found them unchanged since (`core.pixels_version`)."""


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


class PersonRow(Base):
    """A person in a content, as a program for photographs recorded it."""

    __tablename__ = "people"
    __table_args__ = (Index(None, "key"),)

    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """The name in its comparable form: `store.catalog.collation.fold`."""
    name: Mapped[str]
    left: Mapped[float | None]
    top: Mapped[float | None]
    width: Mapped[float | None]
    height: Mapped[float | None]
    """The area of the face in the upright picture, as shares of its width and height; None if it is not known."""


class PlaceRow(Base):
    """A populated place near which pictures of the library were taken."""

    __tablename__ = "places"

    id: Mapped[int] = mapped_column(primary_key=True)
    """Of GeoNames."""
    city: Mapped[str]
    region: Mapped[str | None]
    """State or province."""
    country: Mapped[str]
    country_code: Mapped[str] = mapped_column(String(2))


class PlaceName(Base):
    """A name of a place, its region or its country, in any language."""

    __tablename__ = "place_names"
    __table_args__ = (Index(None, "key"),)

    place_id: Mapped[int] = mapped_column(ForeignKey("places.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """The name in its comparable form: `store.catalog.collation.fold`."""


class ContentPlace(Base):
    """The place of a content, as a gazetteer gave it for the position of the content at that time."""

    __tablename__ = "content_places"

    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"), index=True)
    """None if no place is near."""
    latitude: Mapped[float]
    longitude: Mapped[float]
    gazetteer: Mapped[str] = mapped_column(String(40))
    """Name and version. A content is looked up again when it or the position has changed."""


class NamedPlace(Base):
    """The place of a gazetteer that files mean by the names of a city and a country, in any language."""

    __tablename__ = "named_places"

    city: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    """As `Content` has them; empty if the files name no country."""
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"), index=True)
    """None if the gazetteer knows no such city."""
    gazetteer: Mapped[str] = mapped_column(String(40))


class TextReadingRow(Base):
    """The last attempt to read the text in a content."""

    __tablename__ = "text_readings"

    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    recognizer: Mapped[str]
    version: Mapped[str]
    reason: Mapped[str | None] = mapped_column(String(32))
    """Why it failed, as a stable identifier; None if it succeeded."""
    detail: Mapped[str | None]


class TextFrame(Base):
    """The text in one frame of a content. The full-text index `text_index` refers to its rows."""

    __tablename__ = "text_frames"
    __table_args__ = (UniqueConstraint("content_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"))
    number: Mapped[int]
    """The number of the frame, from 0."""
    comparable: Mapped[str]
    """All lines in their comparable form (`store.catalog.text_comparison`)."""


class TextLineRow(Base):
    """A line of text in a frame."""

    __tablename__ = "text_lines"

    frame_id: Mapped[int] = mapped_column(ForeignKey("text_frames.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 0, in reading order."""
    text: Mapped[str]
    confidence: Mapped[float]
    """0 to 1."""
    corners: Mapped[bytes] = mapped_column(LargeBinary(32))
    """x and y of its four corners, clockwise from the top left, as 8 little-endian float32: shares of the width and
    height of the upright frame."""
