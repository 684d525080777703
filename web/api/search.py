"""Questions: in words, in pictures, or both; and pictures that are like one of the library's."""

from time import perf_counter
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile

from search.browse import browse, count
from store.queries import describe
from web.api.pictures import PictureId
from web.dependencies import ServiceDep
from web.errors import NotThere
from web.requests import MOST_HITS, MOST_PARTS, SearchIn, Understood, understand
from web.responses import Answer, Hit
from web.service import Service

__all__ = ["router"]

router = APIRouter(tags=["search"])


@router.post("/search")
def search(asked: SearchIn, service: ServiceDep) -> Answer:
    """Finds pictures, best first. Without words and parts: all that the filters keep, newest first."""
    return _answered(asked, understand(asked, service), service)


@router.post("/search/form")
def search_with_files(
    request: Annotated[str, Form(description='As the body of `POST /search`; `{"file": 0}` is the first of `files`')],
    service: ServiceDep,
    files: Annotated[list[UploadFile] | None, File(max_length=MOST_PARTS)] = None,
) -> Answer:
    """Finds pictures, as `POST /search` does, with pictures that come along in the same form."""
    asked = SearchIn.read(request)
    sent = tuple(service.uploads.path(service.uploads.keep(file.file.read()).id) for file in files or ())
    return _answered(asked, understand(asked, service, sent), service)


@router.get("/pictures/{picture_id}/similar")
def similar(picture_id: PictureId, service: ServiceDep, k: Annotated[int, Query(ge=1, le=MOST_HITS)] = 60) -> Answer:
    """Finds the pictures that are most like one of the library's, itself first."""
    with service.library.read() as connection:
        if picture_id not in describe(connection, [picture_id]):
            raise NotThere
    return search(SearchIn.model_validate({"parts": [{"picture": picture_id}], "k": k}), service)


def _answered(asked: SearchIn, understood: Understood, service: Service) -> Answer:
    started = perf_counter()
    found = _browsed(asked, understood, service) if understood.query is None else _found(asked, understood, service)
    seconds = perf_counter() - started
    service.metrics.searched("browsed" if understood.query is None else "ranked", seconds)
    found.milliseconds = round(1000 * seconds, 2)
    return found


def _found(asked: SearchIn, understood: Understood, service: Service) -> Answer:
    assert understood.query is not None
    searcher = service.searcher(asked.space)
    hits = searcher.search(
        understood.query,
        asked.k,
        filters=understood.filters,
        relevant=asked.relevant,
        sort=asked.sort,
        cursor=asked.cursor,
        diverse=asked.diverse,
        fold=asked.fold,
        explain=len(understood.query.parts) > 1,
    )
    return Answer(
        hits=[Hit.of(hit) for hit in hits],
        next=hits.next,
        searched=count(service.library, understood.filters) if understood.filters else len(searcher),
        query=str(understood.query),
        space=searcher.space.space.model,
        notices=list(hits.notes),
        milliseconds=0,
    )


def _browsed(asked: SearchIn, understood: Understood, service: Service) -> Answer:
    page = browse(service.library, asked.k, understood.filters, asked.cursor)
    return Answer(
        hits=[Hit.unranked(picture.rank, picture.record) for picture in page.pictures],
        next=page.next,
        searched=page.total,
        query="",
        space=None,
        notices=[],
        milliseconds=0,
    )
