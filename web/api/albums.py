"""Albums: saved queries. Their pictures change with the library."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field

from core.errors import InvalidQuery
from store.albums import AlbumRecord, drop_album, list_albums, save_album
from store.filters.selection import check_condition
from web.dependencies import ServiceDep
from web.requests import MAX_HITS, MAX_QUERY_LENGTH, QueryRequest, parse_request, to_query_line
from web.responses import ResponseModel

__all__ = ["router"]

router = APIRouter(prefix="/albums", tags=["tags"])

Name = Annotated[str, Path(min_length=1, max_length=200, description="Name of the album")]


class AlbumRequest(QueryRequest):
    """The query of an album, as for `POST /search`; it is saved as one line of the query language."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "camera:x100 rating:>=4"},
                {"query": "a beach", "parts": [{"text": "sunset", "weight": 0.5}], "where": "year:2023"},
            ]
        },
    )

    top: int = Field(100, ge=1, le=MAX_HITS, description="Number of pictures of an album that is ranked by a query")


class AlbumResponse(ResponseModel):
    """A saved query."""

    name: str
    query: str
    """The query to search with, in the query language."""
    top: int
    is_ranked: bool
    """Whether the query ranks pictures; an album of filters only can be used as a filter itself, `album:NAME`."""


@router.get("")
def albums(service: ServiceDep) -> list[AlbumResponse]:
    """List the albums."""
    return [_to_response(record) for record in list_albums(service.library)]


@router.put("/{name:path}")
def keep_album(name: Name, request: AlbumRequest, service: ServiceDep) -> list[AlbumResponse]:
    """Save an album, replacing any album of the same name, and list the albums."""
    parsed = parse_request(request, service)
    where = parsed.filters.where
    if parsed.query is None and where is None:
        raise InvalidQuery("An album needs a query, or filters such as camera:x100.")
    line = to_query_line(request, parsed)
    if len(line) > MAX_QUERY_LENGTH:
        raise InvalidQuery(f"The query is too long: {len(line):,} characters (limit: {MAX_QUERY_LENGTH:,}).")
    record = AlbumRecord(name, line, where, request.top, parsed.query is not None)
    if where is not None:
        check_condition(service.library, where)
    save_album(service.library, record)
    return albums(service)


@router.delete("/{name:path}")
def forget_album(name: Name, service: ServiceDep) -> list[AlbumResponse]:
    """Delete an album, not its pictures, and list the remaining albums."""
    drop_album(service.library, name)
    return albums(service)


def _to_response(record: AlbumRecord) -> AlbumResponse:
    return AlbumResponse(name=record.name, query=record.query, top=record.top, is_ranked=record.is_ranked)
