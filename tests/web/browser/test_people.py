"""People and places: the facets beside the results, and names and faces in the viewer."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update

from core.metadata import Area, Person
from store.catalog.tables import Content, Picture
from store.people import set_people
from tests.support.browser import GALLERY, OpenPage, bounding_box
from tests.support.web import opened_library_server
from tests.web.browser.conftest import indexed

FACE = Area(0.5, 0.25, 0.25, 0.5)


@pytest.fixture(scope="module")
def family(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of two pictures with people; one is of Rome, and has its date from its name."""
    folder = tmp_path_factory.mktemp("family")
    photos = folder / "photos"
    photos.mkdir()
    for name, source in {
        "snow.jpg": "winter/new-friend.jpg",
        "field.jpg": "country/spring-ploughing.jpg",
    }.items():
        shutil.copy(GALLERY / source, photos / name)
    library = indexed(folder / "library", photos)
    with library.transaction() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.content_id))
        contents = {row.relpath: row.content_id for row in rows}
        snow, field = contents[b"snow.jpg"], contents[b"field.jpg"]
        assert snow is not None
        assert field is not None
        set_people(connection, {snow: [Person('Anna "Ann" Berg', FACE), Person("Ben")], field: [Person("Ben")]})
        connection.execute(
            update(Content).where(Content.id == snow).values(city="Rome", country="Italy", date_source="name")
        )
    with opened_library_server(library, folder) as address:
        yield address


def test_names_and_faces_in_the_viewer(family: str, open_page: OpenPage) -> None:
    page = open_page(family)
    page.get_by_role("button", name="snow.jpg, 2024-03-25 (from the file name)").click()
    facts = page.locator("#viewer .facts")
    expect(facts).to_contain_text("from the file name")
    expect(facts).to_contain_text("Rome, Italy")
    face, name = page.locator(".face"), facts.get_by_role("button", name="Anna")
    expect(face).to_be_hidden()
    name.hover()
    expect(face).to_be_visible()
    shown, whole = bounding_box(face), bounding_box(page.locator(".stage"))
    assert shown["x"] - whole["x"] == pytest.approx(FACE.left * whole["width"], abs=3)
    assert shown["height"] == pytest.approx(FACE.height * whole["height"], abs=6)
    facts.get_by_role("button", name="Ben").hover()
    expect(face).to_be_hidden()
    name.click()
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(1)


def test_people_and_places_are_facets(family: str, open_page: OpenPage) -> None:
    page = open_page(family)
    filters = page.locator("#filters")
    for value in ("Italy", "Rome", 'Anna "Ann" Berg'):
        filters.get_by_text(value).wait_for()
    filters.get_by_text('Anna "Ann" Berg').click()
    expect(page.locator(".tile")).to_have_count(1)
