"""Near-duplicates on the page: the best picture and why, telling pictures apart, and undoing it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.browser import PHONE, OpenPage
from tests.support.photos import photo
from tests.support.web import opened_library_server


@pytest.fixture
def doubles(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The URL of a server of a photo in three sizes, another in two, and 25 pairs of copies."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, sizes in ((1, (300, 150, 90)), (2, (200, 90))):
        for size in sizes:
            photo(seed, sizes[0], sizes[0]).resize((size, size)).save(folder / f"{seed}-{size}.png")
    for seed in range(10, 35):
        photo(seed, 24, 24).save(folder / f"{seed}.png")
        shutil.copy(folder / f"{seed}.png", folder / f"{seed} copy.png")
    library = Library.open(tmp_path / "library", create=True)
    index(library, [folder], FakeEncoder())
    with opened_library_server(library, tmp_path) as address:
        yield address


def open_duplicates(page: Page) -> None:
    page.locator("[data-view=duplicates]").click()
    page.locator(".dup-group").first.wait_for()


def test_best_picture_is_proposed_and_pictures_are_told_apart(doubles: str, open_page: OpenPage) -> None:
    page = open_page(doubles)
    open_duplicates(page)
    expect(page.locator(".dup-head")).to_contain_text("27 groups · 55 files")
    first = page.locator(".dup-group").first
    expect(first.locator(".dup-why")).to_have_text("It has more pixels: 300 × 300 instead of 150 × 150.")
    expect(first.locator(".name")).to_have_text(["1-300.png", "1-150.png", "1-90.png"])
    first.locator(".dup-file").nth(2).get_by_role("button", name="Not one of these").click()
    expect(first.locator(".dup-file")).to_have_count(2)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".dup-group").first.locator(".dup-file")).to_have_count(3)
    page.locator(".dup-group").nth(1).get_by_role("button", name="Not duplicates").click()
    expect(page.locator(".dup-group").nth(1).locator(".dup-why")).to_contain_text("exact copies")
    page.reload()
    expect(page.locator(".dup-head")).to_contain_text("26 groups")
    page.get_by_text("1 pair marked as not duplicates").click()
    page.get_by_role("button", name="They are duplicates").click()
    expect(page.locator(".dup-head")).to_contain_text("27 groups")


def test_further_groups_follow_and_the_rest_is_exported(doubles: str, open_page: OpenPage) -> None:
    page = open_page(doubles)
    open_duplicates(page)
    page.locator(".dup-group").nth(19).scroll_into_view_if_needed()
    expect(page.locator(".dup-group")).to_have_count(27)
    expect(page.locator(".dup-more")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("link", name="Paths").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 28


@pytest.mark.parametrize("language", ["en", "cs", "ar"])
def test_groups_fit_a_phone_and_have_no_faults_of_accessibility(
    doubles: str, open_page: OpenPage, language: str
) -> None:
    page = open_page(doubles, language=language, viewport=PHONE)
    open_duplicates(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert Axe().run(page).response["violations"] == []
