"""What the catalogue knows about one content beyond its record: exposure, rating, texts, tags, and what failed."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from core.space import Space
from store.catalog.tables import Content, Picture, PictureState, Sidecar, SpaceRow, TextReadingRow, VectorFailure
from store.library import Library
from store.tags import TagRecord, tags_of

__all__ = ["ContentDetails", "ContentFailure", "RatingSource", "load_details"]


class RatingSource(StrEnum):
    """Where a rating comes from, the most trusted first."""

    USER = "user"
    SIDECAR = "sidecar"
    FILE = "file"


@dataclass(frozen=True)
class ContentFailure:
    """What could not be done with a content: embedding it in a space, or reading its text."""

    reason: str
    """A stable identifier."""
    detail: str
    space: str | None
    """The model that could not embed it; None if its text could not be read."""


@dataclass(frozen=True)
class ContentDetails:
    """The details of a content. Title, description and rating are those of the first file that has a sidecar with them,
    or else those in the file itself."""

    focal_length: float | None
    """Millimetres."""
    aperture: float | None
    """The f-number."""
    exposure: float | None
    """Seconds."""
    iso: int | None
    title: str | None
    description: str | None
    rating: int | None
    """1 to 5 stars, -1 for rejected; None for unrated."""
    rating_source: RatingSource | None
    tags: tuple[TagRecord, ...]
    failures: tuple[ContentFailure, ...]


def load_details(library: Library, content_id: int) -> ContentDetails | None:
    """Return the details of a content, or None for an unknown ID."""
    with library.read() as connection:
        content = connection.execute(select(Content.__table__).where(Content.id == content_id)).one_or_none()
        if content is None:
            return None
        sidecars = connection.execute(
            select(Sidecar.rating, Sidecar.title, Sidecar.description)
            .join(Picture, Picture.id == Sidecar.picture_id)
            .where(Picture.content_id == content_id, Picture.state == PictureState.PRESENT)
            .order_by(Picture.id)
        ).all()
        failures = _failures(connection, content_id)

    def of_sidecars(name: str) -> str | None:
        return next((value for row in sidecars if (value := getattr(row, name)) is not None), None)

    beside = next((row.rating for row in sidecars if row.rating is not None), None)
    rating, source = _first_rating(content.user_rating, beside, content.rating)
    return ContentDetails(
        focal_length=content.focal_length,
        aperture=content.aperture,
        exposure=content.exposure,
        iso=content.iso,
        title=of_sidecars("title") or content.title,
        description=of_sidecars("description") or content.description,
        rating=rating or None,
        rating_source=source if rating else None,
        tags=tuple(tags_of(library, [content_id]).get(content_id, ())),
        failures=failures,
    )


def _first_rating(user: int | None, sidecar: int | None, file: int | None) -> tuple[int | None, RatingSource | None]:
    """Return the rating that counts, and its source."""
    ratings = {RatingSource.USER: user, RatingSource.SIDECAR: sidecar, RatingSource.FILE: file}
    return next(((value, source) for source, value in ratings.items() if value is not None), (None, None))


def _failures(connection: Connection, content_id: int) -> tuple[ContentFailure, ...]:
    embedding = (
        select(VectorFailure.reason, VectorFailure.detail, SpaceRow.model, SpaceRow.weights)
        .join(SpaceRow, SpaceRow.id == VectorFailure.space_id)
        .where(VectorFailure.content_id == content_id)
        .order_by(SpaceRow.model)
    )
    reading = select(TextReadingRow.reason, TextReadingRow.detail).where(
        TextReadingRow.content_id == content_id, TextReadingRow.reason.is_not(None)
    )
    return (
        *(
            ContentFailure(row.reason, row.detail, Space(row.model, row.weights, 0).title)
            for row in connection.execute(embedding)
        ),
        *(ContentFailure(row.reason, row.detail or "", None) for row in connection.execute(reading)),
    )
