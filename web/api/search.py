"""Search by text and pictures, similar pictures, and uploads to search with."""

from time import perf_counter
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile

from core.frames import FIRST_FRAME
from search.browse import browse, count_pictures
from store.queries import load_content_record
from web.api.pictures import FrameNumber, PictureId
from web.dependencies import RawBody, ServiceDep, raw_body_schema
from web.errors import NotFound
from web.picture_files import check_frame
from web.requests import MAX_HITS, MAX_PARTS, ParsedRequest, SearchRequest, parse_request
from web.responses import HitResponse, ResponseModel, SearchResponse
from web.service import Service

__all__ = ["router", "uploads_router"]

router = APIRouter(tags=["search"])
uploads_router = APIRouter(tags=["search"])


class UploadResponse(ResponseModel):
    """An uploaded picture."""

    id: str
    """For `{"upload": id}` as a part of a query; valid for an hour."""
    width: int
    height: int


@router.post("/search")
def search(request: SearchRequest, service: ServiceDep) -> SearchResponse:
    """Search for pictures, best first. Without a query, list all pictures that match the filters, newest first."""
    return _respond(request, parse_request(request, service), service)


@router.post("/search/form")
def search_with_files(
    request: Annotated[
        str, Form(description='The JSON body of `POST /search`; `{"file": 0}` refers to the first of `files`')
    ],
    service: ServiceDep,
    files: Annotated[list[UploadFile] | None, File(max_length=MAX_PARTS)] = None,
) -> SearchResponse:
    """Search like `POST /search`, with pictures sent in the same form."""
    parsed_form = SearchRequest.from_form(request)
    paths = tuple(service.uploads.path(service.uploads.add(file.file.read()).id) for file in files or ())
    return _respond(parsed_form, parse_request(parsed_form, service, paths), service)


@router.get("/pictures/{picture_id}/similar")
def similar(
    picture_id: PictureId,
    service: ServiceDep,
    k: Annotated[int, Query(ge=1, le=MAX_HITS)] = 60,
    frame: FrameNumber = FIRST_FRAME,
) -> SearchResponse:
    """List the pictures most similar to a picture of the library, or to one frame of it; the picture comes first."""
    if load_content_record(service.library, picture_id) is None:
        raise NotFound
    check_frame(service.library, picture_id, frame)
    return search(SearchRequest.model_validate({"parts": [{"picture": picture_id, "frame": frame}], "k": k}), service)


@uploads_router.post(
    "/uploads",
    status_code=201,
    openapi_extra=raw_body_schema("application/octet-stream", {"type": "string", "format": "binary"}),
)
def upload(data: RawBody, service: ServiceDep) -> UploadResponse:
    """Upload a picture file to search with. It is not added to the library."""
    return UploadResponse(**service.uploads.add(data)._asdict())


def _respond(request: SearchRequest, parsed: ParsedRequest, service: Service) -> SearchResponse:
    started = perf_counter()
    response = _list(request, parsed, service) if parsed.query is None else _search(request, parsed, service)
    seconds = perf_counter() - started
    service.metrics.observe_search("browsed" if parsed.query is None else "ranked", seconds)
    response.milliseconds = round(1000 * seconds, 2)
    return response


def _search(request: SearchRequest, parsed: ParsedRequest, service: Service) -> SearchResponse:
    assert parsed.query is not None
    searcher = service.searcher(request.space)
    answer = searcher.search(parsed.query, request.options(parsed))
    return SearchResponse(
        hits=[HitResponse.of(hit) for hit in answer],
        next=answer.next_cursor,
        searched=count_pictures(service.library, parsed.filters) if parsed.filters else len(searcher),
        query=str(parsed.query),
        space=searcher.space.space.model,
        notices=list(answer.notes),
        milliseconds=0,
    )


def _list(request: SearchRequest, parsed: ParsedRequest, service: Service) -> SearchResponse:
    page = browse(service.library, request.k, parsed.filters, request.cursor)
    return SearchResponse(
        hits=[HitResponse.unranked(picture.rank, picture.record) for picture in page.pictures],
        next=page.next_cursor,
        searched=page.total,
        query="",
        space=None,
        notices=[],
        milliseconds=0,
    )
