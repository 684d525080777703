"""The timeline: how many pictures there are of each day, and the pictures from a day on."""

from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from search.browse import browse_from_day, timeline
from search.filters import Filters
from web.dependencies import ServiceDep
from web.requests import MAX_HITS, MAX_QUERY_LENGTH, combined_filters, filters_in_query, parse_filters
from web.responses import HitResponse, ResponseModel

__all__ = ["DayResponse", "TimelineResponse", "router"]

router = APIRouter(tags=["search"])

MAX_OFFSET = 2**31

Where = Annotated[
    str, Query(max_length=MAX_QUERY_LENGTH, description="Filters, in the query language", examples=["year:2023"])
]
FilterQuery = Annotated[str, Query(max_length=MAX_QUERY_LENGTH, description="A query; only its filters are used")]


class DayResponse(ResponseModel):
    """The pictures of a day."""

    day: date | None
    """By the camera's clock; null for pictures without a date, which come last."""
    count: int


class TimelineResponse(ResponseModel):
    """All pictures that match the filters, newest first: their days and shapes, without the pictures themselves."""

    count: int
    """Number of pictures."""
    days: list[DayResponse]
    """Newest first."""
    shapes: str
    """One character for each picture, in order. Its code minus 71 is n: the picture is 1 + n / 18 times as wide as
    high, or, if n is negative, 1 - n / 18 times as high as wide. n is rounded, and between -36 and 36."""


class TimelinePicturesResponse(ResponseModel):
    """Some pictures of the timeline."""

    pictures: list[HitResponse]
    """In the order of the timeline. `rank` is counted from the first picture of `day`."""


@router.get("/timeline")
async def timeline_days(service: ServiceDep, where: Where = "", query: FilterQuery = "") -> TimelineResponse:
    """Count the pictures of each day, newest first. The order is that of a search without a query."""
    filters = await run_in_threadpool(_filters, where, query)
    found = await service.timelines.get(repr(filters), partial(timeline, service.library, filters))
    days = [DayResponse.model_construct(day=each.day, count=each.count) for each in found.days]
    return TimelineResponse.model_construct(count=found.count, days=days, shapes=found.shapes)


@router.get("/timeline/pictures")
def timeline_pictures(
    service: ServiceDep,
    day: Annotated[
        date | None, Query(description="The day to begin with; without it, the pictures without a date")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many pictures of that day to leave out")] = 0,
    k: Annotated[int, Query(ge=1, le=MAX_HITS, description="Maximum number of pictures")] = 60,
    where: Where = "",
    query: FilterQuery = "",
) -> TimelinePicturesResponse:
    """List the pictures of a day and older ones."""
    pictures = browse_from_day(service.library, day, offset, k, _filters(where, query))
    return TimelinePicturesResponse(pictures=[HitResponse.unranked(picture) for picture in pictures])


def _filters(where: str, query: str) -> Filters:
    return Filters(where=combined_filters(parse_filters(where), filters_in_query(query)))
