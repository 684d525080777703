"""Albums: questions that were given a name. What one shows changes with the library."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field

from core.errors import InvalidQuery
from store.albums import AlbumRecord, drop_album, list_albums, save_album
from store.filters.selection import matching
from web.dependencies import ServiceDep
from web.requests import LONGEST_QUERY, MOST_HITS, QuestionIn, line_of, understand
from web.responses import Said

__all__ = ["router"]

router = APIRouter(prefix="/albums", tags=["tags"])

Name = Annotated[str, Path(min_length=1, max_length=200, description="What the album is called")]


class AlbumIn(QuestionIn):
    """What an album shows: a question as `POST /search` takes it, kept as one line of the query language."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "camera:x100 rating:>=4"},
                {"query": "a beach", "parts": [{"text": "sunset", "weight": 0.5}], "where": "year:2023"},
            ]
        },
    )

    top: int = Field(100, ge=1, le=MOST_HITS, description="How many pictures one that is ranked by words shows")


class Album(Said):
    """A question that was given a name."""

    name: str
    query: str
    """To be asked as it is."""
    top: int
    is_ranked: bool
    """It has words; one of filters alone can be a filter itself, `album:NAME`."""


@router.get("")
def albums(service: ServiceDep) -> list[Album]:
    """Lists the albums."""
    with service.library.read() as connection:
        return [_shown(record) for record in list_albums(connection)]


@router.put("/{name:path}")
def keep_album(name: Name, wanted: AlbumIn, service: ServiceDep) -> list[Album]:
    """Keeps a question under a name, in the place of another one of that name; tells which albums there are then."""
    understood = understand(wanted, service)
    where = understood.filters.where
    if understood.query is None and where is None:
        raise InvalidQuery("say what the album shows: words, or filters such as camera:x100")
    line = line_of(wanted, understood)
    if len(line) > LONGEST_QUERY:
        raise InvalidQuery(f"a question of {len(line):,} characters cannot be kept; {LONGEST_QUERY:,} are the most")
    record = AlbumRecord(name, line, where, wanted.top, understood.query is not None)
    with service.library.write() as connection:
        if where is not None:
            matching(connection, where)  # raises what is wrong with it
        save_album(connection, record)
    return albums(service)


@router.delete("/{name:path}")
def forget_album(name: Name, service: ServiceDep) -> list[Album]:
    """Forgets an album; no picture is touched. Tells which albums there are then."""
    with service.library.write() as connection:
        drop_album(connection, name)
    return albums(service)


def _shown(record: AlbumRecord) -> Album:
    return Album(name=record.name, query=record.query, top=record.top, is_ranked=record.is_ranked)
