"""Response models that several routes share. Field names are those of the command line's JSON."""

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.frames import Frame, FrameKind
from core.metadata import DateSource, Person
from core.notices import Notice
from core.text_lines import TextLine
from search.query import Part, StoredInput, TextInput, VectorInput
from search.results import Hit, ListedImage
from store.queries import ContentRecord
from web.printable import printable

__all__ = [
    "AreaResponse",
    "FacetValueResponse",
    "FacetsResponse",
    "FrameResponse",
    "HitResponse",
    "NearDuplicatesResponse",
    "NoticeResponse",
    "PartResponse",
    "PersonResponse",
    "PictureResponse",
    "ResponseModel",
    "SearchResponse",
    "TextLineResponse",
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


class AreaResponse(ResponseModel):
    """A rectangle in the upright picture, as shares of its width and height in 0..1."""

    left: float
    top: float
    width: float
    height: float


class PersonResponse(ResponseModel):
    """A person in the picture."""

    name: str
    area: AreaResponse | None
    """The face, if it is marked."""

    @classmethod
    def of(cls, person: Person) -> "PersonResponse":
        """Convert a person of the catalogue."""
        area = None if person.area is None else AreaResponse(**asdict(person.area))
        return cls(name=person.name, area=area)


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
    utc_offset: int | None
    """Minutes that `taken_at` is ahead of UTC, where the file says it."""
    date_source: DateSource | None
    """What `taken_at` is: when the picture was taken (`original`), digitized, recorded by a photo service, or when the
    file was written (`modified`); `name` is a date in the name of the file."""
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    sublocation: str | None
    """A part of a city, or a sight."""
    city: str | None
    region: str | None
    """State or province."""
    country: str | None
    people: list[PersonResponse]
    duration: float | None
    """Seconds, of a video."""
    companions: list[str]
    """Paths of other files of the same shot: the RAW file of a JPEG, the moving part of a Live Photo."""

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
            utc_offset=record.utc_offset,
            date_source=record.date_source,
            camera=record.camera,
            lens=record.lens,
            latitude=record.latitude,
            longitude=record.longitude,
            sublocation=record.sublocation,
            city=record.city,
            region=record.region,
            country=record.country,
            people=[PersonResponse.of(person) for person in record.people],
            duration=record.duration,
            companions=[printable(path) for path in record.companions],
        )


class TextLineResponse(ResponseModel):
    """A line of text in a picture."""

    frame: int
    """The number of the frame, from 0."""
    text: str
    confidence: float
    """0 to 1, as the recogniser says."""
    corners: list[tuple[float, float]]
    """x and y of four corners, clockwise from the top left, as shares of the width and height of the upright frame."""

    @classmethod
    def of(cls, frame: int, line: TextLine) -> "TextLineResponse":
        """Convert a line of the catalogue."""
        corners = list(zip(line.corners[::2], line.corners[1::2], strict=True))
        return cls(frame=frame, text=line.text, confidence=line.confidence, corners=corners)


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
    date_source: DateSource | None
    """What `taken_at` is; `name` is a date in the name of the file."""
    camera: str | None
    duration: float | None
    """Seconds, of a video."""
    color: str | None
    """The average colour as `#rrggbb`, to show until the picture is there; null if it is not known."""
    stack: int
    """Number of near-duplicates that the picture represents, itself included."""
    parts: list[float] | None
    """Cosine similarity to each part of the query; null for a query of one part."""
    contributions: list[float] | None
    """What each part contributes to the score, in the same order; they add up to the score."""
    frame: FrameResponse | None
    """The page or moment that was found; null for a still picture, and without a query."""
    text_match: float | None
    """The share, 0 to 1, of the characters of the query's words that belong to words in the picture; null without
    `text_weight`."""
    texts: list[TextLineResponse]
    """The lines that a `text:` filter found, or with words of the query if these count."""

    @classmethod
    def of(cls, hit: Hit) -> "HitResponse":
        """Convert a hit of a search."""
        response = cls.unranked(hit)
        return response.model_copy(
            update={
                "score": hit.score,
                "relevance": hit.relevance,
                "is_relevant": hit.is_relevant,
                "stack": 1 + len(hit.stack),
                "parts": None if hit.parts is None else list(hit.parts),
                "contributions": None if hit.contributions is None else list(hit.contributions),
                "frame": None if hit.frame is None else FrameResponse.of(hit.frame),
                "text_match": hit.text_match,
            }
        )

    @classmethod
    def unranked(cls, picture: ListedImage) -> "HitResponse":
        """Convert a picture that was listed without a query."""
        record = picture.record
        return cls(
            id=record.id,
            rank=picture.rank,
            score=None,
            relevance=None,
            is_relevant=None,
            name=printable(record.paths[0].name),
            path=printable(record.paths[0]),
            width=record.width,
            height=record.height,
            taken_at=record.taken_at,
            date_source=record.date_source,
            camera=record.camera,
            duration=record.duration,
            color=None if record.color is None else f"#{record.color:06x}",
            stack=1,
            parts=None,
            contributions=None,
            frame=None,
            text_match=None,
            texts=[TextLineResponse.of(found.frame, found.line) for found in picture.texts],
        )


class NoticeResponse(ResponseModel):
    """What the user should know about how a query was read or answered."""

    name: str
    """A stable name, to translate it by."""
    message: str
    """In English."""
    data: dict[str, str | int | bool]
    """What the message mentions."""

    @classmethod
    def of(cls, notice: Notice) -> "NoticeResponse":
        """Convert a notice."""
        return cls(name=notice.name, message=printable(notice.message), data=dict(notice.data))


class PartResponse(ResponseModel):
    """One part of a query, as it was read."""

    title: str
    """The text, or `like:ID` for a picture of the library; empty for an uploaded picture or a region."""
    kind: Literal["text", "picture", "vector"]
    weight: float

    @classmethod
    def of(cls, part: Part) -> "PartResponse":
        """Convert a part of a query."""
        source = part.source
        if isinstance(source, TextInput):
            return cls(title=source.text, kind="text", weight=part.weight)
        title = str(source) if isinstance(source, StoredInput) else ""
        return cls(title=title, kind="vector" if isinstance(source, VectorInput) else "picture", weight=part.weight)


class SearchResponse(ResponseModel):
    """One page of search results."""

    hits: list[HitResponse]
    next: str | None
    """`cursor` of the next page; null on the last one."""
    searched: int
    """Number of pictures that were searched, or, without a query, that match the filters."""
    query: str
    """The query, in the query language."""
    parts: list[PartResponse]
    """The parts of the query: those in its text first."""
    space: str | None
    """The embedding space that was searched; null without a query."""
    notices: list[NoticeResponse]
    """What the user should know about how the query was processed."""
    complete: bool = True
    """Whether every picture was compared. If not, a better one may be missing; scores are exact in any case."""
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
