"""Tags of pictures."""

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from store.queries import load_content_records
from store.tags import Tagging, add_tags, list_tags, remove_tags
from web.dependencies import ServiceDep
from web.requests import ContentId, RequestModel
from web.responses import ResponseModel

__all__ = ["router"]

router = APIRouter(prefix="/tags", tags=["tags"])


class TagRequest(RequestModel):
    """A tag, and the pictures to add it to or remove it from."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tag": "holidays", "pictures": [1, 2]}]})

    tag: str = Field(min_length=1, max_length=200)
    pictures: list[ContentId] = Field(min_length=1, max_length=10_000)


class TagResponse(ResponseModel):
    """A tag, and the number of its pictures."""

    name: str
    pictures: int


class TagChangeResponse(ResponseModel):
    """Number of pictures that were changed."""

    changed: int


@router.get("")
def tags(service: ServiceDep) -> list[TagResponse]:
    """List the tags in use."""
    return [TagResponse(name=tag.name, pictures=tag.pictures) for tag in list_tags(service.library)]


@router.post("")
def tag(request: TagRequest, service: ServiceDep) -> TagChangeResponse:
    """Add a tag to pictures; unknown pictures are ignored."""
    present = load_content_records(service.library, request.pictures)
    return TagChangeResponse(
        changed=add_tags(service.library, [Tagging(content_id, request.tag) for content_id in present])
    )


@router.delete("")
def untag(request: TagRequest, service: ServiceDep) -> TagChangeResponse:
    """Remove a tag that a user has added; tags that come from the files stay."""
    return TagChangeResponse(changed=remove_tags(service.library, request.pictures, [request.tag]))
