"""The map: clusters, areas as filters, keyboard, phones, and tiles of a server that the user names."""

import io
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.browser import PHONE, OpenPage, bounding_box, visit, wait_for_value
from tests.support.photos import located_photo, photo
from tests.support.web import opened_library_server, running_server
from web import ServeSettings
from web.map_tiles import MapTiles

PLACES = {"rome": (41.9, 12.5, 6), "naples": (40.85, 14.27, 3), "sydney": (-33.87, 151.2, 2)}
"""Latitude, longitude and number of pictures, all at that point."""


@pytest.fixture(scope="module")
def travels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of pictures at three places, and one without a position."""
    folder = tmp_path_factory.mktemp("travels")
    seed = 0
    for name, (latitude, longitude, count) in PLACES.items():
        for _ in range(count):
            seed += 1
            located_photo(folder / "photos" / name / f"{seed}.jpg", seed, latitude, longitude)
    photo(99, 64, 48).save(folder / "photos" / "scan.jpg")
    with Library.open(folder / "library", create=True) as library:
        index(library, [folder / "photos"], FakeEncoder())
    return folder / "library"


@pytest.fixture(scope="module")
def world(browser: Browser, travels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of that library."""
    with opened_library_server(Library.open(travels), tmp_path_factory.mktemp("world")) as address:
        yield address


def open_map(page: Page) -> None:
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator(".map-status")).to_have_text("11 pictures in this area")


def filters(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("filter", [])


def test_clusters_lead_to_their_pictures(open_page: OpenPage, world: str) -> None:
    page = open_page(world)
    open_map(page)
    expect(page.locator(".cluster-count")).to_have_text(["9", "2"])
    page.locator(".cluster", has_text="9").click()
    expect(page.locator(".cluster-count")).to_have_text(["6", "3"])  # Rome and Naples, side by side
    page.locator(".cluster", has_text="3").click()  # one point, which no zoom separates
    expect(page.locator(".tile")).to_have_count(3)
    wait_for_value(page, lambda: filters(page), ["box:40.84999,14.26999,40.85001,14.27001"])
    expect(page.locator("#filters")).to_contain_text("Area on the map")
    page.go_back()
    expect(page.locator(".cluster-count")).to_have_text(["6", "3"])


def test_area_is_drawn_and_used_as_a_filter(open_page: OpenPage, world: str) -> None:
    page = open_page(world, path="/?view=pictures")
    open_map(page)
    page.get_by_role("button", name="Draw an area").click()
    sydney = bounding_box(page.locator(".cluster", has_text="2"))
    page.mouse.move(sydney["x"] - 40, sydney["y"] - 40)
    page.mouse.down()
    page.mouse.move(sydney["x"] + 100, sydney["y"] + 100, steps=3)
    expect(page.locator(".map-box")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".tile")).to_have_count(2)
    wait_for_value(page, lambda: [term.partition(":")[0] for term in filters(page)], ["box"])
    page.get_by_role("button", name="Map", exact=True).click()
    page.get_by_role("button", name="Remove Area on the map").click()
    expect(page.locator(".kept")).to_be_hidden()
    wait_for_value(page, lambda: filters(page), [])
    page.keyboard.press("Escape")


def test_map_works_by_keyboard(open_page: OpenPage, world: str) -> None:
    page = open_page(world)
    open_map(page)
    stage = page.get_by_role("application")
    stage.focus()
    page.wait_for_url("**at=*")
    whole = page.url
    stage.press("+")
    stage.press("ArrowRight")
    page.wait_for_function("whole => location.href !== whole", arg=whole)
    stage.press("0")
    page.wait_for_url(whole)
    expect(page.locator(".map-status")).to_have_text("11 pictures in this area")
    expect(page.locator(".map-places li")).to_have_count(2)
    page.get_by_role("button", name="Show 11 pictures here").press("Enter")
    expect(page.locator(".tile")).to_have_count(11)


