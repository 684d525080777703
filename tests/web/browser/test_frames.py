"""Files with several pages: their labels in the grid, and the strip of pages in the viewer."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import GALLERY, SLOW, OpenPage, search_for, settled_box, wait_for_value
from tests.support.web import opened_library_server
from tests.web.browser.conftest import indexed

PAGES = ("country/spring-ploughing.jpg", "winter/new-friend.jpg", "country/mill-at-sunset.jpg")


@pytest.fixture(scope="module")
def documents(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of one TIFF with three pages, the last one upright, and an animation."""
    folder = tmp_path_factory.mktemp("documents")
    photos = folder / "photos"
    photos.mkdir()
    first, second, third = [Image.open(GALLERY / name).convert("RGB") for name in PAGES]
    tall = third.crop((0, 0, third.height // 2, third.height))
    first.save(photos / "report.tif", save_all=True, append_images=[second, tall])
    still = Image.open(GALLERY / PAGES[1]).convert("RGB").resize((64, 48))
    Image.new("RGB", (64, 48), "navy").save(photos / "clip.gif", save_all=True, append_images=[still], duration=7000)
    with opened_library_server(indexed(folder / "library", photos), folder) as address:
        yield address


def shown_frame(page: Page) -> str:
    """Return the number of the frame that the large picture shows, from 0."""
    source = page.locator("#viewer .picture").get_attribute("src") or ""
    return parse_qs(urlsplit(source).query).get("frame", ["0"])[0]


def test_tile_shows_the_matched_page(documents: str, open_page: OpenPage) -> None:
    page = open_page(documents)
    search_for(page, "a snowman in the snow")
    tile = page.locator(".tile", has=page.locator(".which", has_text="page 2"))
    expect(tile).to_have_count(1)
    expect(tile.locator("img")).to_have_attribute("src", re.compile("frame=1"))
    expect(page.get_by_role("button", name="report.tif, page 2")).to_be_visible()
    expect(page.locator(".which", has_text="0:07")).to_be_visible()


def test_viewer_steps_through_pages(documents: str, open_page: OpenPage) -> None:
    page = open_page(documents)
    search_for(page, "a snowman in the snow")
    page.get_by_role("button", name="report.tif, page 2").click()
    strip = page.locator("#viewer .frames")
    expect(strip).to_contain_text("page 2/ 3")
    wait_for_value(page, lambda: shown_frame(page), "1")
    strip.get_by_role("button", name="page 3").click()
    expect(strip).to_contain_text("page 3/ 3")
    expect(strip.get_by_role("button", name="page 3")).to_be_focused()
    expect(page.locator(".picture")).to_have_js_property("complete", True)
    page.wait_for_function(
        "() => (({ naturalWidth: w, naturalHeight: h }) => w < h)(document.querySelector('.picture'))"
    )
    box = settled_box(page.locator(".picture"))
    assert box["width"] < box["height"]  # the page is upright, the first one is not
    page.keyboard.press("PageDown")  # there is no fourth page
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    expect(strip).to_contain_text("page 1/ 3")
    wait_for_value(page, lambda: shown_frame(page), "0")


def test_query_and_map_use_the_shown_page(documents: str, open_page: OpenPage) -> None:
    page = open_page(documents)
    search_for(page, "a snowman in the snow")
    page.get_by_role("button", name="report.tif, page 2").click()
    page.locator("#viewer .frames").get_by_role("button", name="page 3").click()
    page.keyboard.press("h")
    heat = page.locator(".heat")
    expect(heat).to_be_visible(timeout=SLOW)
    expect(heat.locator(".map")).to_have_attribute("src", re.compile("frame=2"))
    page.locator("#viewer").get_by_role("button", name="More like this").click()
    expect(page.locator(".chip .name")).to_have_text("report.tif, page 3")
    expect(page).to_have_url(re.compile(r"[?&]part=[^&]*(#|%23)3(&|$)"))
    page.locator("#words").fill("")  # only the part is left
    expect(page.locator('.shot[aria-label^="report.tif"]')).to_have_count(0)  # the file itself is left out
    expect(page.locator(".mix")).to_contain_text("Pictures like report.tif, page 3, without the picture itself")


def test_still_picture_and_list_have_no_label(gallery: str, documents: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.locator('.tile[aria-posinset="1"] .shot').click()
    expect(page.locator("#viewer .facts")).to_be_visible()
    expect(page.locator("#viewer .frames")).to_be_hidden()
    expect(page.locator(".which")).to_have_count(0)
    page = open_page(documents)  # without a query
    expect(page.locator(".which")).to_have_count(0)
    page.get_by_role("button", name="report.tif").click()
    expect(page.locator("#viewer .frames")).to_contain_text("page 1/ 3")
