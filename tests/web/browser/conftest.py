"""Fixtures with a real browser and a real server of the example gallery. Skipped without a browser."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Error, Page, Request, expect, sync_playwright

from core.errors import ModelUnavailable
from encoders import registry
from indexer import index
from store import Library
from tests.support.browser import GALLERY, SLOW, WIDE, OpenPage
from tests.support.tools import miss
from tests.support.web import opened_library_server

BROWSERS = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")

PREPARE = """
localStorage.setItem("sightline.language", %s);
localStorage.setItem("sightline.theme", %s);
addEventListener("securitypolicyviolation", (event) => console.error("CSP", event.violatedDirective, event.blockedURI));
"""


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this package only, since Playwright keeps an event loop running in this thread."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        miss("chromium", "there is no Chromium or Chrome on the PATH")
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        except Error as exc:
            miss("chromium", f"{found} does not start: {exc}")
        expect.set_options(timeout=SLOW)
        yield launched
        launched.close()


def indexed(path: Path, *folders: Path) -> Library:
    """Return a library of `folders`, indexed with the built-in model."""
    try:
        encoder = registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))
    library = Library.open(path, create=True)
    index(library, folders, encoder)
    return library


@pytest.fixture(scope="package")
def gallery(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of the 100 pictures of the gallery."""
    folder = tmp_path_factory.mktemp("gallery")
    with opened_library_server(indexed(folder / "library", GALLERY), folder) as address:
        yield address


@pytest.fixture
def workshop(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The URL of a server of a few pictures, with a near-duplicate and a broken file, which a test may change."""
    folder = tmp_path / "photos"
    shutil.copytree(GALLERY / "winter", folder)
    with Image.open(folder / "new-friend.jpg") as image:
        image.resize((400, 300)).save(folder / "a-smaller-friend.jpg", quality=70)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    with opened_library_server(indexed(tmp_path / "library", folder), tmp_path) as address:
        yield address


@dataclass
class PageMonitor:
    """Records console errors, exceptions and requests to other hosts."""

    host: str
    faults: list[str] = field(default_factory=list)
    expected_faults: tuple[str, ...] = ()
    """Texts in faults that a test expects."""

    def attach(self, page: Page) -> None:
        page.on("console", lambda said: self.note(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.note(f"{error.name}: {error.message}\n{error.stack}"))
        page.on("request", self.see)

    def see(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"blob", "data"} and address.netloc != self.host:
            self.note(f"request to another host: {request.url}")

    def note(self, fault: str) -> None:
        if not any(words in fault for words in self.expected_faults):
            self.faults.append(fault)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open the page: `open_page(address, language="de", theme="dark", expected_faults=("404",), viewport=PHONE)`.

    Every console error, request to another host and violation of the security policy fails the test.
    """
    watches, contexts = [], []

    def opened(
        address: str,
        path: str = "/",
        language: str = "en",
        theme: str = "light",
        expected_faults: tuple[str, ...] = (),
        **more: Any,
    ) -> Page:
        context = browser.new_context(**{"viewport": WIDE, "accept_downloads": True, **more})
        context.add_init_script(PREPARE % (json.dumps(language), json.dumps(theme)))
        context.set_default_timeout(SLOW)
        page = context.new_page()
        watch = PageMonitor(urlsplit(address).netloc, expected_faults=expected_faults)
        watch.attach(page)
        watches.append(watch)
        contexts.append(context)
        page.goto(address + path)
        page.locator(".tile, #empty:not([hidden]), .notices p, .view:not([hidden]) > *").first.wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []
