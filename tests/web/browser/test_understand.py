"""Where it is, and why it is here: the map with its words, and the shares of the parts of a query."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SLOW, OpenPage, bounding_box, search_for, settled_box


def look(page: Page, words: str) -> None:
    """Open the first picture for `words`, and show where it matches."""
    search_for(page, words)
    page.locator('.tile[aria-posinset="1"] .shot').click()
    page.keyboard.press("h")
    expect(page.locator(".heat .map")).to_be_visible(timeout=SLOW)


def test_map_has_contours_points_words_and_a_strength(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    look(page, "a brown dog with a red ball on a beach")
    expect(page.locator(".why .said")).to_contain_text(re.compile(r"\d places? match"))
    outline = page.locator('.found[data-name="whole"] .outline')
    assert outline.evaluate("(path) => path.getTotalLength()") > 0.05
    stage = bounding_box(page.locator(".stage"))
    point = bounding_box(page.locator('.found[data-name="whole"] .point').first)
    across = (point["x"] + point["width"] / 2 - stage["x"]) / stage["width"]
    down = (point["y"] + point["height"] / 2 - stage["y"]) / stage["height"]
    assert (0.1 < across < 0.45, 0.55 < down < 0.95) == (True, True)  # on the dog
    words = page.locator(".words-of button")
    expect(words).to_have_text(["brown", "dog", "red", "ball", "beach"], timeout=SLOW)
    words.nth(1).hover()  # only its part is shown
    expect(page.locator('.found[data-name="word 1"]')).to_have_class("found alone")
    expect(page.locator(".heat .map")).to_be_hidden()
    page.locator(".why input").first.hover()
    expect(page.locator(".heat .map")).to_be_visible()
    words.nth(0).focus()
    page.keyboard.press("Enter")
    expect(words.nth(0)).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Strength").fill("30")
    expect(page.locator(".heat")).to_have_attribute("style", re.compile(r"--strength: ?0\.3"))
    page.locator("#viewer h2").click()
    page.keyboard.press("h")
    expect(page.locator(".heat")).to_be_hidden()
    expect(page.locator(".legend")).to_be_hidden()


def test_shares_of_the_parts_are_named(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.goto(f"{gallery}/?q=a+dog+%2B+0.5:beach&part=-0.5:people")
    page.locator(".tile .shot").first.click()
    shares = page.locator(".share")
    expect(shares.locator(".share-name")).to_have_text(["a dog", "beach", "away from people"])
    numbers = [int(text.rstrip("%")) for text in shares.locator(".share-number").all_inner_texts()]
    assert (numbers[0] > 0, numbers[1] > 0, numbers[2] < 0) == (True, True, True)
    assert sum(map(abs, numbers)) == pytest.approx(100, abs=2)
    bars = shares.locator(".filled")
    widths = [settled_box(bars.nth(number))["width"] for number in range(3)]
    assert widths[0] / widths[1] == pytest.approx(numbers[0] / numbers[1], rel=0.1)
    expect(page.locator(".verdict")).to_have_text("One of the nearest pictures. Queries of this kind have no verdict.")


def test_verdict_is_said_only_where_it_is_calibrated(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field")
    page.locator(".tile .shot").first.click()
    expect(page.locator(".verdict")).to_have_text(re.compile(r"May be a match \(\d+%\)"))
    page.keyboard.press("Escape")
    search_for(page, "year:2023")
    page.locator(".tile .shot").first.click()
    expect(page.locator("#viewer .facts")).to_contain_text("JPEG")
    expect(page.locator(".reasons")).to_have_count(0)
