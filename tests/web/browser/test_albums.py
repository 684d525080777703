"""Albums on the page: save, open, replace and delete, also with the keyboard."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import PHONE, PICTURE, OpenPage, search_for, wait_until_first


def albums(page: Page) -> Locator:
    """Open the album panel."""
    page.get_by_role("button", name="Albums").click()
    found = page.get_by_role("dialog", name="Albums")
    expect(found).to_be_visible()
    return found


def test_query_is_saved_as_an_album_and_opened(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    found = albums(page)
    expect(found).to_contain_text("There are no albums yet")
    expect(found.get_by_role("textbox")).to_have_count(0)  # there is no query to save
    page.keyboard.press("Escape")
    page.get_by_label("Select winter-fox.jpg").check(force=True)
    page.get_by_label("Tag").fill("red & wild")
    page.keyboard.press("Enter")
    page.locator("#filters").get_by_label("red & wild").check()
    page.locator("#words").fill("snow")
    page.keyboard.press("Shift+Enter")
    search_for(page, "a fox")
    page.get_by_role("button", name="Search away from snow").click()
    found = albums(page)
    expect(found.locator("section p")).to_have_text("Current query: a fox · − snow · red & wild")
    found.get_by_label("Name of the album").fill("Wild/Füchse?")
    page.keyboard.press("Enter")
    expect(found.get_by_role("status")).to_have_text("“Wild/Füchse?” saved.")
    expect(found.get_by_label("Name of the album")).to_be_focused()
    other = open_page(workshop)
    albums(other).get_by_role("button", name="Wild/Füchse? a fox").click()
    expect(other.locator("#words")).to_have_value('a fox - 1:"snow" tag:"=red & wild"')
    expect(other.locator(".tile")).to_have_count(1)
    wait_until_first(other, "winter-fox.jpg")
    expect(other.get_by_role("button", name="Albums")).to_be_focused()


def test_album_is_replaced_and_deleted_with_the_keyboard(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    for words in ("a fox", "a snowman"):
        search_for(page, words)
        found = albums(page)
        page.keyboard.press("Tab")
        page.keyboard.type("Mine")
        page.keyboard.press("Tab")
        expect(found.get_by_role("button", name="Save" if words == "a fox" else "Replace")).to_be_focused()
        page.keyboard.press("Enter")
        expect(found.locator(".album")).to_have_text([f"Mine {words}"])
        page.keyboard.press("Escape")
    found = albums(page)
    found.get_by_role("button", name="Delete Mine").press("Enter")
    expect(found.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # asks for confirmation
    expect(found.locator(".album")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(found.get_by_role("status")).to_have_text("“Mine” deleted.")
    expect(found.locator(".album")).to_have_count(0)
    expect(found.get_by_role("button", name="Close")).to_be_focused()


def test_uploaded_picture_cannot_be_saved(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.locator("#file").set_input_files(PICTURE)
    wait_until_first(page, "new-friend.jpg")
    found = albums(page)
    expect(found).to_contain_text("Uploaded pictures and regions cannot be saved")
    expect(found.get_by_role("textbox")).to_have_count(0)


@pytest.mark.parametrize("language", ["ar", "cs", "de", "fr", "zh"])
def test_long_album_names_fit_a_phone_in_every_language(workshop: str, open_page: OpenPage, language: str) -> None:
    page = open_page(workshop, language=language, viewport=PHONE)
    search_for(page, "a fox")
    page.locator("#show-albums").click()
    found = page.locator("#albums")
    found.locator("input").fill("x" * 100)
    page.keyboard.press("Enter")
    expect(found.locator(".album")).to_be_visible()
    found.locator(".albums .quiet").click()
    expect(found.locator("li button")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert found.evaluate("(panel) => panel.scrollWidth <= panel.clientWidth"), "it scrolls sideways"
