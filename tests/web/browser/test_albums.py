"""Albums on the page: put together by hand and arranged, saved searches, also with the keyboard and on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.albums.by_hand import create_album
from tests.support.browser import PHONE, OpenPage, visit, wait_for_value
from tests.support.photos import photo
from tests.support.web import opened_library_server

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def shelf(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The URL of a server of a.png to d.png, and the album Trips/Été with c, a and b."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        photo(seed, 64, 48).save(folder / f"{name}.png")
    library = Library.open(tmp_path / "library", create=True)
    index(library, [folder], FakeEncoder())
    with library.read() as connection:
        rows = connection.exec_driver_sql("SELECT content_id FROM pictures ORDER BY relpath").all()
    one, two, three, _ = (row[0] for row in rows)
    create_album(library, "Trips/Été", [three, one, two])
    with opened_library_server(library, tmp_path) as address:
        yield address


def open_albums(page: Page) -> None:
    page.locator("[data-view=albums]").click()
    page.locator(".album-head").wait_for()


def expect_order(page: Page, *names: str) -> None:
    for position, name in enumerate(names, start=1):
        expect(page.locator(f'.tile[aria-posinset="{position}"] .shot[aria-label^="{name}.png"]')).to_be_visible()
    expect(page.locator(".tile")).to_have_count(len(names))


def test_album_is_created_filled_opened_renamed_and_deleted(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf)
    for name in ("d", "b"):
        page.get_by_label(f"Select {name}.png").check(force=True)
    page.locator("#selection").get_by_role("button", name="Add to album").click()
    dialog = page.get_by_role("dialog", name="Add to album")
    dialog.get_by_label("Name of the album").fill('Mine "1"')
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Added to")
    open_albums(page)
    expect(page.locator(".album-card .name")).to_have_text(['Mine "1"', "Trips/Été"])
    page.get_by_role("button", name='Mine "1" 2 pictures').click()
    expect_order(page, "d", "b")
    expect(page).to_have_url(re.compile("filter=album"))
    page.locator("#album-bar").get_by_role("button", name='Rename Mine "1"').click()
    page.get_by_role("dialog").get_by_label("Name of the album").fill("Yours")
    page.keyboard.press("Enter")
    expect(page.locator("#album-bar h1")).to_have_text("Yours")
    expect_order(page, "d", "b")
    page.locator("#album-bar").get_by_role("button", name="Delete Yours").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#album-bar")).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(4)


def test_list_of_albums_that_comes_late_leaves_the_focus_in_the_field(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf)
    held = list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/albums", hold)
    page.get_by_label("Select d.png").check(force=True)
    page.locator("#selection").get_by_role("button", name="Add to album").click()
    dialog = page.get_by_role("dialog", name="Add to album")
    dialog.get_by_label("Name of the album").fill("Mine")
    wait_for_value(page, lambda: len(held), 1)
    held[0].continue_()
    expect(dialog.locator(".album-card")).to_have_count(1)
    expect(dialog.get_by_label("Name of the album")).to_be_focused()


def test_pictures_are_arranged_with_the_keyboard_and_the_pointer(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf)
    visit(page, "/?filter=album:%22Trips/%C3%89t%C3%A9%22")
    expect_order(page, "c", "a", "b")
    page.get_by_role("button", name="Arrange", exact=True).click()
    dialog = page.get_by_role("dialog", name="Arrange")
    items = dialog.locator(".arrange button")
    expect(items.first).to_be_focused()
    page.keyboard.press("Alt+ArrowRight")
    expect(dialog.get_by_role("status")).to_have_text("c.png is at place 2.")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Move to the front").click()
    expect(dialog.get_by_role("status")).to_have_text("b.png is at place 1.")
    items.nth(2).drag_to(items.nth(0), target_position={"x": 4, "y": 20})
    expect(dialog.get_by_role("status")).to_have_text("c.png is at place 1.")
    page.keyboard.press("Escape")
    expect_order(page, "c", "b", "a")
    page.locator("#album-bar select").select_option("date")
    expect(page.locator("#album-bar select")).to_have_value("date")
    expect(page).to_have_url(re.compile("sort=date"))


def test_pictures_are_removed_with_undo_and_one_becomes_the_cover(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf)
    visit(page, "/?filter=album:%22Trips/%C3%89t%C3%A9%22")
    expect_order(page, "c", "a", "b")
    page.get_by_label("Select a.png").check(force=True)
    bar = page.locator("#album-bar")
    bar.get_by_role("button", name="Use as cover").click()
    expect(page.locator(".toast")).to_contain_text("new cover")
    bar.get_by_role("button", name="Remove from album").click()
    expect_order(page, "c", "b")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect_order(page, "c", "a", "b")
    page.get_by_label("Select b.png").check(force=True)
    page.get_by_label("Select a.png").uncheck(force=True)
    bar.get_by_role("button", name="Move to the front").click()
    expect_order(page, "b", "c", "a")


def test_undo_that_fails_can_be_repeated_and_restores_the_order_of_the_album(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf, expected_faults=("503",))
    visit(page, "/?filter=album:%22Trips/%C3%89t%C3%A9%22&sort=date")
    expect_order(page, "c", "b", "a")
    page.get_by_label("Select c.png").check(force=True)
    page.locator("#album-bar").get_by_role("button", name="Remove from album").click()
    expect_order(page, "b", "a")
    page.route("**/api/v1/albums/*", lambda route: route.fulfill(status=503, json={"title": "Busy", "detail": "Busy"}))
    page.keyboard.press("Control+z")
    expect(page.locator(".toast")).not_to_contain_text("Removed")
    page.unroute("**/api/v1/albums/*")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_have_text("Undone.")
    visit(page, "/?filter=album:%22Trips/%C3%89t%C3%A9%22")
    expect_order(page, "c", "a", "b")


def test_pictures_that_are_not_loaded_or_of_other_albums_can_be_selected(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf)
    for name in ("d", "a"):
        page.get_by_label(f"Select {name}.png").check(force=True)
    held, is_open = list[Route](), Event()

    def hold(route: Route) -> None:
        route.continue_() if is_open.is_set() else held.append(route)

    page.route("**/api/v1/timeline/pictures?**", hold)
    visit(page, "/?filter=album:%22Trips/%C3%89t%C3%A9%22&sort=date")
    bar = page.locator("#album-bar")
    bar.get_by_role("button", name="Remove from album").click()
    expect(page.locator(".toast")).to_contain_text("Removed")
    is_open.set()
    for route in held:
        route.continue_()
    expect_order(page, "c", "b")
    bar.get_by_role("button", name="Remove from album").click()
    expect(page.locator(".toast")).to_have_text("Nothing has changed.")
    expect_order(page, "c", "b")


def test_query_is_saved_as_an_album(shelf: str, open_page: OpenPage) -> None:
    page = open_page(shelf)
    visit(page, "/?filter=name:a*")
    expect(page.locator(".tile")).to_have_count(1)
    open_albums(page)
    page.get_by_role("button", name="Save the search").click()
    page.get_by_role("dialog").get_by_label("Name of the album").fill("Only a")
    page.keyboard.press("Enter")
    card = page.get_by_role("button", name="Only a 1 picture · Saved search")
    expect(card.locator("img")).to_have_count(1)
    card.click()
    expect(page.locator("#album-bar h1")).to_have_text("Only a")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.get_by_role("button", name="Arrange", exact=True)).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_albums_fit_a_phone_and_have_no_faults_of_accessibility(shelf: str, open_page: OpenPage, language: str) -> None:
    page = open_page(shelf, language=language, viewport=PHONE)
    open_albums(page)
    page.locator(".album-card").first.wait_for()
    assert Axe().run(page).response["violations"] == []
    page.locator(".album-card").first.click()
    page.locator("#album-bar h1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator("[data-key=arrange]").click()
    page.locator(".arrange button").first.wait_for()
    assert Axe().run(page).response["violations"] == []
