"""What people say of their pictures."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from store.queries import describe
from store.tags import Tagging, add_tags, list_tags, remove_tags, remove_unused
from web.dependencies import ServiceDep
from web.files import LARGEST_ID
from web.responses import Said

__all__ = ["router"]

router = APIRouter(prefix="/tags", tags=["tags"])


class TagIn(BaseModel):
    """A tag, and the pictures it is about."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tag": "holidays", "pictures": [1, 2]}]})

    tag: str = Field(min_length=1, max_length=200)
    pictures: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(min_length=1, max_length=10_000)


class Tag(Said):
    """A tag, and how many pictures have it."""

    name: str
    pictures: int


class Changed(Said):
    """How many pictures got the tag, or lost it."""

    changed: int


@router.get("")
def tags(service: ServiceDep) -> list[Tag]:
    """Lists the tags that some picture has."""
    with service.library.read() as connection:
        return [Tag(name=tag.name, pictures=tag.pictures) for tag in list_tags(connection)]


@router.post("")
def tag(wanted: TagIn, service: ServiceDep) -> Changed:
    """Gives pictures a tag; those that are not there are passed over."""
    with service.library.write() as connection:
        known = describe(connection, wanted.pictures)
        return Changed(changed=add_tags(connection, [Tagging(each, wanted.tag) for each in known]))


@router.delete("")
def untag(wanted: TagIn, service: ServiceDep) -> Changed:
    """Takes a tag away that a person gave; what files themselves say stays."""
    with service.library.write() as connection:
        changed = remove_tags(connection, wanted.pictures, [wanted.tag])
        remove_unused(connection)
    return Changed(changed=changed)
