"""The three routes of clip-retrieval's server, so that its clients work against a Sightline library unchanged.

Requests and answers are those of clip-retrieval 2.45's `clip back`: `indice_name` is a space, `url` the address of the
picture on this server. What has no counterpart here (aesthetic scores, safety models, mCLIP) is accepted and without
effect; an `image_url` is refused: this server never fetches anything.
"""

import base64
import binascii
import json
from collections import Counter
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from core.errors import InvalidQuery
from search.query import Part, Picture, Query, Source, Text, Vector
from store.queries import ContentRecord, describe
from store.spaces.registry import list_spaces
from web.dependencies import RawBody, ServiceDep, body_of
from web.errors import printable
from web.files import LARGEST_ID
from web.requests import LONGEST_QUERY, MOST_HITS
from web.service import Service

__all__ = ["router"]

router = APIRouter(tags=["clip-retrieval"])

Asked = TypeVar("Asked", bound=BaseModel)


class KnnIn(BaseModel):
    """A question, as clip-retrieval's clients put it."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"text": "a dog in the snow", "num_images": 10, "indice_name": "mini"}]},
    )

    text: str | None = Field(None, max_length=LONGEST_QUERY)
    image: str | None = None
    """Base64 of a picture file."""
    image_url: str | None = None
    embedding_input: list[FiniteFloat] | None = Field(None, max_length=10_000)
    modality: Literal["image", "text"] = "image"
    num_images: int = Field(40, ge=0)
    num_result_ids: int | None = Field(None, ge=0)
    indice_name: str | None = Field(None, max_length=1_000)
    deduplicate: bool = False


class MetadataIn(BaseModel):
    """The pictures to be told about."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"ids": [1, 2]}]})

    ids: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(max_length=MOST_HITS)
    indice_name: str | None = None


@router.get("/indices-list")
def indices(service: ServiceDep) -> list[str]:
    """Lists the spaces, the one that answers first."""
    found = sorted(list_spaces(service.library), key=lambda each: not each[2])
    number = Counter(stored.space.model for stored, _, _ in found)
    return [
        stored.space.model if number[stored.space.model] == 1 else stored.space.fingerprint[:12]
        for stored, _, _ in found
    ]


# Its Python client sends JSON without saying so: hence the raw bodies.
@router.post("/knn-service", openapi_extra=body_of("application/json", KnnIn.model_json_schema()))
def knn(data: RawBody, request: Request, service: ServiceDep) -> list[dict[str, Any]]:
    """Finds the pictures nearest to a text, a picture or a vector."""
    asked = _read(KnnIn, data)
    if asked.modality != "image":
        raise InvalidQuery("only pictures can be found here, not captions")
    query = Query((Part(_source(asked, service)),))
    number = min(max(1, asked.num_images if asked.num_result_ids is None else asked.num_result_ids), MOST_HITS)
    hits = service.searcher(asked.indice_name or None).search(query, number)
    return [
        {**(_metadata(hit.record, request) if place < asked.num_images else {}), "id": hit.id, "similarity": hit.score}
        for place, hit in enumerate(hits)
    ]


@router.post("/metadata", openapi_extra=body_of("application/json", MetadataIn.model_json_schema()))
def metadata(data: RawBody, request: Request, service: ServiceDep) -> list[dict[str, Any]]:
    """Tells what is known of pictures."""
    asked = _read(MetadataIn, data)
    with service.library.read() as connection:
        known = describe(connection, asked.ids)
    return [{"id": each, "metadata": _metadata(known[each], request)} for each in asked.ids if each in known]


def _read(kind: type[Asked], data: bytes) -> Asked:
    try:
        return kind.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as exc:
        raise InvalidQuery(f"this is no question in clip-retrieval's form: {exc}") from exc


def _source(asked: KnnIn, service: Service) -> Source:
    if asked.image_url is not None:
        raise InvalidQuery("this server fetches nothing; send the picture itself as `image`")
    if asked.text is not None:
        return Text(asked.text)
    if asked.embedding_input is not None:
        return Vector(tuple(asked.embedding_input))
    if asked.image is None:
        raise InvalidQuery("give one of text, image and embedding_input")
    try:
        sent = base64.b64decode(asked.image, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidQuery("`image` is no base64") from exc
    return Picture(service.uploads.path(service.uploads.keep(sent).id))


def _metadata(record: ContentRecord, request: Request) -> dict[str, Any]:
    return {
        "url": str(request.url_for("original", picture_id=record.id)),
        "image_path": printable(record.paths[0]),
        "caption": printable(record.paths[0].stem),
        "width": record.width,
        "height": record.height,
    }
