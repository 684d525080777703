"""A real browser before a real server over the rendered gallery. Where there is no browser, these tests are skipped."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    Error,
    FloatRect,
    Locator,
    Page,
    Request,
    Response,
    ViewportSize,
    sync_playwright,
)

from core.errors import ModelUnavailable
from encoders import registry
from indexer import index
from store import Library
from tests.support.web import running_server
from web import ServeSettings

GALLERY = Path(__file__).parents[3] / "examples" / "gallery"
BROWSERS = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}

SLOW = 20_000
"""Milliseconds for what takes a model's first run, on a machine that has other things to do."""

PREPARE = """
localStorage.setItem("sightline.language", %s);
localStorage.setItem("sightline.theme", %s);
addEventListener("securitypolicyviolation", (event) => console.error("CSP", event.violatedDirective, event.blockedURI));
"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests here; no longer, as Playwright keeps an event loop running in this thread."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium or Chrome on the PATH")
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        except Error as exc:
            pytest.skip(f"{found} does not start: {exc}")
        yield launched
        launched.close()


def indexed(path: Path, *folders: Path) -> Library:
    """A library of `folders`, taken in with the built-in model."""
    try:
        encoder = registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))
    library = Library.open(path, create=True)
    index(library, folders, encoder)
    return library


@contextmanager
def served(library: Library, folder: Path) -> Iterator[str]:
    with library, running_server(library, ServeSettings(port=0, cache=folder / "cache")) as address:
        yield address


@pytest.fixture(scope="package")
def gallery(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over the 100 pictures of the gallery."""
    folder = tmp_path_factory.mktemp("gallery")
    with served(indexed(folder / "library", GALLERY), folder) as address:
        yield address


@pytest.fixture
def workshop(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """A server over a few pictures, one of them twice and one of them broken, that a test may change as it likes."""
    folder = tmp_path / "photos"
    shutil.copytree(GALLERY / "winter", folder)
    with Image.open(folder / "new-friend.jpg") as image:
        image.resize((400, 300)).save(folder / "a-smaller-friend.jpg", quality=70)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    with served(indexed(tmp_path / "library", folder), tmp_path) as address:
        yield address


@dataclass
class Watch:
    """Notes what a page must not do."""

    host: str
    faults: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ()
    """Words in a fault that a test expects."""

    def over(self, page: Page) -> None:
        page.on("console", lambda said: self.note(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.note(f"{error.name}: {error.message}\n{error.stack}"))
        page.on("request", self.see)

    def see(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"blob", "data"} and address.netloc != self.host:
            self.note(f"asked elsewhere: {request.url}")

    def note(self, fault: str) -> None:
        if not any(words in fault for words in self.forgiven):
            self.faults.append(fault)


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens the page: `open_page(address, language="de", theme="dark", forgiven=("404",), viewport=PHONE)`.

    Whatever the page says on the console, every request to another host and every violation of the policy is a fault.
    """
    watches, contexts = [], []

    def opened(
        address: str,
        path: str = "/",
        language: str = "en",
        theme: str = "light",
        forgiven: tuple[str, ...] = (),
        **more: Any,
    ) -> Page:
        context = browser.new_context(**{"viewport": WIDE, "accept_downloads": True, **more})
        context.add_init_script(PREPARE % (json.dumps(language), json.dumps(theme)))
        context.set_default_timeout(SLOW)
        page = context.new_page()
        watch = Watch(urlsplit(address).netloc, forgiven=forgiven)
        watch.over(page)
        watches.append(watch)
        contexts.append(context)
        page.goto(address + path)
        page.locator(".tile, #empty:not([hidden]), .notices p").first.wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []


def ask(page: Page, words: str, *, by_keys: bool = False) -> dict[str, Any]:
    """Puts `words` into the box, or types them wherever the focus is, and returns the answer once it is shown."""

    def is_answer(response: Response) -> bool:
        asked = response.request
        return asked.url.endswith("/api/v1/search") and (asked.post_data_json or {})["query"] == words.strip()

    with page.expect_response(is_answer) as answered:
        page.keyboard.type(words) if by_keys else page.locator("#words").fill(words)
    found: dict[str, Any] = answered.value.json()
    if answered.value.ok and found["hits"]:
        page.locator(f'.tile[aria-posinset="1"][data-id="{found["hits"][0]["id"]}"]').wait_for()
    return found


def first(page: Page) -> str:
    """The file name of the first picture."""
    label = page.locator('.tile[aria-posinset="1"] .shot').get_attribute("aria-label") or ""
    return label.partition(",")[0]


def becomes_first(page: Page, name: str) -> None:
    """Waits until a picture is the first one."""
    page.locator(f'.tile[aria-posinset="1"] .shot[aria-label^="{name}"]').wait_for()


def box(element: Locator) -> FloatRect:
    """Where an element is on the screen."""
    found = element.bounding_box()
    assert found is not None
    return found
