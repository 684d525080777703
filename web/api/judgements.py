"""Relevance judgements, for an evaluation on your own pictures."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from web.dependencies import ServiceDep
from web.errors import NotAllowed
from web.picture_files import MAX_CONTENT_ID
from web.requests import ContentId, RequestModel
from web.responses import ResponseModel

__all__ = ["router"]

router = APIRouter(prefix="/judgements", tags=["judgements"])

MAX_JUDGED_QUERY_LENGTH = 2_000
MAX_JUDGED_PICTURES = 1_000
"""Number of pictures whose judgements one request may ask for."""


class JudgementRequest(RequestModel):
    """Whether a picture is relevant for a query."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "a dog in the snow", "picture": 1, "grade": 1}]}
    )

    query: str = Field(min_length=1, max_length=MAX_JUDGED_QUERY_LENGTH)
    picture: int = Field(ge=1, le=MAX_CONTENT_ID)
    grade: Literal[0, 1] | None = Field(description="1: relevant, 0: not relevant, null: remove the judgement")


class JudgementsResponse(ResponseModel):
    """The judgements of some pictures for a query."""

    grades: dict[int, int]
    """By picture ID: 1 for relevant, 0 for not relevant."""


class UnjudgedResponse(ResponseModel):
    """The pictures without a judgement, the most influential first."""

    pictures: list[int]
    """IDs of pictures."""


@router.get("")
def judgements(
    query: Annotated[str, Query(min_length=1, max_length=MAX_JUDGED_QUERY_LENGTH)],
    service: ServiceDep,
    picture: Annotated[list[ContentId] | None, Query(max_length=MAX_JUDGED_PICTURES)] = None,
) -> JudgementsResponse:
    """List the judgements of some pictures for a query."""
    return JudgementsResponse(grades=service.judgements.grades(query, picture or []))


@router.get("/unjudged")
def unjudged(
    query: Annotated[str, Query(min_length=1, max_length=MAX_JUDGED_QUERY_LENGTH)],
    service: ServiceDep,
    picture: Annotated[list[ContentId] | None, Query(max_length=MAX_JUDGED_PICTURES)] = None,
) -> UnjudgedResponse:
    """List which of the first results of a query, given in their order, have no judgement.

    The first one is that whose judgement can change MRR, recall and nDCG of this ranking most.
    """
    return UnjudgedResponse(pictures=service.judgements.unjudged(query, picture or []))


@router.put("")
def judge(request: JudgementRequest, service: ServiceDep) -> JudgementsResponse:
    """Store a judgement. `sightline eval LIBRARY/judged --library LIBRARY` evaluates with all of them."""
    if not request.query.strip():
        raise NotAllowed("A judgement needs a query of text.")
    service.judgements.judge(request.query, request.picture, request.grade)
    return JudgementsResponse(grades=service.judgements.grades(request.query, [request.picture]))
