"""The response with everything that is known about one picture."""

from dataclasses import asdict

from store.albums.by_hand import albums_with
from store.catalog.tables import TagSource
from store.details import RatingSource, load_details
from store.frames import list_frames
from store.library import Library
from store.queries import load_content_record
from store.texts import load_texts
from web.errors import NotFound
from web.responses import FrameResponse, PictureResponse, ResponseModel, TextLineResponse

__all__ = ["PictureDetailsResponse", "find_details"]


class PictureTagResponse(ResponseModel):
    """A tag of the picture."""

    name: str
    source: TagSource
    """Who gave it: a `user`, the `file`, its `sidecar` or a `model`. Only those of users can be removed."""
    probability: float | None
    """0 to 1, of a model that says it."""


class PictureFailureResponse(ResponseModel):
    """What could not be done with the picture."""

    reason: str
    """A stable identifier."""
    detail: str
    space: str | None
    """The model that could not embed it; null if its text could not be read."""


class PictureDetailsResponse(PictureResponse):
    """What the library stores about a picture, and its frames."""

    title: str | None
    description: str | None
    focal_length: float | None
    """Millimetres."""
    aperture: float | None
    """The f-number."""
    exposure: float | None
    """Seconds."""
    iso: int | None
    rating: int | None
    """1 to 5 stars, -1 for rejected; null for unrated."""
    rating_source: RatingSource | None
    """Who gave the rating that counts: a `user`, the `sidecar` or the `file`."""
    tags: list[PictureTagResponse]
    albums: list[str]
    """Names of the albums by hand that contain it."""
    frames: list[FrameResponse]
    """All frames of a file that has several; empty for a still picture."""
    texts: list[TextLineResponse]
    """All text that was read in the picture."""
    failures: list[PictureFailureResponse]


def find_details(library: Library, content_id: int) -> PictureDetailsResponse:
    """Return everything that is known about a picture. Raises `NotFound`."""
    record, details = load_content_record(library, content_id), load_details(library, content_id)
    if record is None or details is None:
        raise NotFound
    texts = [
        TextLineResponse.of(frame.number, line)
        for frame in load_texts(library, [content_id]).get(content_id, [])
        for line in frame.lines
    ]
    return PictureDetailsResponse(
        **PictureResponse.of(record).model_dump(),
        title=details.title,
        description=details.description,
        focal_length=details.focal_length,
        aperture=details.aperture,
        exposure=details.exposure,
        iso=details.iso,
        rating=details.rating,
        rating_source=details.rating_source,
        tags=[PictureTagResponse(**asdict(tag)) for tag in details.tags],
        albums=albums_with(library, content_id),
        frames=[FrameResponse.of(frame) for frame in list_frames(library, content_id)],
        texts=texts,
        failures=[PictureFailureResponse(**asdict(failure)) for failure in details.failures],
    )
