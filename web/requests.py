"""Request models that several routes share, and their conversion to queries and filters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from core.errors import InvalidQuery
from core.notices import Notice
from search.filters import And, Condition, Filters
from search.options import SearchOptions, Sort
from search.query import ImageInput, Part, Query, QueryInput, StoredInput, TextInput, VectorInput
from search.query_image import Crop
from search.query_language import ParsedQuery, filter_text, line_that_reads_as, parse, query_notices
from web.errors import PictureNotUploaded
from web.picture_files import MAX_CONTENT_ID, MAX_FRAME_NUMBER, picture_path
from web.service import Service

__all__ = [
    "MAX_HITS",
    "MAX_PARTS",
    "MAX_QUERY_LENGTH",
    "ContentId",
    "ParsedRequest",
    "QueryPartRequest",
    "QueryRequest",
    "RequestModel",
    "ResultRequest",
    "SearchRequest",
    "combined_filters",
    "filters_in_query",
    "json_fault",
    "parse_filters",
    "parse_request",
    "to_query_line",
]

MAX_HITS = 1_000
MAX_QUERY_LENGTH = 10_000
"""Longest query or filter, in characters."""
MAX_PARTS = 50

ContentId = Annotated[int, Field(ge=1, le=MAX_CONTENT_ID)]
"""The ID of a picture in the body of a request."""


class RequestModel(BaseModel):
    """Base of request models: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class QueryPartRequest(RequestModel):
    """One part of a query: a text, a picture of the library, an uploaded picture, or a vector."""

    text: str | None = Field(None, max_length=MAX_QUERY_LENGTH)
    picture: int | None = Field(None, ge=1, le=MAX_CONTENT_ID, description="ID of a picture of the library")
    frame: int = Field(0, ge=0, le=MAX_FRAME_NUMBER, description="Number of a page or moment of the picture, from 0")
    upload: str | None = Field(None, max_length=100, description="ID returned by `POST /uploads`")
    file: int | None = Field(None, ge=0, le=MAX_PARTS, description="Index of a file sent in the same form, from 0")
    vector: list[FiniteFloat] | None = Field(None, max_length=10_000)
    weight: FiniteFloat = Field(1.0, description="Weight of the part; a negative weight searches away from it")
    crop: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = Field(
        None, description="x, y, width and height of a region of the picture, as fractions of its width and height"
    )

    @model_validator(mode="after")
    def _has_one_input(self) -> "QueryPartRequest":
        inputs = [self.text, self.picture, self.upload, self.file, self.vector]
        if sum(value is not None for value in inputs) != 1:
            raise ValueError("a part needs exactly one of text, picture, upload, file and vector")
        if self.frame and (self.text is not None or self.vector is not None):
            raise ValueError("a text or a vector has no frames")
        return self


class QueryRequest(RequestModel):
    """A query and filters, without options for the result."""

    query: str = Field("", max_length=MAX_QUERY_LENGTH, description="In the query language (docs/searching.md)")
    parts: list[QueryPartRequest] = Field([], max_length=MAX_PARTS)
    where: str = Field("", max_length=MAX_QUERY_LENGTH, description="Filters only, in the query language")
    plain: bool = Field(False, description="Take `query` as plain text, without operators or filters")


class ResultRequest(RequestModel):
    """How to rank, and which page to return."""

    space: str | None = Field(None, max_length=1_000, description="The space to search, if not the active one")
    k: Annotated[int, Field(ge=1, le=MAX_HITS, description="Maximum number of pictures")] = 60
    cursor: str | None = Field(None, max_length=2_000, description="`next` of the previous page")
    sort: Sort = "relevance"
    fold: bool = Field(True, description="Show only one picture of each group of near-duplicates")
    exclude_parts: bool = Field(False, description="Leave out the pictures of the library that are parts of the query")
    every_frame: bool = Field(
        False, description="Return each page or moment of a file as a hit of its own, instead of the best one"
    )
    text_weight: float = Field(
        0.0, ge=0, le=1, description="What it adds to the score in the ranking if all words of the query can be read"
    )
    relevant: bool = Field(False, description="Only return pictures that are probably relevant")
    diverse: float | None = Field(None, ge=0, le=1, description="Prefer pictures that differ from each other")
    exact: bool = Field(False, description="Compare every picture, even in a library with an approximate index")


