"""From what a client sends to what the engine is asked."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from core.errors import InvalidQuery
from search.crop import Crop
from search.filters import And, Condition, Filters
from search.paging import Sort
from search.query import Part, Picture, Query, Source, Stored, Text, Vector
from search.query_language import filters_of, parse
from web.files import LARGEST_ID, picture_path
from web.service import Service

__all__ = [
    "PartIn",
    "QuestionIn",
    "SearchIn",
    "Understood",
    "both",
    "condition_of",
    "filters_in",
    "line_of",
    "understand",
]

MOST_HITS = 1_000
LONGEST_QUERY = 10_000
MOST_PARTS = 50


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PartIn(_Strict):
    """One thing that a query is made of: a text, a picture of the library, one that was sent, or a vector."""

    text: str | None = Field(None, max_length=LONGEST_QUERY)
    picture: int | None = Field(None, ge=1, le=LARGEST_ID, description="The id of a picture of the library")
    upload: str | None = Field(None, max_length=100, description="The id that `POST /uploads` gave")
    file: int | None = Field(None, ge=0, le=MOST_PARTS, description="Which of the files that came along, from 0")
    vector: list[FiniteFloat] | None = Field(None, max_length=10_000)
    weight: FiniteFloat = Field(1.0, description="How much it counts; below zero the query turns away from it")
    crop: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = Field(
        None, description="x, y, width and height of a region of the picture, as parts of its width and height"
    )

    @model_validator(mode="after")
    def _one_thing(self) -> "PartIn":
        said = [self.text, self.picture, self.upload, self.file, self.vector]
        if sum(thing is not None for thing in said) != 1:
            raise ValueError("a part is one of text, picture, upload, file and vector")
        return self


class QuestionIn(_Strict):
    """What is asked, however the answer is to look."""

    query: str = Field("", max_length=LONGEST_QUERY, description="In the query language (docs/searching.md)")
    parts: list[PartIn] = Field([], max_length=MOST_PARTS)
    where: str = Field("", max_length=LONGEST_QUERY, description="Filters alone, in the query language")
    plain: bool = Field(False, description="Take the query as mere words")


class SearchIn(QuestionIn):
    """A question."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "a dog in the snow"},
                {"query": "beach -people", "where": "year:2023", "k": 20, "sort": "date", "relevant": True},
                {"parts": [{"picture": 12}, {"text": "at night", "weight": 0.5}]},
            ]
        },
    )

    space: str | None = Field(None, max_length=1_000, description="Another space than the active one")
    k: Annotated[int, Field(ge=1, le=MOST_HITS, description="How many pictures")] = 60
    cursor: str | None = Field(None, max_length=2_000, description="`next` of the page before")
    sort: Sort = "relevance"
    fold: bool = Field(True, description="Let one picture stand for those that are nearly the same")
    relevant: bool = Field(False, description="Only pictures that are more likely an answer than not")
    diverse: float | None = Field(None, ge=0, le=1, description="Prefer pictures that differ from each other")

    @classmethod
    def read(cls, text: str) -> "SearchIn":
        """From a form's field. Raises `InvalidQuery`."""
        try:
            return cls.model_validate(json.loads(text))
        except (ValueError, RecursionError) as exc:
            raise InvalidQuery(f"`request` is no question: {exc}") from exc


@dataclass(frozen=True)
class Understood:
    """A question as the engine takes it; without a query, all pictures that the filters keep."""

    query: Query | None
    filters: Filters


def understand(asked: QuestionIn, service: Service, files: tuple[Path, ...] = ()) -> Understood:
    """What is asked. Raises `InvalidQuery`, and `NotThere` for a picture that is not there."""
    where = condition_of(asked.where)
    parts = [Part(_source(part, service, files), part.weight) for part in asked.parts]
    if asked.plain and asked.query.strip():
        parts = [Part(Text(asked.query)), *parts]
    elif asked.query.strip():
        question = parse(asked.query)
        parts = [*(_without_paths(question.query).parts if question.query else ()), *parts]
        where = both(where, question.where)
    return Understood(Query(tuple(parts)) if parts else None, Filters(where=where))


def both(one: Condition | None, other: Condition | None) -> Condition | None:
    """What keeps only what both of them keep."""
    conditions = tuple(each for each in (one, other) if each is not None)
    return And(conditions) if len(conditions) > 1 else next(iter(conditions), None)


def line_of(asked: QuestionIn, understood: Understood) -> str:
    """All that is asked as one line of the query language. Raises `InvalidQuery` for what it has no words for."""
    sources = [part.source for part in understood.query.parts] if understood.query else []
    if any(isinstance(source, Picture | Vector) for source in sources):
        raise InvalidQuery("a line has words and whole pictures of the library, not regions, vectors and what was sent")
    if not (asked.parts or asked.plain or asked.where.strip()):
        return asked.query
    said = "" if understood.query is None else str(understood.query)
    filters = "" if asked.plain else filters_of(asked.query)
    return " ".join(each for each in (said, filters, asked.where.strip()) if each)


def filters_in(query: str) -> Condition | None:
    """The filters among the words of a query. Raises `InvalidQuery`."""
    return parse(query).where if query.strip() else None


def condition_of(where: str) -> Condition | None:
    """Filters in the query language. Raises `InvalidQuery` for anything else in it."""
    if not where.strip():
        return None
    question = parse(where)
    if question.query is not None:
        raise InvalidQuery(f"only filters can stand here, and {question.query} is none")
    return question.where


def _without_paths(query: Query) -> Query:
    """`query`, unless it names a file: a client could learn from the answer which files there are on this machine."""
    if any(isinstance(part.source, Picture) for part in query.parts):
        raise InvalidQuery("a picture is sent to the server, not named by its path")
    return query


def _source(part: PartIn, service: Service, files: tuple[Path, ...]) -> Source:
    crop = None
    if part.crop is not None:
        x, y, width, height = (100 * side for side in part.crop)
        crop = Crop(x, y, width, height, percent=True)
    if part.text is not None:
        return Text(part.text)
    if part.vector is not None:
        return Vector(tuple(part.vector))
    if part.upload is not None:
        return Picture(service.uploads.path(part.upload), crop)
    if part.file is not None:
        if part.file >= len(files):
            raise InvalidQuery(f"the part speaks of file {part.file}, and {len(files)} came along")
        return Picture(files[part.file], crop)
    assert part.picture is not None
    return Stored(part.picture) if crop is None else Picture(picture_path(service.library, part.picture), crop)
