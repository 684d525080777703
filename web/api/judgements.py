"""Right or wrong: what people say of an answer, for an evaluation on their own pictures."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from web.dependencies import ServiceDep
from web.errors import NotAllowed
from web.files import LARGEST_ID
from web.responses import Said

__all__ = ["router"]

router = APIRouter(prefix="/judgements", tags=["judgements"])

LONGEST = 2_000
MOST = 1_000


class JudgementIn(BaseModel):
    """An answer to the question whether a picture is right for a query."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "a dog in the snow", "picture": 1, "grade": 1}]}
    )

    query: str = Field(min_length=1, max_length=LONGEST)
    picture: int = Field(ge=1, le=LARGEST_ID)
    grade: Literal[0, 1] | None = Field(description="1: right, 0: wrong, null: take it back")


class Judgements(Said):
    """What was said of pictures, as answers to a query."""

    grades: dict[int, int]
    """By the picture's id: 1 for right, 0 for wrong."""


@router.get("")
def judgements(
    query: Annotated[str, Query(min_length=1, max_length=LONGEST)],
    service: ServiceDep,
    picture: Annotated[list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] | None, Query(max_length=MOST)] = None,
) -> Judgements:
    """Tells what was said of some pictures, as answers to a query."""
    return Judgements(grades=service.judging.grades(query, picture or []))


@router.put("")
def judge(said: JudgementIn, service: ServiceDep) -> Judgements:
    """Keeps an answer. `sightline eval LIBRARY/judged --library LIBRARY` measures with all of them."""
    if not said.query.strip():
        raise NotAllowed("a judgement is about a query of words")
    service.judging.judge(said.query, said.picture, said.grade)
    return Judgements(grades=service.judging.grades(said.query, [said.picture]))