class SearchRequest(ResultRequest, QueryRequest):
    """A search."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "a dog in the snow"},
                {"query": "a beach", "where": "year:2023", "k": 20, "sort": "date", "relevant": True},
                {"parts": [{"picture": 12}, {"text": "at night", "weight": 0.5}], "exclude_parts": True},
            ]
        },
    )

    def options(self, parsed: "ParsedRequest") -> SearchOptions:
        """Return the options of the search, with scores for each part if the query has several."""
        return SearchOptions(
            k=self.k,
            filters=parsed.filters,
            relevant=self.relevant,
            sort=self.sort,
            cursor=self.cursor,
            diverse=self.diverse,
            collapse_duplicates=self.fold,
            every_frame=self.every_frame,
            exact=self.exact,
            text_weight=self.text_weight,
            explain=parsed.query is not None and len(parsed.query.parts) > 1,
        )

    def excluded(self, parsed: "ParsedRequest") -> frozenset[int]:
        """Return the IDs of the pictures to leave out."""
        if not self.exclude_parts or parsed.query is None:
            return frozenset()
        named = {part.source.id for part in parsed.query.parts if isinstance(part.source, StoredInput)}
        return frozenset(named | {part.picture for part in self.parts if part.picture is not None})

    @classmethod
    def from_form(cls, text: str) -> "SearchRequest":
        """Parse the JSON in a field of a form. Raises `InvalidQuery`."""
        try:
            return cls.model_validate(json.loads(text))
        except (ValueError, RecursionError) as exc:
            raise InvalidQuery(f"`request` is not a valid search: {json_fault(exc)}.") from exc


def json_fault(exc: Exception) -> str:
    """Return what is wrong with a JSON request that cannot be parsed, or has invalid values."""
    if isinstance(exc, ValidationError):
        first = exc.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}" if place else first["msg"]
    if isinstance(exc, json.JSONDecodeError):
        return f"it is not JSON at line {exc.lineno}, column {exc.colno}"
    return "it is not JSON that can be read"


@dataclass(frozen=True)
class ParsedRequest:
    """A query and its filters; without a query, all pictures that match the filters are listed."""

    query: Query | None
    filters: Filters
    notices: tuple[Notice, ...] = ()
    """Notices about words and filters that may be read otherwise than meant."""


def parse_request(request: QueryRequest, service: Service, files: tuple[Path, ...] = ()) -> ParsedRequest:
    """Convert a request; `files` are the pictures that were sent in the same form.

    Raises `InvalidQuery`, and `NotFound` for an unknown picture or upload.
    """
    where = parse_filters(request.where)
    parts = [Part(_input(part, service, files), part.weight) for part in request.parts]
    if request.plain and request.query.strip():
        parts = [Part(TextInput(request.query)), *parts]
    elif request.query.strip():
        parsed = parse(request.query)
        parts = [*(_without_paths(parsed.query).parts if parsed.query else ()), *parts]
        where = combined_filters(where, parsed.where)
    typed = [request.where] if request.plain else [request.query, request.where]
    notices = tuple(notice for text in typed for notice in query_notices(text))
    return ParsedRequest(Query(tuple(parts)) if parts else None, Filters(where=where), notices)


def combined_filters(first: Condition | None, second: Condition | None) -> Condition | None:
    """Return a condition that holds where both hold; None stands for no condition."""
    conditions = tuple(condition for condition in (first, second) if condition is not None)
    return And(conditions) if len(conditions) > 1 else next(iter(conditions), None)


def to_query_line(request: QueryRequest, parsed: ParsedRequest) -> str:
    """Write the whole request as one line of the query language.

    Raises `InvalidQuery` for inputs that the query language cannot express.
    """
    sources = [part.source for part in parsed.query.parts] if parsed.query else []
    if any(isinstance(source, ImageInput | VectorInput) for source in sources):
        raise InvalidQuery(
            "Only text, filters and whole pictures of the library can be saved, not regions, vectors or uploads."
        )
    if not (request.parts or request.plain or request.where.strip()):
        return request.query
    query = "" if parsed.query is None else str(parsed.query)
    filters = "" if request.plain else filter_text(request.query)
    pieces = [piece for piece in (query, filters, request.where.strip()) if piece]
    lines = (" ".join(pieces), " ".join([*pieces[1:], *pieces[:1]]))  # a lone quotation mark must come last
    return line_that_reads_as(ParsedQuery(parsed.query, parsed.filters.where), lines) or lines[0]


def filters_in_query(query: str) -> Condition | None:
    """Return the filters that a query contains. Raises `InvalidQuery`."""
    return parse(query).where if query.strip() else None


def parse_filters(where: str) -> Condition | None:
    """Parse filters in the query language. Raises `InvalidQuery` if there is anything else in the text."""
    if not where.strip():
        return None
    parsed = parse(where)
    if parsed.query is not None:
        raise InvalidQuery(f"Only filters are allowed here, and {parsed.query} is not a filter.")
    return parsed.where


def _without_paths(query: Query) -> Query:
    """Return `query`. Raises `PictureNotUploaded` if it names a file: the response would say which files exist."""
    if any(isinstance(part.source, ImageInput) for part in query.parts):
        raise PictureNotUploaded
    return query


def _input(part: QueryPartRequest, service: Service, files: tuple[Path, ...]) -> QueryInput:
    crop = None
    if part.crop is not None:
        x, y, width, height = (100 * side for side in part.crop)
        crop = Crop(x, y, width, height, percent=True)
    if part.text is not None:
        return TextInput(part.text)
    if part.vector is not None:
        return VectorInput(tuple(part.vector))
    if part.upload is not None:
        return ImageInput(service.uploads.path(part.upload), crop, part.frame)
    if part.file is not None:
        if part.file >= len(files):
            raise InvalidQuery(f"A part uses the file {part.file}, but only {len(files)} were sent.")
        return ImageInput(files[part.file], crop, part.frame)
    assert part.picture is not None
    if crop is None:
        return StoredInput(part.picture, part.frame)
    return ImageInput(picture_path(service.library, part.picture), crop, part.frame)
