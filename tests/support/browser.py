"""Helpers for tests that drive a real browser."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import FloatRect, Locator, Page, Response, ViewportSize

__all__ = [
    "GALLERY",
    "PHONE",
    "PICTURE",
    "SLOW",
    "WIDE",
    "OpenPage",
    "bounding_box",
    "first_name",
    "search_for",
    "settled_box",
    "visit",
    "wait_for_value",
    "wait_until_first",
]

GALLERY = Path(__file__).parents[2] / "examples" / "gallery"
PICTURE = GALLERY / "winter" / "new-friend.jpg"

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}

SLOW = 20_000
"""Timeout in milliseconds for the first run of a model on a busy machine."""

OpenPage = Callable[..., Page]
"""The type of the fixture `open_page`."""


def search_for(page: Page, text: str, *, by_keys: bool = False) -> dict[str, Any]:
    """Fill the search box, or type wherever the focus is, and return the response once it is shown."""

    def is_search(response: Response) -> bool:
        request = response.request
        return request.url.endswith("/api/v1/search") and (request.post_data_json or {})["query"] == text.strip()

    with page.expect_response(is_search) as response:
        page.keyboard.type(text) if by_keys else page.locator("#words").fill(text)
    result: dict[str, Any] = response.value.json()
    if response.value.ok and result["hits"]:
        page.locator(f'.tile[aria-posinset="1"][data-id="{result["hits"][0]["id"]}"]').wait_for()
    return result


def first_name(page: Page) -> str:
    """Return the file name of the first picture."""
    label = page.locator('.tile[aria-posinset="1"] .shot').get_attribute("aria-label") or ""
    return label.partition(",")[0]


def wait_until_first(page: Page, name: str) -> None:
    """Wait until the picture with this file name is the first one."""
    page.locator(f'.tile[aria-posinset="1"] .shot[aria-label^="{name}"]').wait_for()


def visit(page: Page, address: str) -> None:
    """Go to an address of the page as the Back button does, without loading it again."""
    page.evaluate(
        "address => { history.pushState(null, '', address); dispatchEvent(new PopStateEvent('popstate')) }", address
    )


def bounding_box(element: Locator) -> FloatRect:
    """Return the position of an element on the screen, as soon as the element is visible."""
    for _ in range(SLOW // 100):
        element.wait_for()
        rectangle = element.bounding_box()
        if rectangle is not None:
            return rectangle
        element.page.wait_for_timeout(100)  # it was replaced between the two calls
    raise AssertionError(f"{element} is not visible.")


def settled_box(element: Locator) -> FloatRect:
    """Return the position of an element on the screen, as soon as it no longer moves.

    A busy browser can show one picture of a transition for longer than the pause between two looks.
    """
    before = bounding_box(element)
    for _ in range(SLOW // 100):
        element.page.wait_for_timeout(100)
        after = bounding_box(element)
        if after == before and not element.evaluate("element => element.getAnimations().length"):
            return after
        before = after
    raise AssertionError(f"{element} does not come to rest.")


def wait_for_value(page: Page, read: Callable[[], object], wanted: object) -> None:
    """Wait until `read` returns `wanted`: what a page shows follows an action a little later."""
    deadline = time.monotonic() + SLOW / 1000
    while (found := read()) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert found == wanted
