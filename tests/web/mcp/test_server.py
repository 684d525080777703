"""The tools of the server for assistants, called by the client of the SDK."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import CallToolResult, ImageContent, TextContent
from PIL import Image

from store import Library
from store.albums.by_hand import create_album
from store.tags import Tagging, add_tags
from web.mcp import create_server
from web.service import Service
from web.settings import ServeSettings

READING = {"search", "similar", "describe", "thumbnail", "facets", "tags", "albums"}
CHANGING = {"tag", "untag", "rate", "add_pictures_to_album", "remove_pictures_from_album"}


@pytest.fixture
def service(indexed: Library, tmp_path: Path) -> Iterator[Service]:
    service = Service(indexed, ServeSettings(cache=tmp_path / "cache"))
    yield service
    service.close()


def call(service: Service, tool: str, *, allow_changes: bool = False, **arguments: Any) -> CallToolResult:
    async def ask() -> CallToolResult:
        async with Client(create_server(service, allow_changes=allow_changes)) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(ask)


def answer(service: Service, tool: str, *, allow_changes: bool = False, **arguments: Any) -> Any:
    result = call(service, tool, allow_changes=allow_changes, **arguments)
    assert not result.is_error, result.content
    return result.structured_content


def error(service: Service, tool: str, *, allow_changes: bool = False, **arguments: Any) -> str:
    result = call(service, tool, allow_changes=allow_changes, **arguments)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def id_of(service: Service, name: str) -> int:
    found = answer(service, "search", k=100)["pictures"]
    return next(int(each["id"]) for each in found if Path(each["path"]).stem == name)


def tool_names(service: Service, *, allow_changes: bool) -> dict[str, bool | None]:
    async def ask() -> dict[str, bool | None]:
        async with Client(create_server(service, allow_changes=allow_changes)) as client:
            tools = (await client.list_tools()).tools
            assert all(tool.description and tool.annotations for tool in tools)
            return {tool.name: tool.annotations.read_only_hint for tool in tools if tool.annotations}

    return anyio.run(ask)


def test_tools_only_read_unless_changes_are_allowed(service: Service) -> None:
    assert tool_names(service, allow_changes=False) == dict.fromkeys(READING, True)
    changing = tool_names(service, allow_changes=True)
    assert {name for name, reads in changing.items() if not reads} == CHANGING
    assert error(service, "tag", pictures=[1], name="x") == "Unknown tool: tag"


def test_search_returns_the_best_picture_first(service: Service) -> None:
    found = answer(service, "search", query="red", k=2)
    assert next(Path(each["path"]).stem for each in found["pictures"]) == "red"
    assert len(found["pictures"]) == 2
    assert found["searched"] == 4
    assert found["query"] == "red"
    assert found["pictures"][0]["score"] == pytest.approx(1, abs=0.01)


def test_pages_continue_where_the_last_one_ended(service: Service) -> None:
    first = answer(service, "search", query="red", k=3)
    second = answer(service, "search", query="red", k=3, cursor=first["next"])
    ids = [each["id"] for page in (first, second) for each in page["pictures"]]
    assert len(ids) == len(set(ids)) == 4
    assert second["next"] is None


def test_filters_limit_the_search(service: Service) -> None:
    red = id_of(service, "red")
    add_tags(service.library, [Tagging(red, "rome")])
    assert [each["id"] for each in answer(service, "search", where="tag:rome")["pictures"]] == [red]
    assert answer(service, "tags")["result"] == [{"name": "rome", "pictures": 1}]
    values = answer(service, "facets", where="tag:rome")["facets"]["tag"]
    assert values == [{"value": "rome", "count": 1, "filter": 'tag:"=rome"'}]


def test_notices_say_how_a_query_was_read(service: Service) -> None:
    assert answer(service, "search", query="red || blue")["notices"]


def test_similar_pictures_do_not_include_the_picture(service: Service) -> None:
    red = id_of(service, "red")
    found = answer(service, "similar", picture=red, k=10)["pictures"]
    assert red not in [each["id"] for each in found]
    assert len(found) == 3


def test_description_has_all_facts(service: Service) -> None:
    red = id_of(service, "red")
    create_album(service.library, "Rome", [red])
    facts = answer(service, "describe", picture=red)
    assert (facts["name"], facts["format"], facts["albums"]) == ("red.png", "PNG", ["Rome"])
    assert answer(service, "albums")["result"] == [{"name": "Rome", "by_hand": True, "pictures": 1, "query": ""}]


def test_thumbnail_is_a_small_jpeg(service: Service) -> None:
    result = call(service, "thumbnail", picture=id_of(service, "red"), size=192)
    (content,) = result.content
    assert isinstance(content, ImageContent)
    assert content.mime_type == "image/jpeg"
    with Image.open(io.BytesIO(base64.b64decode(content.data))) as image:
        assert max(image.size) <= 192
        red, green, blue = image.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


def test_errors_say_what_is_wrong(service: Service) -> None:
    assert "Not found" in error(service, "describe", picture=999)
    assert "is not a filter" in error(service, "search", where="a dog")
    assert "No album" in error(service, "search", where="album:nowhere") or "not found" in error(
        service, "search", where="album:nowhere"
    )
    assert "less than or equal to 100" in error(service, "search", query="red", k=1000)
    assert "192, 384, 768 or 1536" in error(service, "thumbnail", picture=1, size=5000)


def test_queries_cannot_name_files(service: Service) -> None:
    assert "cannot be named by its path" in error(service, "search", query="/etc/passwd.png")


def test_tags_ratings_and_albums_change_if_that_is_allowed(service: Service) -> None:
    red = id_of(service, "red")

    def change(tool: str, **arguments: Any) -> int:
        return int(answer(service, tool, allow_changes=True, **arguments)["changed"])

    assert change("tag", pictures=[red, 999], name="rome") == 1
    assert change("rate", pictures=[red], rating=4) == 1
    assert change("add_pictures_to_album", album="Best", pictures=[red]) == 1
    facts = answer(service, "describe", picture=red)
    assert ([tag["name"] for tag in facts["tags"]], facts["rating"], facts["albums"]) == (["rome"], 4, ["Best"])
    assert change("untag", pictures=[red], name="rome") == 1
    assert change("remove_pictures_from_album", album="Best", pictures=[red]) == 1
    facts = answer(service, "describe", picture=red)
    assert (facts["tags"], facts["albums"]) == ([], [])
    assert "is not a valid name" in error(service, "tag", allow_changes=True, pictures=[red], name=" ")
