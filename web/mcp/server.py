"""The server: its tools call the functions of the HTTP API, so that both give the same answers."""

import io
from typing import Annotated

from mcp.server.mcpserver import Image, MCPServer
from mcp_types import ToolAnnotations
from PIL import Image as PillowImage
from pydantic import Field

from core.frames import FIRST_FRAME
from core.version import __version__
from search.options import Sort
from store.library import Library
from web.api import albums as albums_api
from web.api import search as search_api
from web.api import tags as tags_api
from web.api.facets import count as count_facets
from web.mcp.answers import AlbumAnswer, FacetsAnswer, PicturesAnswer, TagAnswer
from web.mcp.changes import add_changing_tools
from web.mcp.tool_errors import reports_errors
from web.picture_details import PictureDetailsResponse, find_details
from web.picture_files import MAX_CONTENT_ID, MAX_FRAME_NUMBER
from web.requests import MAX_QUERY_LENGTH, SearchRequest
from web.service import Service
from web.settings import ServeSettings
from web.thumbnails import ThumbnailSize

__all__ = ["create_server", "run"]

INSTRUCTIONS = """\
Searches the user's own pictures by what they show. Describe pictures in plain words, in any language: `a dog in the \
snow`. Filters can be added to a query or given as `where`: tag:NAME, person:NAME, city:NAME, country:NAME, \
camera:NAME, year:2023, after:2023-06, before:2024, in:FOLDER, rating:>=4, album:NAME, text:WORD (text in pictures). \
`-word` excludes something. `facets` lists the values to filter by. Scores are cosine similarities: look at \
`is_relevant` and `relevance` before you say that a picture shows something, and at `thumbnail` if you must be sure.\
"""

MAX_PICTURES = 100
MAX_VALUES = 50

JPEG_QUALITY = 85

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)

PictureId = Annotated[int, Field(ge=1, le=MAX_CONTENT_ID, description="ID of a picture, as in results")]
Where = Annotated[str, Field(max_length=MAX_QUERY_LENGTH, description="Filters only, for example `year:2023 tag:rome`")]
Number = Annotated[int, Field(ge=1, le=MAX_PICTURES, description="Maximum number of pictures")]


def run(library: Library, *, allow_changes: bool = False) -> None:
    """Serve a library on standard input and output until the input ends."""
    service = Service(library, ServeSettings())
    try:
        create_server(service, allow_changes=allow_changes).run("stdio")
    finally:
        service.close()


def create_server(service: Service, *, allow_changes: bool = False) -> MCPServer:
    """Return a server whose tools read the library of `service`, and change tags, ratings and albums if allowed."""
    server = MCPServer(
        "sightline", title="Sightline", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    _add_searches(server, service)
    _add_facts(server, service)
    if allow_changes:
        add_changing_tools(server, service)
    return server


def _add_searches(server: MCPServer, service: Service) -> None:
    @server.tool(annotations=READS)
    @reports_errors
    def search(
        query: Annotated[
            str, Field(max_length=MAX_QUERY_LENGTH, description="What the pictures show; filters are allowed")
        ] = "",
        where: Where = "",
        k: Number = 10,
        sort: Sort = "relevance",
        relevant: Annotated[bool, Field(description="Only pictures that are probably relevant")] = False,
        cursor: Annotated[str | None, Field(max_length=2_000, description="`next` of the page before")] = None,
    ) -> PicturesAnswer:
        """Search the pictures, best first. Without a query, list all that match the filters, the newest first."""
        request = SearchRequest.model_validate(
            {"query": query, "where": where, "k": k, "sort": sort, "relevant": relevant, "cursor": cursor}
        )
        return PicturesAnswer.of(search_api.search(request, service))

    @server.tool(annotations=READS)
    @reports_errors
    def similar(picture: PictureId, k: Number = 10, where: Where = "") -> PicturesAnswer:
        """List the pictures most similar to a picture of the library. The picture itself is left out."""
        find_details(service.library, picture)  # raises `NotFound`
        request = SearchRequest.model_validate(
            {"parts": [{"picture": picture}], "k": k, "where": where, "exclude_parts": True}
        )
        return PicturesAnswer.of(search_api.search(request, service))


def _add_facts(server: MCPServer, service: Service) -> None:
    @server.tool(annotations=READS)
    @reports_errors
    def describe(picture: PictureId) -> PictureDetailsResponse:
        """Return all that is known about a picture: files, date, place, camera, people, tags, albums, rating, text."""
        return find_details(service.library, picture)

    @server.tool(annotations=READS)
    @reports_errors
    def thumbnail(
        picture: PictureId,
        size: Annotated[ThumbnailSize, Field(description="Longest side in pixels")] = ThumbnailSize.SHARP,
        frame: Annotated[int, Field(ge=0, le=MAX_FRAME_NUMBER, description="Page or moment, from 0")] = FIRST_FRAME,
    ) -> Image:
        """Return a picture as a small JPEG image, to look at it."""
        found = service.thumbnails.find(picture, size, frame) or service.thumbnails.make(picture, size, frame)
        return Image(data=_to_jpeg(found.data), format="jpeg")

    @server.tool(annotations=READS)
    @reports_errors
    def facets(
        where: Where = "",
        values: Annotated[int, Field(ge=1, le=MAX_VALUES, description="Maximum number of values of a facet")] = 15,
    ) -> FacetsAnswer:
        """Count pictures by folder, year, person, country, city, camera, lens, tag, format and orientation."""
        return FacetsAnswer.of(count_facets(service.library, where), values)

    @server.tool(annotations=READS)
    @reports_errors
    def tags() -> list[TagAnswer]:
        """List the tags in use."""
        return [TagAnswer(name=each.name, pictures=each.pictures) for each in tags_api.tags(service)]

    @server.tool(annotations=READS)
    @reports_errors
    def albums() -> list[AlbumAnswer]:
        """List the albums. `search` with `album:NAME` as a filter lists the pictures of one."""
        return [AlbumAnswer.of(each) for each in albums_api.albums(service)]


def _to_jpeg(data: bytes) -> bytes:
    """Convert a thumbnail, which is WebP: not every assistant reads that."""
    out = io.BytesIO()
    with PillowImage.open(io.BytesIO(data)) as image:
        image.convert("RGB").save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
