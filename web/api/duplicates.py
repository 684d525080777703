"""Groups of near-duplicates, verdicts that separate them, and the files that are not the best of their group."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field

from core.errors import InvalidQuery
from core.text_files import BYTE_ORDER_MARK
from search.duplicate_groups import GroupListing, RestFile, group_duplicates, list_duplicate_page, list_rest
from search.filters import Filters
from search.near_duplicates import DuplicateGroup, count_ungrouped
from search.results import escape_formula
from store.library import Library
from store.near_duplicates.verdicts import (
    count_verdicts,
    list_verdicts,
    pairs_among,
    tell_apart,
    withdraw_verdicts,
)
from store.queries import load_content_records
from web.api.export import MEDIA_TYPES
from web.dependencies import ServiceDep
from web.picture_files import MAX_CONTENT_ID
from web.printable import printable
from web.requests import MAX_QUERY_LENGTH, ContentId, RequestModel, parse_filters
from web.responses import PictureResponse, ResponseModel

__all__ = ["router"]

router = APIRouter(prefix="/duplicates", tags=["duplicates"])

MAX_GROUPS = 200
MAX_TOLD_APART = 100
"""Pictures of one verdict that are all told apart from each other: 4,950 pairs."""
MAX_OTHERS = 10_000
MAX_PAIRS = 20_000
MAX_LISTED_FILES = 1_000
"""Files of one group in a response; the rest is counted."""

Where = Annotated[str, Query(max_length=MAX_QUERY_LENGTH, description="Filters, in the query language")]


class DuplicateFileResponse(ResponseModel):
    """A file in a group."""

    path: str
    picture: PictureResponse


class DuplicateGroupResponse(ResponseModel):
    """A group of files that look the same, the best one first."""

    files: list[DuplicateFileResponse]
    count: int
    """The number of files; a response lists up to 1,000."""
    reason: Literal["pixels", "size", "lossless", "taken", "known", "copy"]
    """Why the first file is better than the next one that is not a copy of it: it has more pixels, is larger, has a
    lossless format, was taken or indexed earlier; `copy` means that all are copies."""
    spare: int
    """Total size in bytes of all files but the best."""


class DuplicatesResponse(ResponseModel):
    """One page of groups, and the numbers of all pages."""

    groups: list[DuplicateGroupResponse]
    next: str | None
    """`cursor` of the next page; null on the last one."""
    total: int
    """The number of groups."""
    files: int
    spare: int
    """Total size in bytes of all files but the best of each group."""
    waiting: int
    """Pictures that have not been compared yet; an index run compares them."""
    verdicts: int
    """Pairs of pictures that were told apart."""


class VerdictRequest(RequestModel):
    """Pictures that are not near-duplicates of each other, or each of them not of any of `others`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"pictures": [1, 2]}, {"pictures": [1], "others": [2, 3]}]}
    )

    pictures: Annotated[list[ContentId], Field(min_length=1, max_length=MAX_TOLD_APART)]
    others: Annotated[list[ContentId], Field(min_length=1, max_length=MAX_OTHERS)] | None = None


class VerdictChangeResponse(ResponseModel):
    """Number of pairs that were changed."""

    changed: int


class VerdictResponse(ResponseModel):
    """Two pictures that were told apart."""

    pictures: tuple[PictureResponse, PictureResponse]


class VerdictsResponse(ResponseModel):
    """Pairs of pictures that were told apart, those with the smallest IDs first."""

    pairs: list[VerdictResponse]
    total: int


REASONS: dict[str, Literal["pixels", "size", "lossless", "taken", "known", "copy"]] = {
    "most pixels": "pixels",
    "largest file": "size",
    "lossless": "lossless",
    "taken first": "taken",
    "known first": "known",
}


@router.get("")
async def duplicates(
    service: ServiceDep,
    where: Where = "",
    k: Annotated[int, Query(ge=1, le=MAX_GROUPS, description="Maximum number of groups")] = 20,
    cursor: Annotated[str | None, Query(max_length=2_000, description="`next` of the previous page")] = None,
) -> DuplicatesResponse:
    """List groups of near-duplicates and exact copies, those with the most spare bytes first."""
    filters = Filters(where=await run_in_threadpool(parse_filters, where))
    grouped = await service.duplicates.get(repr(filters), partial(_grouped, service.library, filters))
    return await run_in_threadpool(_page, service.library, filters, k, cursor, *grouped)


def _grouped(library: Library, filters: Filters) -> tuple[GroupListing, int]:
    return group_duplicates(library, filters), count_ungrouped(library)


