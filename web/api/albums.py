"""Albums: saved queries, and pictures put together by hand."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict, Field, model_validator

from core.errors import InvalidQuery
from search.album_order import browse_album
from search.filters import Filters
from search.query_language import with_album_renamed
from search.query_language.moved_folders import with_folders_moved
from store.albums.by_hand import add_to_album, create_album, move_in_album, remove_from_album
from store.albums.listing import AlbumSummary, list_album_summaries, summarize_album
from store.albums.records import AlbumRecord, drop_album, rename_album, set_cover
from store.albums.saved import save_album
from store.filters.selection import check_condition
from web.dependencies import ServiceDep
from web.requests import (
    MAX_HITS,
    MAX_QUERY_LENGTH,
    ContentId,
    QueryRequest,
    RequestModel,
    parse_filters,
    parse_request,
    to_query_line,
)
from web.responses import HitResponse, ResponseModel
from web.service import Service

__all__ = ["pictures_router", "router"]

router = APIRouter(prefix="/albums", tags=["tags"])
pictures_router = APIRouter(tags=["tags"])

MAX_ALBUM_CHANGE = 10_000
"""Pictures that one request adds, removes or moves."""

Name = Annotated[str, Path(min_length=1, max_length=200, description="Name of the album")]
NewName = Annotated[str, Field(min_length=1, max_length=200)]
Pictures = Annotated[list[ContentId], Field(max_length=MAX_ALBUM_CHANGE)]


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


class NewAlbumRequest(RequestModel):
    """An album to put together by hand, and its first pictures in their order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Rome", "pictures": [3, 1]}]})

    name: NewName
    pictures: Pictures = Field(default_factory=list)


class AlbumMoveRequest(RequestModel):
    """Pictures to move, in their new order, in front of another one or to the end of the album."""

    pictures: Annotated[list[ContentId], Field(min_length=1, max_length=MAX_ALBUM_CHANGE)]
    before: ContentId | None = Field(None, description="The picture that follows them; null for the end")


class AlbumChangeRequest(RequestModel):
    """One change of an album: exactly one of its fields."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"add": [1, 2]}, {"move": {"pictures": [2], "before": 1}}, {"name": "Roma"}]},
    )

    add: Pictures | None = Field(None, description="Pictures to append; those in the album keep their places")
    remove: Pictures | None = Field(None, description="Pictures to remove from the album, not from the library")
    move: AlbumMoveRequest | None = None
    name: NewName | None = None
    cover: ContentId | None = Field(None, description="The picture to show for the album; null for its first one")

    @model_validator(mode="after")
    def _is_one_change(self) -> "AlbumChangeRequest":
        given = self.model_fields_set
        if len(given) != 1 or (given != {"cover"} and getattr(self, next(iter(given))) is None):
            raise ValueError("send exactly one of add, remove, move, name and cover")
        return self


class AlbumResponse(ResponseModel):
    """An album."""

    name: str
    by_hand: bool
    """The pictures were chosen one by one; otherwise the album is a saved query."""
    query: str
    """The query to search with, in the query language; empty for an album by hand."""
    top: int
    """The number of pictures to show, if the query ranks them."""
    is_ranked: bool
    """Whether the query ranks pictures. All other albums can be used as a filter, `album:NAME`."""
    pictures: int | None
    """The number of its pictures. Null if the query ranks them or cannot be run, and for a saved query in a list."""
    missing: int
    """The number of pictures of an album by hand whose files are missing."""
    cover: int | None
    """ID of the picture to show: the chosen one or the first one. Null as `pictures`, unless a cover was chosen."""

    @classmethod
    def of(cls, summary: AlbumSummary) -> "AlbumResponse":
        """Convert an album of the library."""
        album = summary.album
        return cls(
            name=album.name,
            by_hand=album.by_hand,
            query=album.query,
            top=album.top,
            is_ranked=album.is_ranked,
            pictures=summary.pictures,
            missing=summary.missing,
            cover=summary.cover,
        )


class AlbumPicturesResponse(ResponseModel):
    """One page of the pictures of an album."""

    hits: list[HitResponse]
    next: str | None
    """`cursor` of the next page; null on the last one."""
    searched: int
    """The number of pictures on all pages."""


@router.get("")
def albums(service: ServiceDep) -> list[AlbumResponse]:
    """List the albums by name. Saved queries are not run, so they have no number of pictures here."""
    return [AlbumResponse.of(summary) for summary in list_album_summaries(service.library)]


@router.post("", status_code=201)
def make_album(request: NewAlbumRequest, service: ServiceDep) -> AlbumResponse:
    """Create an album by hand. A name that is taken is a 409; unknown pictures are ignored."""
    create_album(service.library, request.name, request.pictures)
    return _album(request.name, service)


@router.get("/{name:path}")
def album(name: Name, service: ServiceDep) -> AlbumResponse:
    """Return an album with its number of pictures and its cover."""
    return _album(name, service)


@router.put("/{name:path}")
def keep_album(name: Name, request: AlbumRequest, service: ServiceDep) -> list[AlbumResponse]:
    """Save a query as an album, replacing any saved query of the same name, and list the albums."""
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
    save_album(service.library, record, with_folders_moved)
    return albums(service)


@router.patch("/{name:path}")
def change_album(name: Name, request: AlbumChangeRequest, service: ServiceDep) -> AlbumResponse:
    """Change an album: its name or cover, or the pictures and the order of an album by hand."""
    library = service.library
    if request.add is not None:
        add_to_album(library, name, request.add)
    elif request.remove is not None:
        remove_from_album(library, name, request.remove)
    elif request.move is not None:
        move_in_album(library, name, request.move.pictures, request.move.before)
    elif request.name is not None:
        rename_album(library, name, request.name, with_album_renamed)
        name = request.name
    else:
        set_cover(library, name, request.cover)
    return _album(name, service)


@router.delete("/{name:path}")
def forget_album(name: Name, service: ServiceDep) -> list[AlbumResponse]:
    """Delete an album, not its pictures, and list the remaining albums."""
    drop_album(service.library, name)
    return albums(service)


@pictures_router.get("/pictures")
def album_pictures(
    service: ServiceDep,
    album: Annotated[str, Query(min_length=1, max_length=200, description="Name of an album by hand")],
    where: Annotated[str, Query(max_length=MAX_QUERY_LENGTH, description="Filters, in the query language")] = "",
    k: Annotated[int, Query(ge=1, le=MAX_HITS)] = 60,
    cursor: Annotated[str | None, Query(max_length=2_000, description="`next` of the previous page")] = None,
) -> AlbumPicturesResponse:
    """List the pictures of an album by hand in its order."""
    page = browse_album(service.library, album, k, Filters(where=parse_filters(where)), cursor)
    hits = [HitResponse.unranked(picture) for picture in page.pictures]
    return AlbumPicturesResponse(hits=hits, next=page.next_cursor, searched=page.total)


def _album(name: str, service: Service) -> AlbumResponse:
    return AlbumResponse.of(summarize_album(service.library, name))
