"""What answers look like. Names are those of the command line's JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from search.hits import Hit as FoundHit
from store.queries import ContentRecord
from web.errors import printable

__all__ = ["Answer", "Facets", "Hit", "Picture", "Said", "Stack", "Value"]


class Said(BaseModel):
    """What this server says; what stands beneath a field is its description in the API's document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Picture(Said):
    """What the library knows of a picture."""

    id: int
    """What it is called here for ever."""
    path: str
    """The file, or the first of them; bytes that are not UTF-8 as `\\xNN`."""
    name: str
    """The last part of the path."""
    copies: list[str]
    """Other files of the very same bytes."""
    width: int
    height: int
    format: str
    size: int
    """Bytes."""
    taken_at: datetime | None
    """In the camera's local time."""
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, record: ContentRecord) -> "Picture":
        """What is known, as JSON says it."""
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


class Stack(Said):
    """Pictures that are nearly the same."""

    pictures: list[Picture]


class Hit(Said):
    """One picture of an answer."""

    id: int
    rank: int
    score: float | None
    """Cosine similarity to the query; null where nothing was asked."""
    relevance: float | None
    """How likely it answers, 0 to 1; null where nobody has measured that."""
    is_relevant: bool | None
    """Whether it is more likely an answer than not."""
    name: str
    path: str
    width: int
    height: int
    taken_at: datetime | None
    camera: str | None
    stack: int
    """How many pictures that are nearly the same it stands for, itself among them."""
    parts: list[float] | None
    """Its cosine similarity to each part of the query."""

    @classmethod
    def of(cls, hit: FoundHit) -> "Hit":
        """A hit of a search."""
        shown = cls.unranked(hit.rank, hit.record)
        return shown.model_copy(
            update={
                "score": hit.score,
                "relevance": hit.relevance,
                "is_relevant": hit.is_relevant,
                "stack": 1 + len(hit.stack),
                "parts": None if hit.parts is None else list(hit.parts),
            }
        )

    @classmethod
    def unranked(cls, rank: int, record: ContentRecord) -> "Hit":
        """A picture that was not asked for."""
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
        )


class Answer(Said):
    """A page of pictures."""

    hits: list[Hit]
    next: str | None
    """`cursor` of the page after this one; null when there is nothing more."""
    searched: int
    """How many pictures could have been found."""
    query: str
    """What was asked, in the query language."""
    space: str | None
    """The space that answered; null where none was needed."""
    notices: list[str]
    """What was done to the query that whoever asked it should know."""
    milliseconds: float


class Value(Said):
    """One value that pictures have."""

    value: str
    label: str
    """The value, as short as it can be told from the others."""
    count: int
    """How many of the pictures that `where` keeps have it; of a folder, files in it and beneath it."""
    term: str
    """The filter that chooses it, in the query language: for `where`."""


class Facets(Said):
    """What the pictures that `where` keeps have in common."""

    count: int
    """How many pictures these are."""
    facets: dict[str, list[Value]]
