"""Videos: their length in the grid, and playing them from the moment that was found."""

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from pictures.extras import extra_is_installed
from tests.support.browser import GALLERY, OpenPage, search_for
from tests.support.video_files import write_video
from tests.support.web import opened_library_server
from tests.web.browser.conftest import indexed

pytestmark = pytest.mark.skipif(not extra_is_installed("video"), reason="needs the extra `video`")

SCENES = ("country/spring-ploughing.jpg", "winter/new-friend.jpg")


@pytest.fixture(scope="module")
def films(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of two videos of two scenes of four seconds each; no browser plays the second one."""
    folder = tmp_path_factory.mktemp("films")
    scenes = [Image.open(GALLERY / name).convert("RGB").resize((160, 120)) for name in SCENES]
    write_video(folder / "videos" / "clip.webm", *scenes, seconds=4, codec="libvpx")
    write_video(folder / "videos" / "old.avi", *reversed(scenes), seconds=4, codec="mpeg4")  # no near-duplicate
    with opened_library_server(indexed(folder / "library", folder / "videos"), folder) as address:
        yield address


def test_video_plays_from_the_moment_that_was_found(films: str, open_page: OpenPage) -> None:
    page = open_page(films)
    search_for(page, "a snowman in the snow")
    expect(page.locator(".which", has_text="0:04 / 0:0")).to_have_count(1)
    page.get_by_role("button", name="clip.webm, 0:04").click()
    page.get_by_role("button", name="Play from here").click()
    page.wait_for_function("() => document.querySelector('.player')?.currentTime > 3.9")
    expect(page.locator(".facts")).to_contain_text("0:0")  # its length


def test_video_that_cannot_be_played_offers_its_file(films: str, open_page: OpenPage) -> None:
    page = open_page(films)
    search_for(page, "a snowman in the snow")
    page.get_by_role("button", name="old.avi, 0:00").click()
    page.get_by_role("button", name="Play from here").click()
    expect(page.locator(".unplayable")).to_contain_text("cannot play")
    expect(page.get_by_role("link", name="Save the file")).to_be_visible()
    expect(page.locator(".player")).to_have_count(0)
