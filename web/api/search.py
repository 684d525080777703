"""Search by text and pictures, similar pictures, and uploads to search with."""

from time import perf_counter
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile

from core.frames import FIRST_FRAME
from core.notices import Notice
from search import Query as SearchQuery
from search import Searcher
from search.browse import browse, count_pictures
from search.language_advice import advise, query_language
from search.options import Sort
from search.query import ImageInput
from store.queries import load_content_record
from store.spaces.coverage import coverage
from web.api.pictures import FrameNumber, PictureId
from web.dependencies import ServiceDep
from web.errors import NotFound
from web.picture_files import frame_seconds
from web.requests import MAX_HITS, MAX_PARTS, ParsedRequest, SearchRequest, parse_request
from web.responses import HitResponse, NoticeResponse, PartResponse, ResponseModel, SearchResponse
from web.search_parameters import SearchParameters, form_search, require_form_fields
from web.service import Service
from web.uploaded_file import UPLOAD_SCHEMA, UploadedFile

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


@router.get("/search")
def search_by_address(parameters: Annotated[SearchParameters, Query()], service: ServiceDep) -> SearchResponse:
    """Search like `POST /search`, for what fits into an address: a query, filters and options."""
    return search(parameters.as_request(), service)


@router.post("/search/form", dependencies=[Depends(require_form_fields)])
def search_with_files(
    service: ServiceDep,
    request: Annotated[
        str | None, Form(description='The JSON body of `POST /search`; `{"file": 0}` refers to the first file')
    ] = None,
    file: Annotated[list[UploadFile] | None, File(max_length=MAX_PARTS, description="Pictures to search with")] = None,
    files: Annotated[list[UploadFile] | None, File(max_length=MAX_PARTS, description="The same as `file`")] = None,
    q: Annotated[str | None, Form(description="Without `request`: a query to add to the pictures")] = None,
    where: Annotated[str | None, Form(description="Without `request`: filters")] = None,
    k: Annotated[int | None, Form(description="Without `request`: maximum number of pictures")] = None,
    sort: Annotated[Sort | None, Form(description="Without `request`: the order")] = None,
) -> SearchResponse:
    """Search with pictures that are sent in the same form, in addition to a text and filters.

    Each file is a part of the query with the weight 1. For other weights, regions or options, send `request`.
    """
    sent = [*(file or ()), *(files or ())]
    asked = form_search(request, {"q": q, "where": where, "k": k, "sort": sort}, sent)
    paths = tuple(service.uploads.path(service.uploads.add(each.file.read()).id) for each in sent)
    return _respond(asked, parse_request(asked, service, paths), service)


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
    frame_seconds(service.library, picture_id, frame)  # raises `FrameNotFound`
    return search(SearchRequest.model_validate({"parts": [{"picture": picture_id, "frame": frame}], "k": k}), service)


@uploads_router.post("/uploads", status_code=201, openapi_extra=UPLOAD_SCHEMA)
def upload(data: UploadedFile, service: ServiceDep) -> UploadResponse:
    """Upload a picture file to search with, as it is or in a form. It is not added to the library."""
    return UploadResponse(**service.uploads.add(data)._asdict())


def _respond(request: SearchRequest, parsed: ParsedRequest, service: Service) -> SearchResponse:
    started = perf_counter()
    with service.activity.search():
        response = _list(request, parsed, service) if parsed.query is None else _search(request, parsed, service)
    seconds = perf_counter() - started
    service.metrics.observe_search("browsed" if parsed.query is None else "ranked", seconds)
    response.milliseconds = round(1000 * seconds, 2)
    return response


def _search(request: SearchRequest, parsed: ParsedRequest, service: Service) -> SearchResponse:
    assert parsed.query is not None
    searcher = service.searcher(request.space)
    answer = searcher.search(parsed.query, request.options(parsed), exclude=request.excluded(parsed))
    more = [*_language_notices(searcher, parsed.query), *_coverage_notices(service, searcher, request.space)]
    return SearchResponse(
        hits=[HitResponse.of(hit) for hit in answer],
        next=answer.next_cursor,
        searched=count_pictures(service.library, parsed.filters) if parsed.filters else len(searcher),
        query=_written(parsed.query),
        parts=[PartResponse.of(part) for part in parsed.query.parts],
        space=searcher.space.space.model,
        notices=[NoticeResponse.of(notice) for notice in (*parsed.notices, *answer.notices, *more)],
        complete=answer.complete,
        milliseconds=0,
    )


def _list(request: SearchRequest, parsed: ParsedRequest, service: Service) -> SearchResponse:
    page = browse(service.library, request.k, parsed.filters, request.cursor)
    return SearchResponse(
        hits=[HitResponse.unranked(picture) for picture in page.pictures],
        next=page.next_cursor,
        searched=page.total,
        query="",
        parts=[],
        space=None,
        notices=[NoticeResponse.of(notice) for notice in parsed.notices],
        milliseconds=0,
    )


def _written(query: SearchQuery) -> str:
    """Return a query in the query language, without the paths of files on the server."""
    has_files = any(isinstance(part.source, ImageInput) for part in query.parts)
    return query.title if has_files else str(query)


def _language_notices(searcher: Searcher, query: SearchQuery) -> list[Notice]:
    """Return a notice if the model is known to be weak in the language of the query, and another is better."""
    language = query_language(query)
    advice = None if language is None else advise(searcher.encoder, language)
    return [] if advice is None else [advice.notice]


def _coverage_notices(service: Service, searcher: Searcher, name: str | None) -> list[Notice]:
    """Return a notice if a space that was chosen by its name lacks vectors of some pictures."""
    if name is None or searcher.space.space.is_imported:
        return []
    covered = coverage(service.library, searcher.space)
    if covered.embedded >= covered.pictures:
        return []
    title = searcher.space.space.title
    message = f"{title} covers {covered.embedded:,} of {covered.pictures:,} pictures."
    data: dict[str, str | int] = {"model": title, "embedded": covered.embedded, "pictures": covered.pictures}
    return [Notice("space_incomplete", message, data)]