def _page(
    library: Library, filters: Filters, k: int, cursor: str | None, listing: GroupListing, waiting: int
) -> DuplicatesResponse:
    page = list_duplicate_page(library, k, filters, cursor, listing)
    return DuplicatesResponse(
        groups=[_to_response(group) for group in page.groups],
        next=page.next_cursor,
        total=page.total,
        files=page.files,
        spare=page.spare,
        waiting=waiting,
        verdicts=count_verdicts(library),
    )


@router.get(
    "/rest",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPES[form]: {} for form in ("csv", "json", "paths")}}},
)
def rest(
    service: ServiceDep,
    form: Annotated[Literal["csv", "json", "paths"], Query(alias="format")] = "paths",
    where: Where = "",
    bom: Annotated[bool, Query(description="Begin a CSV table with a byte order mark, for Excel")] = False,
) -> StreamingResponse:
    """Export all files but the best of each group: paths, a table, or JSON Lines. Files are never changed."""
    if bom and form != "csv":
        raise InvalidQuery("`bom` applies to the format csv.")
    files = list_rest(service.library, Filters(where=parse_filters(where)))
    lines = {"paths": _paths, "json": _json_lines}.get(form)
    chunks = _table(files, bom=bom) if lines is None else lines(files)
    suffix = {"paths": "txt", "json": "jsonl"}.get(form, form)
    headers = {"Content-Disposition": f'attachment; filename="sightline-duplicates.{suffix}"'}
    return StreamingResponse(chunks, media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/verdicts")
def verdicts(
    service: ServiceDep,
    k: Annotated[int, Query(ge=1, le=MAX_GROUPS)] = 20,
    after_first: Annotated[int, Query(ge=0, le=MAX_CONTENT_ID, description="IDs of the last pair before")] = 0,
    after_second: Annotated[int, Query(ge=0, le=MAX_CONTENT_ID)] = 0,
) -> VerdictsResponse:
    """List the pairs of pictures that were told apart."""
    pairs = list_verdicts(service.library, k, (after_first, after_second))
    records = load_content_records(service.library, [content_id for pair in pairs for content_id in pair])
    shown = [pair for pair in pairs if set(pair) <= set(records)]
    return VerdictsResponse(
        pairs=[
            VerdictResponse(pictures=(PictureResponse.of(records[one]), PictureResponse.of(records[other])))
            for one, other in shown
        ],
        total=count_verdicts(service.library),
    )


@router.post("/verdicts")
def add_verdict(request: VerdictRequest, service: ServiceDep) -> VerdictChangeResponse:
    """Record that pictures are not near-duplicates. Their groups are separated at once and for ever."""
    return VerdictChangeResponse(changed=tell_apart(service.library, _pairs(request)))


@router.delete("/verdicts")
def remove_verdict(request: VerdictRequest, service: ServiceDep) -> VerdictChangeResponse:
    """Withdraw verdicts; the pictures are compared again."""
    return VerdictChangeResponse(changed=withdraw_verdicts(service.library, _pairs(request)))


def _pairs(request: VerdictRequest) -> list[tuple[int, int]]:
    pairs = pairs_among(request.pictures, request.others)
    if not pairs:
        raise InvalidQuery("Name two pictures at least.")
    if len(pairs) > MAX_PAIRS:
        raise InvalidQuery(f"These are {len(pairs):,} pairs of pictures (limit: {MAX_PAIRS:,}).")
    return pairs


def _to_response(group: DuplicateGroup) -> DuplicateGroupResponse:
    files = [
        DuplicateFileResponse(path=printable(path), picture=PictureResponse.of(record))
        for path, record in group.files[:MAX_LISTED_FILES]
    ]
    reason = REASONS.get(group.why, "copy")
    return DuplicateGroupResponse(files=files, count=len(group.files), reason=reason, spare=group.spare)


def _paths(files: Iterable[RestFile]) -> Iterator[str]:
    for file in files:
        yield f"{printable(file.path)}\n"


def _json_lines(files: Iterable[RestFile]) -> Iterator[str]:
    for file in files:
        yield json.dumps(_record(file), ensure_ascii=False) + "\n"


def _table(files: Iterable[RestFile], *, bom: bool) -> Iterator[str]:
    out = io.StringIO(BYTE_ORDER_MARK if bom else "", newline="")
    out.seek(0, io.SEEK_END)
    table = csv.writer(out)
    table.writerow(["group", "path", "best", "id", "width", "height", "format", "size", "taken_at"])
    for file in files:
        cells = _record(file).values()
        table.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in cells])
        if out.tell() > 100_000:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _record(file: RestFile) -> dict[str, object]:
    record = file.record
    return {
        "group": file.group,
        "path": printable(file.path),
        "best": printable(file.best),
        "id": record.id,
        "width": record.width,
        "height": record.height,
        "format": record.format,
        "size": record.size,
        "taken_at": None if record.taken_at is None else record.taken_at.isoformat(),
    }
