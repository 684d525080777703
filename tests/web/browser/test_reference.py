"""The reference of the HTTP API: every route, and answers of the server to what is tried."""

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, OpenPage


def reference(page: Page, gallery: str, part: str = "") -> Page:
    page.goto(f"{gallery}/docs{part}")
    page.locator(".route").first.wait_for()
    return page


def test_reference_lists_every_route_and_finds_them(gallery: str, open_page: OpenPage) -> None:
    page = reference(open_page(gallery), gallery)
    document = page.request.get(f"{gallery}/api/v1/openapi.json").json()
    total = sum(map(len, document["paths"].values()))
    expect(page.locator(".route")).to_have_count(total)
    page.get_by_label("Find a route").fill("get highlight")
    expect(page.locator(".route:visible")).to_have_count(3)
    page.locator(".route:visible summary").first.click()
    inside = page.locator(".route[open] .inside")
    expect(inside).to_contain_text("What to look for, as text")
    expect(inside.locator("pre").first).to_contain_text("curl -G 'http://127.0.0.1:")


def test_get_route_can_be_tried(gallery: str, open_page: OpenPage) -> None:
    page = reference(open_page(gallery, expected_faults=("422", "404")), gallery, "#search_by_address")
    form = page.locator("#search_by_address .try")
    form.locator("input[name=q]").fill("a snowman")
    form.locator("input[name=k]").fill("2")
    form.locator("select[name=sort]").select_option("relevance")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".answer strong")).to_have_text("200")
    expect(form.locator(".answer pre")).to_contain_text("a snowman")
    shown = json.loads(form.locator(".answer pre").inner_text())
    assert (len(shown["hits"]), shown["parts"][0]["title"]) == (2, "a snowman")
    form.locator("input[name=k]").fill("0")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".answer .bad strong")).to_have_text("422")
    page.evaluate("location.hash = 'thumbnail'")
    picture = page.locator("#thumbnail .try")
    picture.locator("input[name=picture_id]").fill("1")
    picture.get_by_role("button", name="Send").click()
    expect(picture.locator(".answer img")).to_have_js_property("complete", True)


def test_reference_is_accessible_and_fits_a_phone(gallery: str, open_page: OpenPage) -> None:
    for options in ({}, {"theme": "dark", "viewport": PHONE}):
        page = reference(open_page(gallery, **options), gallery, "#search_by_address")
        page.locator("#search_by_address .try").wait_for()
        assert [fault["id"] for fault in Axe().run(page).response["violations"]] == []
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0
