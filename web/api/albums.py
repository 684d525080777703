"""Albums: questions that were given a name. What one shows changes with the library."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from search.grammar import parse
from sightline.errors import InvalidQuery
from store.albums import AlbumRecord, drop_album, list_albums, save_album
from store.selection import matching
from web.asking import ServiceDep
from web.questions import LONGEST_QUERY, MOST_HITS
from web.schemas import Said

__all__ = ["router"]

router = APIRouter(prefix="/albums", tags=["tags"])

Name = Annotated[str, Path(min_length=1, max_length=200, description="What the album is called")]


class AlbumIn(BaseModel):
    """What an album shows."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "camera:x100 rating:>=4"}, {"query": "a beach"}]}
    )

    query: str = Field(min_length=1, max_length=LONGEST_QUERY, description="In the query language")
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
    question = parse(wanted.query)
    if question.query is None and question.where is None:
        raise InvalidQuery("say what the album shows: words, or filters such as camera:x100")
    record = AlbumRecord(name, wanted.query, question.where, wanted.top, question.query is not None)
    with service.library.write() as connection:
        if question.where is not None:
            matching(connection, question.where)  # raises what is wrong with it
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
