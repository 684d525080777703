"""Tags and ratings of pictures."""

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from core.metadata import MAX_RATING, MIN_RATING
from store.queries import load_content_records
from store.ratings import rate
from store.tags import Tagging, add_tags, list_tags, remove_tags, tagged_by
from web.dependencies import ServiceDep
from web.requests import ContentId, RequestModel
from web.responses import ResponseModel

__all__ = ["router"]

router = APIRouter(tags=["tags"])

MAX_PICTURES = 10_000
"""Pictures that one request can change."""


class TagRequest(RequestModel):
    """A tag, and the pictures to add it to or remove it from."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tag": "holidays", "pictures": [1, 2]}]})

    tag: str = Field(min_length=1, max_length=200)
    pictures: list[ContentId] = Field(min_length=1, max_length=MAX_PICTURES)


class TagResponse(ResponseModel):
    """A tag, and the number of its pictures."""

    name: str
    pictures: int


class TagChangeResponse(ResponseModel):
    """The pictures that were changed."""

    changed: int
    """Their number."""
    pictures: list[int]
    """Their IDs, for a request that undoes the change."""


class RatingRequest(RequestModel):
    """A rating, and the pictures to give it to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rating": 4, "pictures": [1, 2]}]})

    rating: int | None = Field(
        ge=MIN_RATING,
        le=MAX_RATING,
        description="1 to 5 stars, 0 for unrated, -1 for rejected; null for the rating of the file or its sidecar",
    )
    pictures: list[ContentId] = Field(min_length=1, max_length=MAX_PICTURES)


class PreviousRating(ResponseModel):
    """Pictures whose rating by a user was the same."""

    rating: int | None
    """Null if no user had rated them."""
    pictures: list[int]


class RatingChangeResponse(ResponseModel):
    """The pictures that were changed."""

    changed: int
    """Their number."""
    previous: list[PreviousRating]
    """Their ratings before; each one is a request that restores it."""


@router.get("/tags")
def tags(service: ServiceDep) -> list[TagResponse]:
    """List the tags in use."""
    return [TagResponse(name=tag.name, pictures=tag.pictures) for tag in list_tags(service.library)]


@router.post("/tags")
def tag(request: TagRequest, service: ServiceDep) -> TagChangeResponse:
    """Add a tag to pictures; unknown pictures are ignored."""
    present = load_content_records(service.library, request.pictures)
    had = tagged_by(service.library, request.pictures, request.tag)
    changed = add_tags(service.library, [Tagging(content_id, request.tag) for content_id in present])
    return TagChangeResponse(changed=changed, pictures=sorted(present.keys() - had))


@router.delete("/tags")
def untag(request: TagRequest, service: ServiceDep) -> TagChangeResponse:
    """Remove a tag that a user has added; tags that come from the files stay."""
    had = tagged_by(service.library, request.pictures, request.tag)
    changed = remove_tags(service.library, request.pictures, [request.tag])
    return TagChangeResponse(changed=changed, pictures=sorted(had))


@router.put("/ratings")
def rate_pictures(request: RatingRequest, service: ServiceDep) -> RatingChangeResponse:
    """Rate pictures. Files are never changed; the rating outranks theirs until it is null. Unknown IDs are ignored."""
    before = rate(service.library, request.pictures, request.rating)
    ratings = sorted(set(before.values()), key=lambda rating: (rating is not None, rating or 0))
    previous = [
        PreviousRating(rating=rating, pictures=sorted(each for each, was in before.items() if was == rating))
        for rating in ratings
    ]
    return RatingChangeResponse(changed=len(before), previous=previous)
