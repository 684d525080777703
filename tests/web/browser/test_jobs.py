"""Jobs on the page: pausing, resuming and retrying them, and new pictures while they run."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from encoders import registry
from encoders.mini.encoder import MiniEncoder
from store import Library
from store.jobs import add_job
from tests.support.browser import GALLERY, PHONE, OpenPage
from tests.support.photos import located_photo
from tests.support.web import opened_library_server
from tests.web.browser.conftest import indexed

AT_WORK = 15_000  # milliseconds


class Held(MiniEncoder):
    """Embeds one picture at a time, and no more than `allowed`."""

    allowed = threading.Semaphore(0)

    @property
    def batch_size(self) -> int:
        return 1

    def forward_images(self, pixels: NDArray[Any]) -> NDArray[Any]:
        assert self.allowed.acquire(timeout=60)
        return super().forward_images(pixels)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four indexed pictures, and four that are not indexed yet."""
    folder = tmp_path / "photos"
    shutil.copytree(GALLERY / "winter", folder)
    return folder


@pytest.fixture
def library(browser: Browser, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    opened = indexed(tmp_path / "library", photos)
    shutil.copytree(GALLERY / "reef", photos / "reef")
    Held.allowed = threading.Semaphore(0)
    monkeypatch.setattr(registry, "load_for_indexing", lambda *_: Held())
    return opened


@pytest.fixture
def address(library: Library, tmp_path: Path) -> Iterator[str]:
    with opened_library_server(library, tmp_path) as url:
        yield url
        Held.allowed.release(100)


def panel(page: Page) -> Locator:
    page.locator("#views").get_by_role("button", name="Library").click()
    found = page.locator("#view-library")
    expect(found.get_by_role("heading", name="Folders")).to_be_visible()
    return found


def allow(pictures: int) -> None:
    Held.allowed.release(pictures)


def test_job_is_paused_and_continued_by_keys_on_a_phone(address: str, open_page: OpenPage) -> None:
    page = open_page(address, viewport=PHONE)
    found = panel(page)
    found.get_by_role("button", name="Check photos for changes").click()
    row = found.locator(".job")
    expect(row.locator("p")).to_have_text("Embedding pictures: 0 of 4", timeout=AT_WORK)
    row.get_by_role("button", name="Pause").press("Enter")
    expect(row.locator("p")).to_have_text("Will pause after the current batch")
    expect(row.get_by_role("button", name="Stop")).to_be_focused()
    allow(1)
    expect(row.locator("p")).to_contain_text("Paused: ", timeout=AT_WORK)
    row.get_by_role("button", name="Continue").press("Enter")
    allow(100)
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(found.locator(".earlier summary")).to_have_text("Earlier jobs")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_failed_job_is_tried_again(address: str, open_page: OpenPage, library: Library, photos: Path) -> None:
    add_job(library, "index", {"folders": [str(photos / "later")]})
    page = open_page(address)
    found = panel(page)
    row = found.locator(".job")
    expect(row.locator("p.bad")).to_contain_text("This folder cannot be indexed: There is no folder", timeout=AT_WORK)
    shutil.copytree(GALLERY / "town", photos / "later")
    allow(100)
    row.get_by_role("button", name="Try again").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(row).to_have_count(0)


def test_waiting_jobs_are_listed_in_order(address: str, open_page: OpenPage, library: Library) -> None:
    for kind in ("index", "duplicates"):
        add_job(library, kind, {})
    found = panel(open_page(address))
    rows = found.locator(".job")
    expect(rows.locator("p")).to_have_text(["Embedding pictures: 0 of 4", "Waiting for its turn"], timeout=AT_WORK)
    rows.nth(1).get_by_role("button", name="Stop").click()
    expect(rows).to_have_count(1)


def test_new_pictures_appear_while_they_are_indexed(address: str, open_page: OpenPage, library: Library) -> None:
    page = open_page(address)
    expect(page.locator(".tile")).to_have_count(4)
    add_job(library, "index", {})
    page.reload()  # the page looks at jobs that others add when it is opened
    allow(1)
    expect(page.locator(".tile")).to_have_count(5, timeout=AT_WORK)
    expect(page.locator("#notices p")).to_have_count(0)


def test_map_shows_new_pictures_while_they_are_indexed(
    address: str, open_page: OpenPage, library: Library, photos: Path
) -> None:
    located_photo(photos / "later" / "rome.jpg", 1, 41.9, 12.5)  # the first folder with new pictures
    page = open_page(address, "/?view=map&at=20,0,1")
    expect(page.locator(".map-status")).to_have_text("1 picture in this area")
    add_job(library, "index", {})
    page.reload()
    allow(1)
    expect(page.locator(".map-status")).to_have_text("2 pictures in this area", timeout=AT_WORK)


def test_new_pictures_are_offered_to_those_who_selected_some(
    address: str, open_page: OpenPage, library: Library
) -> None:
    add_job(library, "index", {})
    page = open_page(address)
    expect(page.locator(".tile")).to_have_count(4)
    page.locator(".tile .shot").first.focus()
    page.keyboard.press("Space")
    allow(2)
    notice = page.locator("#notices p")
    expect(notice).to_contain_text("New pictures have been added.", timeout=AT_WORK)
    expect(page.locator(".tile")).to_have_count(4)
    expect(page.locator("#selection")).to_contain_text("1 selected")
    notice.get_by_role("button", name="Show them").click()
    expect(page.locator(".tile")).to_have_count(6)
