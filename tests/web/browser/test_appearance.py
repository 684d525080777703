"""Layout and accessibility: phones, Arabic, dark theme, keyboard, screen readers, and the README's screenshots."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.browser import (
    PHONE,
    SLOW,
    WIDE,
    OpenPage,
    bounding_box,
    first_name,
    search_for,
    wait_until_first,
)
from tests.support.web import opened_library_server

IMAGES = "SIGHTLINE_TEST_IMAGES"
"""Environment variable with the folder for the screenshots of the README."""

CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def faults(page: Page, options: dict[str, Any]) -> list[str]:
    """Return the serious and critical violations that axe finds."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def complete(page: Page) -> None:
    """Wait until every image has loaded."""
    page.evaluate("Promise.all([...document.images].filter((each) => each.src).map((each) => each.decode()))")


def results(page: Page) -> None:
    page.locator("#words").fill("a train")
    page.keyboard.press("Shift+Enter")
    page.locator("#words").fill("-snow")
    page.keyboard.press("Shift+Enter")
    page.locator("#filters").get_by_label("town").check()
    expect(page.locator("#summary")).to_contain_text("20 pictures searched")
    page.locator('.tile[aria-posinset="1"] input').check(force=True)


def viewer(page: Page) -> None:
    search_for(page, "a tractor on a field")
    page.locator('.tile[aria-posinset="1"] .shot').click()
    page.keyboard.press("h")
    expect(page.locator(".heat")).to_be_visible(timeout=SLOW)
    expect(page.locator("#viewer .judging")).to_be_visible()
    expect(page.locator("#viewer dl")).to_have_count(2)


def library(page: Page) -> None:
    page.locator("#views").get_by_role("button", name="Library").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


def models(page: Page) -> None:
    library(page)
    page.get_by_text("Available models").click()
    expect(page.locator(".models li")).not_to_have_count(0)


def folder_choice(page: Page) -> None:
    library(page)
    page.get_by_role("button", name="Add folder").click()
    expect(page.locator(".server-folders li").first).to_be_visible()


def albums(page: Page) -> None:
    """Open the albums of both kinds, with a deletion to confirm."""
    common = {"top": 100, "missing": 1, "cover": None}
    kept = [
        {"name": "Beaches", "by_hand": True, "query": "", "is_ranked": False, "pictures": 3, **common},
        {"name": "Old", "by_hand": False, "query": "a beach -people", "is_ranked": True, "pictures": None, **common},
    ]
    page.route("**/api/v1/albums", lambda route: route.fulfill(json=kept))
    search_for(page, "a tractor on a field")
    page.locator("#views").get_by_role("button", name="Albums").click()
    page.get_by_role("button", name="Delete Old").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()


SCREENS: dict[str, Callable[[Page], object]] = {
    "start": lambda page: expect(page.locator("#try")).to_be_visible(),
    "results": results,
    "nothing": lambda page: search_for(page, "year:1950"),
    "viewer": viewer,
    "albums": albums,
    "library": library,
    "models": models,
    "folder choice": folder_choice,
    "help": lambda page: page.get_by_role("button", name="How to search").click(),
}


def found_and_not(page: Page) -> None:
    """Search for what few pictures show, so that the line above those that are probably not relevant is visible."""
    search_for(page, "a train")


def where(page: Page) -> None:
    """Show where a picture matches."""
    search_for(page, "a sailing boat")
    page.locator('.tile .shot[aria-label^="bay-at-noon.jpg"]').click()
    page.keyboard.press("h")
    expect(page.locator(".heat")).to_be_visible(timeout=SLOW)


def places(page: Page) -> None:
    page.locator("#views").get_by_role("button", name="Map").click()
    expect(page.locator("#view-map")).to_contain_text("pictures in this area")


SCREENSHOTS: dict[str, tuple[str, Callable[[Page], object]]] = {
    "page-light.png": ("light", found_and_not),
    "page-highlight.png": ("light", where),
    "page-dark.png": ("dark", places),
}
"""The screenshots of the documentation, with the theme and what they show."""


@pytest.mark.parametrize("screen", SCREENS)
def test_screens_are_accessible(gallery: str, open_page: OpenPage, screen: str) -> None:
    page = open_page(gallery, reduced_motion="reduce")
    SCREENS[screen](page)
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        assert faults(page, RULES) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    page.locator("html").evaluate("(html) => { html.dataset.theme = 'dark'; }")
    assert faults(page, CONTRAST) == []


