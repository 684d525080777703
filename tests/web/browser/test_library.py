"""The library panel: folders, jobs, failures and models; empty libraries and unreachable servers."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from encoders import registry
from encoders.fake import FakeEncoder
from encoders.mini.encoder import VERSIONS, MiniEncoder
from store import Library
from tests.support.browser import GALLERY, OpenPage, search_for
from tests.support.versions import NEWER, install_newer_mini
from tests.support.web import opened_library_server

AT_WORK = 15_000  # milliseconds


def panel(page: Page) -> Any:
    """Open the library panel."""
    page.get_by_role("button", name="Library").click()
    found = page.get_by_role("dialog", name="Library")
    expect(found.get_by_role("heading", name="Folders")).to_be_visible()
    return found


class Slow(FakeEncoder):
    """Embeds one picture at a time, the second one only after `go` is set."""

    go = threading.Event()
    seen = 0

    def __init__(self) -> None:
        super().__init__(batch_size=1)

    def forward_images(self, pixels: Any) -> Any:
        Slow.seen += 1
        assert Slow.seen < 2 or self.go.wait(30)
        return super().forward_images(pixels)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """An event that the running job waits for."""
    Slow.go, Slow.seen = threading.Event(), 0
    monkeypatch.setattr(registry, "load", lambda *_: Slow())
    return Slow.go


def test_library_panel_lists_folders_and_failures(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    found = panel(page)
    expect(found.locator("tbody tr").first.locator("td")).to_have_text([f"{folder(page)}", "5", "0", "1"])
    found.get_by_text("1 file could not be read").click()
    expect(found.locator(".failures li")).to_contain_text("broken.jpg")
    assert len(found.locator(".failures li").inner_text()) > len(f"{folder(page)}/broken.jpg") + 10  # with the reason
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Library")).to_be_focused()


def folder(page: Page) -> str:
    """Return the folder of the library."""
    return str(page.locator("#library tbody td").first.inner_text())


def test_new_pictures_are_indexed(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    found = panel(page)
    shutil.copy(GALLERY / "sea" / "beach-games.jpg", folder(page))
    found.get_by_role("button", name="Check for changes").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(found.locator("tbody tr").first).to_contain_text("6")
    found.get_by_label("/path/to/pictures").fill("/nowhere/at/all")
    found.get_by_role("button", name="Add folder").click()
    expect(found.locator(".said")).to_contain_text("/nowhere/at/all", timeout=AT_WORK)
    found.get_by_role("button", name="Close").click()
    expect(page.locator(".tile")).to_have_count(6)


@pytest.mark.parametrize(
    ("language", "said"),
    {
        "de": "Das ist kein Ordner, der sich aufnehmen lässt: There is no folder /nowhere/at/all.",
        "ar": "ليس هذا مجلداً يمكن فهرسته: \u2068There is no folder /nowhere/at/all.\u2069",
    }.items(),
)
def test_failed_job_is_reported_in_the_page_language(
    workshop: str, open_page: OpenPage, language: str, said: str
) -> None:
    page = open_page(workshop, language=language, expected_faults=("404",))
    page.locator("#show-library").click()
    page.locator("input[name=folder]").fill("/nowhere/at/all")
    page.keyboard.press("Enter")
    expect(page.locator("#library .said")).to_have_text(said, timeout=AT_WORK)
    if language == "de":
        page.locator("input[name=model]").fill("nonsense")
        page.keyboard.press("Enter")
        expect(page.locator("#library .said")).to_contain_text("Ein solches Modell gibt es nicht: Unknown model")


def test_model_change_shows_progress_and_switches(workshop: str, open_page: OpenPage, slow: threading.Event) -> None:
    page = open_page(workshop)
    found = panel(page)
    found.get_by_label("Name of another model").fill("fake")
    found.get_by_role("button", name="Change model").click()
    expect(found.locator("p.progress")).to_have_text("Embedding pictures: 1 of 5", timeout=AT_WORK)
    found.get_by_role("button", name="Close").click()  # the job continues, and is still shown
    expect(page.get_by_role("button", name="Library")).to_have_class("quiet busy")
    page.reload()
    expect(page.get_by_role("button", name="Library")).to_have_class("quiet busy")
    found = panel(page)
    slow.set()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    models = found.locator("section", has=page.get_by_role("heading", name="Models"))
    expect(models.locator("tr", has_text="fake")).to_contain_text("active")
    models.locator("tr", has_text="mini").get_by_role("button", name="Use this model").click()
    expect(models.locator("tr", has_text="mini")).to_contain_text("active")


def test_model_is_chosen_from_the_list(gallery: str, open_page: OpenPage) -> None:
    found = panel(open_page(gallery))
    found.get_by_text("Available models").click()
    free = found.locator(".models li", has_text="xlm-roberta-base")
    expect(free).to_contain_text("German, French, Chinese, English, Czech, Arabic; about 100 languages in total")
    expect(free).to_contain_text("1.5 GB · dimension 512 · MIT")
    expect(free.locator("code")).to_contain_text("sightline models pull xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k")
    expect(free.get_by_role("button")).to_have_count(0)  # a second job would be rejected
    bound = found.locator(".models li", has_text="nllb-clip-base-siglip")
    expect(bound).to_contain_text("CC-BY-NC-4.0: not for commercial use")
    expect(found.locator(".models li", has_text="AltCLIP-m9")).to_contain_text("Licence unknown: ask its authors")
    found.get_by_role("button", name="mini English").press("Enter")
    expect(found.get_by_label("Name of another model")).to_have_value("mini")
    expect(found.get_by_role("button", name="Change model")).to_be_focused()
    expect(found.locator(".models")).to_be_hidden()


def test_newer_version_is_mentioned_until_it_is_dismissed_and_offered_in_the_panel(
    workshop: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = MiniEncoder(VERSIONS[0]).space.title
    install_newer_mini(tmp_path / "mini", monkeypatch)
    page = open_page(workshop)
    said = f"mini {NEWER} is installed. This library uses {old}."
    notice = page.locator("#notices p")
    for text in ("a fox", "a cat"):
        expect(notice).to_contain_text(said)
        search_for(page, text)
        expect(notice).to_contain_text(said)
        page.reload()
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_have_count(0)
    page.reload()
    expect(page.locator(".tile").first).to_be_visible()
    page.wait_for_load_state("networkidle")  # the versions of the model have been asked for
    expect(notice).to_have_count(0)
    found = panel(page)
    models = found.locator("section", has=page.get_by_role("heading", name="Models"))
    expect(models.locator("p.newer")).to_contain_text(said)
    models.get_by_role("button", name=f"Change to mini {NEWER}").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(models.locator("p.newer")).to_have_count(0)
    expect(models.locator("tr", has_text=f"mini {NEWER}")).to_contain_text("active")
    expect(models.locator("tr", has_text=old).get_by_role("button", name="Use this model")).to_be_visible()


def test_notice_of_a_newer_version_disappears_when_it_is_used(
    workshop: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_newer_mini(tmp_path / "mini", monkeypatch)
    page = open_page(workshop)
    notice = page.locator("#notices p")
    notice.get_by_role("button", name="Open the library").click()
    found = page.get_by_role("dialog", name="Library")
    found.get_by_role("button", name=f"Change to mini {NEWER}").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(notice).to_have_count(0)


def test_running_job_can_be_stopped(workshop: str, open_page: OpenPage, slow: threading.Event) -> None:
    page = open_page(workshop)
    found = panel(page)
    found.get_by_label("Name of another model").fill("fake")
    found.get_by_role("button", name="Change model").click()
    expect(found.locator("p.progress")).to_contain_text("1 of 5", timeout=AT_WORK)
    found.get_by_role("button", name="Stop").click()
    slow.set()
    expect(found.locator(".said")).to_have_text("Stopped. Finished work is kept.", timeout=AT_WORK)


@pytest.fixture
def bare(browser: Browser, library: Library, tmp_path: Path) -> Iterator[str]:
    """The URL of a server of an empty library."""
    with opened_library_server(library, tmp_path) as address:
        yield address


def test_empty_library_shows_what_to_do(bare: str, open_page: OpenPage, tmp_path: Path) -> None:
    shutil.copytree(GALLERY / "reef", tmp_path / "reef")
    page = open_page(bare)
    expect(page.locator("#empty")).to_contain_text("Add a folder of pictures to the library")
    page.get_by_role("button", name="Open the library").click()
    page.get_by_label("/path/to/pictures").fill(str(tmp_path / "reef"))
    page.keyboard.press("Enter")
    expect(page.locator("#library .said")).to_have_text("Done.", timeout=AT_WORK)
    page.keyboard.press("Escape")
    expect(page.locator(".tile")).to_have_count(4)
    expect(page.locator("#empty")).to_be_hidden()


def test_unreachable_server_is_reported_and_retried(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("ERR_",))
    page.context.set_offline(True)
    page.locator("#words").fill("a tractor on a field")
    expect(page.locator(".notices .bad")).to_contain_text("The server does not respond")
    assert page.locator(".tile").count() > 10  # the previous results stay
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#summary")).to_contain_text("100 pictures searched")
    expect(page.locator(".notices p")).to_have_count(0)