def test_button_shows_the_area_that_was_counted(open_page: OpenPage, world: str) -> None:
    """It is pressed after a move, before the pictures of the new area are counted."""
    page = open_page(world)
    open_map(page)
    button = page.get_by_role("button", name="Show 11 pictures here")
    expect(button).to_be_visible()
    page.route("**/api/v1/map?*", lambda _: None)  # it never answers
    page.get_by_role("application").press("+")
    button.click()
    expect(page.locator(".tile")).to_have_count(11)


def test_address_names_a_part_of_the_map(open_page: OpenPage, world: str) -> None:
    page = open_page(world)
    visit(page, "/?view=map&at=-33.87,151.2,9")
    expect(page.locator(".map-status")).to_have_text("2 pictures in this area")
    expect(page).to_have_url(re.compile("at=-33.87000,151.20000,9"))


def test_filters_apply_to_the_map(open_page: OpenPage, world: str) -> None:
    page = open_page(world, path="/?filter=date:2023-01-02")
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator(".map-status")).to_have_text("1 picture in this area")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".cluster-count").first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_map_on_a_phone_is_above_the_bar_and_accessible(open_page: OpenPage, world: str, language: str) -> None:
    page = open_page(world, language=language, theme="dark", viewport=PHONE, has_touch=True)
    page.locator("[data-view=map]").click()
    page.locator(".cluster").first.wait_for()
    frame, bar = bounding_box(page.locator(".map-frame")), bounding_box(page.locator("#views"))
    assert (frame["x"], frame["width"]) == (0, PHONE["width"])
    assert frame["y"] + frame["height"] <= bar["y"] + 1
    page.locator(".list-button").click()
    expect(page.locator(".map-places li")).to_have_count(2)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


ASKED: list[str] = []
"""The paths of all tiles that were asked for."""


class _TileServer(BaseHTTPRequestHandler):
    """Answers every request with a tile of one colour."""

    def do_GET(self) -> None:
        ASKED.append(self.path)
        body = io.BytesIO()
        Image.new("RGB", (256, 256), "teal").save(body, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(body.getvalue())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_tiles_come_from_the_server_that_was_named(
    browser: Browser, open_page: OpenPage, travels: Path, tmp_path: Path
) -> None:
    tiles = ThreadingHTTPServer(("127.0.0.1", 0), _TileServer)
    threading.Thread(target=tiles.serve_forever, daemon=True).start()
    template = f"http://127.0.0.1:{tiles.server_port}/{{z}}/{{x}}/{{y}}.png"
    settings = ServeSettings(port=0, cache=tmp_path, map_tiles=MapTiles(template, "© Teal"))
    try:
        with Library.open(travels) as library, running_server(library, settings) as address:
            page = open_page(
                address, expected_faults=(f"request to another host: http://127.0.0.1:{tiles.server_port}/",)
            )
            open_map(page)
            expect(page.locator(".map-credit")).to_have_text("© Teal")
            page.wait_for_function(
                "() => { const canvas = document.querySelector('canvas');"
                " try { canvas.getContext('2d').getImageData(0, 0, 1, 1); return false } catch { return true } }"
            )  # an image of another origin has been drawn
    finally:
        tiles.shutdown()
        tiles.server_close()
    assert ASKED
    assert all(re.fullmatch(r"/\d+/\d+/\d+\.png", path) for path in ASKED)


@pytest.mark.parametrize("width", [320, PHONE["width"]])
def test_buttons_do_not_cover_the_scale_of_the_map(open_page: OpenPage, world: str, width: int) -> None:
    page = open_page(world, path="/?view=map", language="de", viewport={**PHONE, "width": width})
    expect(page.locator(".map-scale")).not_to_be_empty()
    scale, buttons = bounding_box(page.locator(".map-scale")), bounding_box(page.locator(".map-actions"))
    assert scale["y"] + scale["height"] <= buttons["y"]