def test_phone_has_no_button_for_filters_if_there_are_none(
    library: Library, paint: Callable[..., Path], tmp_path: Path, open_page: OpenPage
) -> None:
    paint(tmp_path / "plain" / "red.png", "red")
    index(library, [tmp_path / "plain"], FakeEncoder())
    with opened_library_server(library, tmp_path) as address:
        page = open_page(address, viewport=PHONE, has_touch=True, is_mobile=True)
        expect(page.locator(".tile")).to_have_count(1)
        expect(page.locator("#show-filters")).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_empty_library_fits_the_narrowest_phone(
    library: Library, tmp_path: Path, open_page: OpenPage, language: str
) -> None:
    with opened_library_server(library, tmp_path) as address:
        page = open_page(address, viewport={"width": 320, "height": 640}, language=language)
        expect(page.locator("form.row")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.evaluate("document.querySelector('#views').scrollWidth") == 320


def test_page_fits_a_phone(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("button", name="Filters", exact=True).tap()
    page.locator("#filters").get_by_role("button", name="Show all 10").click()
    page.locator("#filters").get_by_label("winter").check()
    expect(page.locator("#filtered")).to_have_text("1")
    expect(page.locator(".tile")).to_have_count(4)
    page.get_by_role("button", name="Filters", exact=True).tap()
    expect(page.locator("#filters")).to_be_hidden()
    page.locator("#words").fill("a snowman")
    wait_until_first(page, "winter-night.jpg")
    page.locator('.tile[aria-posinset="1"] .shot').tap()
    page.locator("#viewer .toolbar").get_by_role("button", name="Show the details").tap()
    page.get_by_role("button", name="Show where", exact=True).tap()
    expect(page.locator(".heat")).to_be_visible(timeout=SLOW)
    about = bounding_box(page.locator(".about"))
    assert (about["x"], round(about["x"] + about["width"])) == (0, PHONE["width"])  # below the picture, not next to it
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_arabic_is_shown_right_to_left(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, language="ar")
    search_for(page, "خيمة ونار في الليل")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    places = [bounding_box(page.locator(f'.tile[aria-posinset="{n}"]')) for n in (1, 2)]
    assert places[0]["x"] > places[1]["x"]
    assert bounding_box(page.locator("#filters"))["x"] > places[0]["x"]
    page.locator('.tile[aria-posinset="1"] .shot').focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator('.tile[aria-posinset="2"] .shot')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer h2")).not_to_be_empty()
    name = page.locator("#viewer h2").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer h2")).not_to_have_text(name)
    assert faults(page, RULES) == []


def test_page_works_with_the_keyboard_only(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field", by_keys=True)
    assert first_name(page) == "spring-ploughing.jpg"
    page.keyboard.press("ArrowDown")
    expect(page.locator('.tile[aria-posinset="1"] .shot')).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator('.tile[aria-posinset="2"] .shot')).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("region", name="Selection")).to_contain_text("1 selected")
    page.keyboard.press("End")
    expect(page.locator('.tile[aria-posinset="60"] .shot')).to_be_focused()
    expect(page.locator('.tile[aria-posinset="60"]')).to_have_attribute("aria-setsize", "100")  # the rest has come
    expect(page.locator('.tile[aria-posinset="60"] .shot')).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator('.tile[aria-posinset="1"] .shot')).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator('.tile[aria-posinset="2"] .shot')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer h2")).to_have_text("mill-at-sunset.jpg")
    page.keyboard.press("Escape")
    expect(page.locator('.tile[aria-posinset="2"] .shot')).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#words")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Clear", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#words")).to_be_focused()
    expect(page.locator("#words")).to_have_value("")


def test_focus_stays_when_the_window_changes(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    second = page.locator('.tile[aria-posinset="2"] .shot').first
    page.locator(".tile .shot").first.focus()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_timeout(300)  # until the pictures are arranged again
    expect(second).to_be_focused()


def test_language_and_theme_are_remembered(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, theme="auto", color_scheme="dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(17, 19, 23)")
    library(page)
    page.get_by_label("Colours").select_option("Light")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    page.get_by_label("Language").select_option("Français")
    expect(page.get_by_role("heading", name="Dossiers")).to_be_visible()
    page.locator("#views button").first.click()
    expect(page.locator("#summary")).to_have_text("100 images, les plus récentes d’abord")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


@pytest.mark.parametrize("language", ["en", "de", "fr", "cs", "zh", "ar"])
def test_examples_of_the_page_find_something_in_the_demo(gallery: str, open_page: OpenPage, language: str) -> None:
    """What newcomers try first must not be answered with "probably no picture matches"."""
    page = open_page(gallery, language=language)
    expect(page.locator("#try button")).to_have_count(4)
    hint = page.locator("#words").get_attribute("placeholder") or ""
    for example in (hint, *page.locator("#try button").all_inner_texts()):
        best = page.request.get(f"{gallery}/api/v1/search", params={"q": example, "k": 1}).json()["hits"][0]
        assert best["is_relevant"] is not False, example


def test_readme_screenshots_are_current(gallery: str, open_page: OpenPage, tmp_path: Path) -> None:
    folder = Path(os.environ.get(IMAGES) or tmp_path)
    for name, (theme, show) in SCREENSHOTS.items():
        page = open_page(gallery, theme=theme, reduced_motion="reduce")
        show(page)
        complete(page)
        shot = folder / name
        page.screenshot(path=shot)
        with Image.open(shot) as image:  # 256 colours: far fewer bytes, and hardly visible
            image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(shot, optimize=True)
        assert shot.stat().st_size < 250_000
