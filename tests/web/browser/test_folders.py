"""The view of folders: a tree, cards, the way back, and searching within a folder."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.browser import PHONE, OpenPage, visit, wait_for_value
from tests.support.photos import photo
from tests.support.web import opened_library_server

FILES = ("2022/rome/a", "2022/rome/b", "2022/c", "2023/اسم/d", "e")


@pytest.fixture(scope="module")
def shelves(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of nested folders."""
    folder = tmp_path_factory.mktemp("shelves")
    for seed, name in enumerate(FILES):
        path = folder / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        photo(seed, 64, 48).save(path)
    library = Library.open(folder / "library", create=True)
    index(library, [folder / "photos"], FakeEncoder())
    with opened_library_server(library, folder) as address:
        yield address


def open_folders(page: Page) -> None:
    page.locator("[data-view=folders]").click()
    page.locator(".folder-card").first.wait_for()


def filters(page: Page) -> list[str]:
    return [
        Path(term.removeprefix('in:"').removesuffix('"')).name
        for term in parse_qs(urlsplit(page.url).query).get("filter", [])
    ]


def test_folders_lead_to_their_pictures_and_back(open_page: OpenPage, shelves: str) -> None:
    page = open_page(shelves)
    open_folders(page)
    expect(page.locator(".folder-card")).to_have_text(["photos5 pictures"])
    page.locator(".folder-card").click()
    expect(page.locator(".folder-card")).to_have_text(["20223 pictures", "20231 picture"])
    page.locator(".folder-card", has_text="2022").click()
    expect(page.locator(".folder-card")).to_have_text(["rome2 pictures"])
    expect(page.locator(".folder-shot")).to_have_count(3)
    expect(page.locator(".trail li")).to_have_text(["All folders", "photos", "2022"])
    wait_for_value(page, lambda: filters(page), ["2022"])
    page.get_by_role("button", name="Show all pictures").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.go_back()
    expect(page.locator(".trail li")).to_have_text(["All folders", "photos", "2022"])
    page.locator(".trail").get_by_role("button", name="All folders").click()
    expect(page.locator(".folder-card")).to_have_text(["photos5 pictures"])
    wait_for_value(page, lambda: filters(page), [])


def test_search_stays_within_the_open_folder(open_page: OpenPage, shelves: str) -> None:
    page = open_page(shelves)
    open_folders(page)
    page.get_by_role("button", name="Folders in photos").click()
    page.get_by_role("button", name="Folders in 2022").press("Enter")
    page.locator(".leaf", has_text="rome").click()
    page.get_by_role("button", name="Search in this folder").click()
    page.keyboard.type("red")
    expect(page.locator(".tile")).to_have_count(2)
    wait_for_value(page, lambda: (filters(page), parse_qs(urlsplit(page.url).query).get("q")), (["rome"], ["red"]))


def test_thumbnail_opens_its_picture(open_page: OpenPage, shelves: str) -> None:
    page = open_page(shelves)
    open_folders(page)
    page.locator(".folder-card").click()
    page.get_by_role("button", name="d.png").click()
    expect(page.locator("#viewer")).to_be_visible()
    expect(page.locator("#viewer")).to_contain_text("d.png")


@pytest.mark.parametrize(("language", "viewport"), [("en", None), ("ar", PHONE)])
def test_folders_are_accessible(open_page: OpenPage, shelves: str, language: str, viewport: object) -> None:
    page = open_page(shelves, language=language, **({"viewport": viewport} if viewport else {}))
    open_folders(page)
    page.locator(".folder-card").click()
    page.locator(".folder-shot").first.wait_for()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_folder_that_is_gone_leads_to_all_folders(open_page: OpenPage, shelves: str) -> None:
    page = open_page(shelves, expected_faults=("404",))
    visit(page, "/?view=folders&folder=1/nothing")
    expect(page.locator(".folder-card")).to_have_text(["photos5 pictures"])
    expect(page).not_to_have_url(re.compile("nothing"))
    page.go_back()
    expect(page.locator("#view-folders")).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(5)
