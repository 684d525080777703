"""The page as an app: its service worker, a page without a connection, and thumbnails over a bad one."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import GALLERY, OpenPage
from tests.support.web import TOKEN, running_server
from tests.web.browser.conftest import indexed
from web import ServeSettings

READY = """async () => {
  await navigator.serviceWorker.register("/service-worker.js");
  await navigator.serviceWorker.ready;
  while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
}"""


@pytest.fixture
def guarded(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The URL of a server with a token."""
    settings = ServeSettings(port=0, cache=tmp_path / "cache", token=TOKEN)
    with indexed(tmp_path / "library", GALLERY / "reef") as library, running_server(library, settings) as url:
        yield url


def kept(page: Page) -> list[str]:
    """Return what the worker keeps, as paths."""
    return list(
        page.evaluate(
            """async () => (await Promise.all((await caches.keys()).map(async (name) =>
              (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat()"""
        )
    )


def test_page_opens_without_a_connection_and_keeps_no_answers(guarded: str, open_page: OpenPage) -> None:
    page = open_page(guarded, f"/?token={TOKEN}", expected_faults=("ERR_",))
    page.evaluate(READY)
    page.goto(f"{guarded}/?q=a+fish")
    expect(page.locator(".tile").first).to_be_visible()
    files = kept(page)
    assert {"/", "/static/js/main.js", "/static/i18n/de.json"} <= set(files)
    assert [file for file in files if file != "/" and not file.startswith("/static/")] == []
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".offline")).to_contain_text("The server cannot be reached")
    expect(page.locator("#words")).to_have_value("a fish")
    page.context.set_offline(False)
    expect(page.locator(".tile").first).to_be_visible(timeout=15_000)


def test_token_is_needed_again_although_the_worker_has_the_page(guarded: str, open_page: OpenPage) -> None:
    page = open_page(guarded, f"/?token={TOKEN}", expected_faults=("401",))
    page.evaluate(READY)
    page.context.clear_cookies()
    answer = page.goto(guarded)
    assert answer is not None
    assert answer.status == 401
    page.goto(f"{guarded}/?token={TOKEN}")
    expect(page.locator(".tile").first).to_be_visible()
    expect(page).to_have_url(f"{guarded}/")


def test_thumbnails_are_requested_again(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("ERR_",))
    failed = set[str]()

    def break_once(route: Route) -> None:
        if route.request.url in failed:
            route.continue_()
        else:
            failed.add(route.request.url)
            route.abort("connectionreset")

    page.route("**/thumbnail?*", break_once)
    page.reload()
    expect(page.locator(".tile").first).to_be_visible()
    shown = "[...document.querySelectorAll('.tile img')].filter((image) => image.naturalWidth).length"
    deadline = time.monotonic() + 15
    while page.evaluate(shown) < 5 and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert page.evaluate(shown) >= 5
    assert len(failed) >= 5
    expect(page.locator(".tile.gone")).to_have_count(0)
