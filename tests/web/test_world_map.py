"""The map over HTTP, and the server of tiles that a user names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from core.errors import UnsafeServerSettings
from store import Library
from store.catalog.tables import Content
from tests.support.web import API, BASE_URL, picture_id
from web import ServeSettings, create_app
from web.map_tiles import MapTiles

MAP = f"{API}/map"
TEMPLATE = "https://tiles.example.org/{z}/{x}/{y}.png"


@pytest.fixture
def placed(client: TestClient, indexed: Library) -> TestClient:
    """A client of four pictures: red and green in Rome, blue in Fiji, yellow without a position."""
    places = {"red.png": (41.9, 12.5), "green.png": (41.8, 12.3), "blue.png": (-17.8, 178.0)}
    for name, (latitude, longitude) in places.items():
        move(indexed, picture_id(client, name), latitude, longitude)
    return client


def move(library: Library, content_id: int, latitude: float, longitude: float) -> None:
    with library.transaction() as connection:
        changed = {"latitude": latitude, "longitude": longitude}
        connection.execute(update(Content).where(Content.id == content_id).values(changed))


def test_map_has_clusters_of_the_whole_world(placed: TestClient) -> None:
    data = placed.get(MAP).json()
    assert data["count"] == 3
    rome, fiji = data["clusters"]
    assert (rome["count"], fiji["count"], fiji["picture"]) == (2, 1, picture_id(placed, "blue.png"))
    assert (rome["latitude"], rome["longitude"]) == pytest.approx((41.85, 12.4))
    assert [rome[side] for side in ("south", "west", "north", "east")] == pytest.approx([41.8, 12.3, 41.9, 12.5])
    assert (rome["place"], data["tiles"]) == (None, None)


def test_box_of_a_cluster_is_a_filter_for_its_pictures(placed: TestClient) -> None:
    rome = placed.get(MAP).json()["clusters"][0]
    box = ",".join(str(rome[side]) for side in ("south", "west", "north", "east"))
    assert placed.post(f"{API}/search", json={"where": f"box:{box}"}).json()["searched"] == 2
    assert placed.get(MAP, params={"where": f"box:{box}"}).json()["count"] == 2


def test_filters_and_the_box_apply_to_the_map(placed: TestClient) -> None:
    def count(**params: str | float) -> int:
        return int(placed.get(MAP, params=params).json()["count"])

    assert count(where="name:red*") == 1
    assert count(query="a boat name:blue*") == 1
    assert count(query="a boat") == 3
    assert count(where="name:red*", query="name:blue*") == 0
    assert count(west=170, east=-170) == 1
    assert count(south=41.85, zoom=20) == 1


def test_map_follows_changes_of_the_library(placed: TestClient, indexed: Library) -> None:
    assert placed.get(MAP, params={"where": "name:yellow*"}).json()["count"] == 0
    move(indexed, picture_id(placed, "yellow.png"), 1, 2)
    assert placed.get(MAP, params={"where": "name:yellow*"}).json()["count"] == 1
    assert placed.get(MAP).json()["count"] == 4


@pytest.mark.parametrize(
    "params",
    [
        {"south": "nan"},
        {"west": "inf"},
        {"north": "91"},
        {"east": "-181"},
        {"zoom": "21"},
        {"zoom": "-1"},
        {"where": "a dog"},
        {"where": "x" * 20_000},
        {"query": '"'},
    ],
)
def test_invalid_sections_are_rejected(shared: TestClient, params: dict[str, str]) -> None:
    assert 400 <= shared.get(MAP, params=params).status_code < 500


def test_box_upside_down_is_empty(shared: TestClient) -> None:
    assert shared.get(MAP, params={"south": 10, "north": -10, "zoom": 20}).json()["clusters"] == []


@pytest.fixture
def tiled(indexed: Library, tmp_path: Path) -> Iterator[TestClient]:
    """A client of a server with map tiles."""
    settings = ServeSettings(cache=tmp_path, map_tiles=MapTiles(TEMPLATE, "© Example"))
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as opened:
        yield opened


def test_policy_allows_images_of_the_tile_server_and_nothing_else(tiled: TestClient, shared: TestClient) -> None:
    policy = tiled.get("/").headers["content-security-policy"]
    assert "; img-src 'self' blob: https://tiles.example.org; media-src 'self'; connect-src 'self';" in policy
    assert policy.replace(" https://tiles.example.org", "") == shared.get("/").headers["content-security-policy"]
    assert tiled.get(MAP).json()["tiles"] == {"template": TEMPLATE, "attribution": "© Example"}


@pytest.mark.parametrize(
    ("template", "origin"),
    [
        (TEMPLATE, "https://tiles.example.org"),
        ("http://localhost:8080/osm/{z}/{x}/{y}@2x.png?key=a-b", "http://localhost:8080"),
        ("https://[::1]:9/{y}?x={x}&z={z}", "https://[::1]:9"),
    ],
)
def test_origin_of_tiles(template: str, origin: str) -> None:
    assert MapTiles(template).origin == origin


@pytest.mark.parametrize(
    "template",
    [
        "",
        "https://tiles.example.org/",
        "https://tiles.example.org/{z}/{x}.png",
        "https://tiles.example.org/{z}/{x}/{y}/{y}.png",
        "https://{z}.example.org/{x}/{y}.png",
        "https://tiles.example.org{z}/{x}/{y}.png",
        "https://tiles.example.org/{s}/{z}/{x}/{y}.png",
        "https://user:secret@tiles.example.org/{z}/{x}/{y}.png",
        "https://*/{z}/{x}/{y}.png",
        "https://*.example.org/{z}/{x}/{y}.png",
        "https://tiles.example.org;script-src/{z}/{x}/{y}.png",
        "https://tiles.example.org/{z}/{x}/{y}.png; script-src *",
        "https://tiles.example.org 'unsafe-inline'/{z}/{x}/{y}.png",
        "https://tiles.example.org/{z}/{x}/{y}.png\n",
        "https://tiles.example.org:99999999/{z}/{x}/{y}.png",
        "https:///{z}/{x}/{y}.png",
        "//tiles.example.org/{z}/{x}/{y}.png",
        "ftp://tiles.example.org/{z}/{x}/{y}.png",
        "data:image/png,{z}/{x}/{y}",
        "javascript:alert(1)//{z}/{x}/{y}",
        "file:///tiles/{z}/{x}/{y}.png",
        "https://tilés.example.org/{z}/{x}/{y}.png",
    ],
)
def test_invalid_templates_of_tiles_are_refused(template: str) -> None:
    with pytest.raises(UnsafeServerSettings, match="is not a URL of map tiles"):
        MapTiles(template)


@pytest.mark.parametrize("attribution", ["two\nlines", "x" * 301, "\u202eright to left"])
def test_invalid_attributions_are_refused(attribution: str) -> None:
    with pytest.raises(UnsafeServerSettings, match="attribution"):
        MapTiles(TEMPLATE, attribution)
