"""Response models that several routes share. Field names are those of the command line's JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from core.frames import Frame, FrameKind
from search.results import Hit
from store.queries import ContentRecord
from web.errors import printable

__all__ = [
    "FacetValueResponse",
    "FacetsResponse",
    "FrameResponse",
    "HitResponse",
    "NearDuplicatesResponse",
    "PictureResponse",
    "ResponseModel",
    "SearchResponse",
]


class ResponseModel(BaseModel):
    """Base of all response models; the string below a field is its description in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class FrameResponse(ResponseModel):
    """One frame of a file that has several: a page or a moment."""

    number: int
    """From 0, in the order of the file, for `frame` in requests."""
    kind: FrameKind
    seconds: float | None
    """The time of a moment from the beginning."""
    label: str
    """For people, for example `page 3`, counted from 1, or `0:07`."""

    @classmethod
    def of(cls, frame: Frame) -> "FrameResponse":
        """Convert a frame of the catalogue."""
        return cls(number=frame.number, kind=frame.kind, seconds=frame.seconds, label=str(frame))


class PictureResponse(ResponseModel):
    """What the library stores about a picture."""

    id: int
    """Permanent ID of the picture in this library."""
    path: str
    """Path of its first file; bytes that are not UTF-8 are written as `\\xNN`."""
    name: str
    """The last part of the path."""
    copies: list[str]
    """Paths of other files with exactly the same bytes."""
    width: int
    height: int
    format: str
    size: int
    """Size of the file in bytes."""
    taken_at: datetime | None
    """Local time of the camera."""
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, record: ContentRecord) -> "PictureResponse":
        """Convert a record of the catalogue."""
        paths = [printable(path) for path in record.paths]
        return cls(
            id=record.id,
            path=paths[0],
            name=printable(record.paths[0].name),
            copies=paths[1:],
            width=record.width,
            height=record.height,
            format=record.format,
            size=record.size,
            taken_at=record.taken_at,
            camera=record.camera,
            lens=record.lens,
            latitude=record.latitude,
            longitude=record.longitude,
        )


class PictureDetailsResponse(PictureResponse):
    """What the library stores about a picture, and its frames."""

    frames: list[FrameResponse]
    """All frames of a file that has several; empty for a still picture."""


class NearDuplicatesResponse(ResponseModel):
    """A picture and its near-duplicates."""

    pictures: list[PictureResponse]


class HitResponse(ResponseModel):
    """One picture of a search result."""

    id: int
    rank: int
    score: float | None
    """Cosine similarity to the query; null without a query."""
    relevance: float | None
    """Probability, 0 to 1, that the picture is relevant; null when there is no calibration for this kind of query."""
    is_relevant: bool | None
    """Whether the picture is probably relevant (true) or probably not (false); null when that cannot be said."""
    name: str
    path: str
    width: int
    height: int
    taken_at: datetime | None
    camera: str | None
    stack: int
    """Number of near-duplicates that the picture represents, itself included."""
    parts: list[float] | None
    """Cosine similarity to each part of the query."""
    frame: FrameResponse | None
    """The page or moment that was found; null for a still picture, and without a query."""

    @classmethod
    def of(cls, hit: Hit) -> "HitResponse":
        """Convert a hit of a search."""
        response = cls.unranked(hit.rank, hit.record)
        return response.model_copy(
            update={
                "score": hit.score,
                "relevance": hit.relevance,
                "is_relevant": hit.is_relevant,
                "stack": 1 + len(hit.stack),
                "parts": None if hit.parts is None else list(hit.parts),
                "frame": None if hit.frame is None else FrameResponse.of(hit.frame),
            }
        )

    @classmethod
    def unranked(cls, rank: int, record: ContentRecord) -> "HitResponse":
        """Convert a record that was listed without a query."""
        return cls(
            id=record.id,
            rank=rank,
            score=None,
            relevance=None,
            is_relevant=None,
            name=printable(record.paths[0].name),
            path=printable(record.paths[0]),
            width=record.width,
            height=record.height,
            taken_at=record.taken_at,
            camera=record.camera,
            stack=1,
            parts=None,
            frame=None,
        )


class SearchResponse(ResponseModel):
    """One page of search results."""

    hits: list[HitResponse]
    next: str | None
    """`cursor` of the next page; null on the last one."""
    searched: int
    """Number of pictures that were searched."""
    query: str
    """The query, in the query language."""
    space: str | None
    """The embedding space that was searched; null without a query."""
    notices: list[str]
    """What the user should know about how the query was processed."""
    milliseconds: float


class FacetValueResponse(ResponseModel):
    """One value of a facet."""

    value: str
    label: str
    """The value, shortened as far as it stays unambiguous."""
    count: int
    """Number of matching pictures with this value; for a folder, including its subfolders."""
    term: str
    """The filter that selects the value, in the query language, for use in `where`."""


class FacetsResponse(ResponseModel):
    """Counts of the pictures that match a filter, by facet."""

    count: int
    """Number of matching pictures."""
    facets: dict[str, list[FacetValueResponse]]
