"""The tools that change tags, ratings and albums. Picture files are never changed."""

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from core.errors import UnknownAlbum
from core.metadata import MAX_RATING, MIN_RATING
from store.albums.by_hand import add_to_album, create_album, remove_from_album
from web.api import tags as tags_api
from web.mcp.tool_errors import reports_errors
from web.picture_files import MAX_CONTENT_ID
from web.responses import ResponseModel
from web.service import Service

__all__ = ["Changed", "add_changing_tools"]

MAX_PICTURES = 1_000
"""Pictures that one call changes."""

ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
REMOVES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)

PictureIds = Annotated[
    list[Annotated[int, Field(ge=1, le=MAX_CONTENT_ID)]],
    Field(min_length=1, max_length=MAX_PICTURES, description="IDs of pictures, as in results"),
]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Changed(ResponseModel):
    """The number of pictures that were changed."""

    changed: int


def add_changing_tools(server: MCPServer, service: Service) -> None:
    """Add the tools to `server`."""
    _add_tags_and_ratings(server, service)
    _add_albums(server, service)


def _add_tags_and_ratings(server: MCPServer, service: Service) -> None:

    @server.tool(annotations=ADDS)
    @reports_errors
    def tag(pictures: PictureIds, name: Name) -> Changed:
        """Add a tag to pictures. Unknown IDs are ignored."""
        return Changed(changed=tags_api.tag(tags_api.TagRequest(tag=name, pictures=pictures), service).changed)

    @server.tool(annotations=REMOVES)
    @reports_errors
    def untag(pictures: PictureIds, name: Name) -> Changed:
        """Remove a tag that a user has added; tags in the files stay."""
        return Changed(changed=tags_api.untag(tags_api.TagRequest(tag=name, pictures=pictures), service).changed)

    @server.tool(annotations=REMOVES)
    @reports_errors
    def rate(
        pictures: PictureIds,
        rating: Annotated[
            int | None,
            Field(
                ge=MIN_RATING,
                le=MAX_RATING,
                description="1 to 5 stars, 0 for unrated, -1 for rejected; null for the rating in the file",
            ),
        ],
    ) -> Changed:
        """Rate pictures."""
        request = tags_api.RatingRequest(rating=rating, pictures=pictures)
        return Changed(changed=tags_api.rate_pictures(request, service).changed)


def _add_albums(server: MCPServer, service: Service) -> None:
    @server.tool(annotations=ADDS)
    @reports_errors
    def add_pictures_to_album(album: Name, pictures: PictureIds) -> Changed:
        """Append pictures to an album, which is created if there is none of this name."""
        try:
            return Changed(changed=add_to_album(service.library, album, pictures))
        except UnknownAlbum:
            return Changed(changed=create_album(service.library, album, pictures))

    @server.tool(annotations=REMOVES)
    @reports_errors
    def remove_pictures_from_album(album: Name, pictures: PictureIds) -> Changed:
        """Remove pictures from an album, but not from the library."""
        return Changed(changed=remove_from_album(service.library, album, pictures))
