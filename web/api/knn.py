"""The three routes of clip-retrieval's server, so that its clients work with a Sightline library unchanged.

Requests and responses are those of `clip back` in clip-retrieval 2.45: `indice_name` is a space, `url` the address of
the picture on this server. Options without a counterpart (aesthetic scores, safety models, mCLIP) are ignored; an
`image_url` is an error, since this server never downloads anything.
"""

import base64
import binascii
import json
from collections import Counter
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from core.errors import InvalidQuery
from search.query import ImageInput, Part, Query, QueryInput, TextInput, VectorInput
from store.queries import ContentRecord, load_content_records
from store.spaces.registry import list_spaces
from web.dependencies import RawBody, ServiceDep, raw_body_schema
from web.printable import printable
from web.requests import MAX_HITS, MAX_QUERY_LENGTH, ContentId, json_fault
from web.service import Service

__all__ = ["router"]

router = APIRouter(tags=["clip-retrieval"])

RequestT = TypeVar("RequestT", bound=BaseModel)


class KnnRequest(BaseModel):
    """A search of a clip-retrieval client."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"text": "a dog in the snow", "num_images": 10, "indice_name": "mini"}]},
    )

    text: str | None = Field(None, max_length=MAX_QUERY_LENGTH)
    image: str | None = None
    """Base64 of a picture file."""
    image_url: str | None = None
    embedding_input: list[FiniteFloat] | None = Field(None, max_length=10_000)
    modality: Literal["image", "text"] = "image"
    num_images: int = Field(40, ge=0)
    num_result_ids: int | None = Field(None, ge=0)
    indice_name: str | None = Field(None, max_length=1_000)
    deduplicate: bool = False


class MetadataRequest(BaseModel):
    """The pictures to describe."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"ids": [1, 2]}]})

    ids: list[ContentId] = Field(max_length=MAX_HITS)
    indice_name: str | None = None


@router.get("/indices-list")
def indices(service: ServiceDep) -> list[str]:
    """List the spaces, the active one first."""
    summaries = sorted(list_spaces(service.library), key=lambda summary: not summary.is_active)
    spaces = [summary.stored.space for summary in summaries]
    models, names = Counter(space.model for space in spaces), Counter(space.name for space in spaces)
    return [
        space.model if models[space.model] == 1 else space.name if names[space.name] == 1 else space.fingerprint[:12]
        for space in spaces
    ]


# The Python client sends JSON without its content type; hence the raw bodies.
@router.post("/knn-service", openapi_extra=raw_body_schema("application/json", KnnRequest.model_json_schema()))
def knn(data: RawBody, request: Request, service: ServiceDep) -> list[dict[str, Any]]:
    """Return the pictures nearest to a text, a picture or a vector."""
    body = _parse(KnnRequest, data)
    if body.modality != "image":
        raise InvalidQuery("Only pictures can be searched, not captions.")
    query = Query((Part(_input(body, service)),))
    k = min(max(1, body.num_images if body.num_result_ids is None else body.num_result_ids), MAX_HITS)
    with service.activity.search():
        hits = service.searcher(body.indice_name or None).search(query, k=k)
    return [
        {**(_metadata(hit.record, request) if rank < body.num_images else {}), "id": hit.id, "similarity": hit.score}
        for rank, hit in enumerate(hits)
    ]


@router.post("/metadata", openapi_extra=raw_body_schema("application/json", MetadataRequest.model_json_schema()))
def metadata(data: RawBody, request: Request, service: ServiceDep) -> list[dict[str, Any]]:
    """Return the metadata of pictures."""
    body = _parse(MetadataRequest, data)
    records = load_content_records(service.library, body.ids)
    return [
        {"id": content_id, "metadata": _metadata(records[content_id], request)}
        for content_id in body.ids
        if content_id in records
    ]


def _parse(kind: type[RequestT], data: bytes) -> RequestT:
    try:
        return kind.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as exc:
        raise InvalidQuery(f"This is not a valid clip-retrieval request: {json_fault(exc)}.") from exc


def _input(body: KnnRequest, service: Service) -> QueryInput:
    if body.image_url is not None:
        raise InvalidQuery("This server downloads nothing. Send the picture itself as `image`.")
    if body.text is not None:
        return TextInput(body.text)
    if body.embedding_input is not None:
        return VectorInput(tuple(body.embedding_input))
    if body.image is None:
        raise InvalidQuery("One of text, image and embedding_input is required.")
    try:
        data = base64.b64decode(body.image, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidQuery("`image` is not valid base64.") from exc
    return ImageInput(service.uploads.path(service.uploads.add(data).id))


def _metadata(record: ContentRecord, request: Request) -> dict[str, Any]:
    return {
        "url": str(request.url_for("original", picture_id=record.id)),
        "image_path": printable(record.paths[0]),
        "caption": printable(record.paths[0].stem),
        "width": record.width,
        "height": record.height,
    }
