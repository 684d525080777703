"""The library: folders, jobs, failures and models; empty libraries and unreachable servers."""

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from encoders import registry
from encoders.fake import FakeEncoder
from encoders.mini.encoder import VERSIONS, MiniEncoder
from encoders.text_recognizer import DEFAULT_RECOGNIZER, RECOGNIZERS
from store import Library
from tests.support.browser import GALLERY, PHONE, OpenPage, search_for
from tests.support.frame_files import index_files
from tests.support.hub_server import Repository, serving
from tests.support.versions import NEWER, install_newer_mini
from tests.support.web import opened_library_server
from tests.support.written import PixelTextRecognizer, write_picture

AT_WORK = 15_000  # milliseconds


def panel(page: Page) -> Any:
    """Go to the library."""
    page.locator("#views").get_by_role("button", name="Library").click()
    found = page.locator("#view-library")
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
        assert Slow.seen < 2 or self.go.wait(60)
        return super().forward_images(pixels)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """An event that the running job waits for."""
    Slow.go, Slow.seen = threading.Event(), 0
    monkeypatch.setattr(registry, "load", lambda *_: Slow())
    return Slow.go


def test_library_lists_folders_and_failures_with_reasons(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    found = panel(page)
    expect(page).to_have_url(re.compile(r"/\?view=library$"))
    expect(found.locator(".root .counts")).to_have_text("5 pictures · 1 not readable")
    found.get_by_text("Damaged, or not a picture").click()
    expect(found.locator(".files li")).to_contain_text("broken.jpg")
    expect(found.locator(".reasons")).to_contain_text("restore them from a backup")
    found.get_by_role("button", name="Try these files again").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(found.locator(".earlier")).to_contain_text("Reading failed files again")
    page.go_back()
    expect(page.locator(".tile").first).to_be_visible()
    expect(found).to_be_hidden()


def test_library_says_which_pictures_are_on_disks_that_are_away(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)

    def away(route: Route) -> None:
        status = route.fetch().json()
        status["roots"][0]["away"] = 3
        route.fulfill(json=status)

    expect(panel(page).locator(".root")).to_be_visible()
    expect(page.locator(".root .away")).to_have_count(0)
    page.route("**/api/v1/status", away)
    page.reload()
    text = "3 pictures cannot be opened now. Is their disk connected?"
    expect(page.locator(".root .away")).to_have_text(text)


def folder(page: Page) -> str:
    """Return the folder of the library."""
    return str(page.locator(".root").get_attribute("data-path"))


def test_folders_are_added_by_browsing_and_removed(
    workshop: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("web.settings.MOUNT_FOLDERS", ())
    shutil.copytree(GALLERY / "sea", tmp_path / "More pictures" / "sea")
    page = open_page(workshop)
    found = panel(page)
    found.get_by_role("button", name="Add folder").click()
    dialog = page.get_by_role("dialog", name="Add folder")
    expect(dialog.locator("li", has_text="photos").locator(".known")).to_be_visible()
    dialog.get_by_role("button", name="More pictures", exact=False).first.click()
    expect(dialog.locator(".place")).to_contain_text("1 folder")
    dialog.locator(".place").get_by_role("button", name="Add this folder").click()
    expect(dialog.locator(".said")).to_contain_text("More pictures is being added")
    page.keyboard.press("Escape")
    expect(found.locator(".root")).to_have_count(2, timeout=AT_WORK)
    pictures = len(list((tmp_path / "More pictures" / "sea").iterdir()))
    added = found.locator(".root", has_text="More pictures")
    expect(added).to_contain_text(f"{pictures} pictures")
    added.get_by_role("button", name="Remove More pictures from the library").click()
    question = page.get_by_role("dialog", name="Remove “More pictures” from the library?")
    expect(question).to_contain_text("The files stay where they are")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    added.get_by_role("button", name="Remove More pictures from the library").click()
    question.get_by_role("button", name="Remove", exact=True).click()
    expect(found.locator(".said")).to_contain_text(f"{pictures} pictures removed", timeout=AT_WORK)
    expect(found.locator(".root")).to_have_count(1)
    assert len(list((tmp_path / "More pictures" / "sea").iterdir())) == pictures


def test_new_pictures_are_indexed(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    found = panel(page)
    shutil.copy(GALLERY / "sea" / "beach-games.jpg", folder(page))
    found.get_by_role("button", name="Check photos for changes").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(found.locator(".root .counts")).to_contain_text("6 pictures")
    page.locator("#views").get_by_role("button", name="Pictures").click()
    expect(page.locator(".tile")).to_have_count(6)


@pytest.mark.parametrize(
    ("language", "said"),
    {
        "de": "Das ist kein Ordner, der sich aufnehmen lässt: There is no folder /nowhere/at/all.",
        "ar": "ليس هذا مجلداً يمكن فهرسته: \u2068There is no folder /nowhere/at/all.\u2069",
    }.items(),
)
def test_refused_job_is_reported_in_the_page_language(
    workshop: str, open_page: OpenPage, language: str, said: str
) -> None:
    page = open_page(workshop, path="/?view=library", language=language, expected_faults=("404",))
    page.locator(".folders .primary").click()
    page.locator("input[name=folder]").fill("/nowhere/at/all")
    page.keyboard.press("Enter")
    expect(page.locator(".chooser .said")).to_have_text(said)
    expect(page.locator(".job")).to_have_count(0)
    page.keyboard.press("Escape")
    if language == "de":
        page.locator(".model-list summary").click()
        page.locator("input[name=model]").fill("nonsense")
        page.keyboard.press("Enter")
        expect(page.locator("#view-library > .said")).to_contain_text("Ein solches Modell gibt es nicht: Unknown model")


def test_failed_job_is_reported_in_the_page_language(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop, path="/?view=library", language="de")
    path = Path(folder(page))
    path.rename(path.with_name("unmounted"))
    page.locator(".root").get_by_role("button").first.click()
    expect(page.locator(".job p.bad")).to_contain_text("Ist sein Laufwerk verbunden?", timeout=AT_WORK)
    expect(page.locator(".job p.bad")).to_contain_text(str(path))


def test_text_in_pictures_is_read(
    browser: Browser, library: Library, tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECOGNIZERS._loaded, DEFAULT_RECOGNIZER, PixelTextRecognizer)
    write_picture(tmp_path / "signs" / "sign.png", "Platform 9", "King's Cross")
    write_picture(tmp_path / "signs" / "plain.png", colour="yellow")
    index_files(library, tmp_path / "signs", FakeEncoder())
    with opened_library_server(library, tmp_path) as address:
        found = panel(open_page(address))
        texts = found.locator(".texts")
        expect(texts).to_contain_text("Read: 0 of 2 pictures. With text: 0.")
        texts.get_by_role("button", name="Read text in pictures").click()
        expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
        expect(texts).to_contain_text("Read: 2 of 2 pictures. With text: 1.")
        expect(texts.get_by_role("button")).to_have_count(0)


def change_model(found: Any, name: str) -> None:
    found.get_by_text("Available models").click()
    found.get_by_label("Name of another model").fill(name)
    found.get_by_role("button", name="Change model").click()


def test_model_change_shows_progress_and_switches(workshop: str, open_page: OpenPage, slow: threading.Event) -> None:
    page = open_page(workshop)
    found = panel(page)
    change_model(found, "fake")
    expect(found.locator("p.progress")).to_contain_text("Embedding pictures: 1 of 5", timeout=AT_WORK)
    button = page.locator("#views").get_by_role("button", name="Library")
    page.locator("#views").get_by_role("button", name="Pictures").click()  # the job continues, and is still shown
    expect(button).to_have_class("view-button busy")
    expect(page.locator(".working")).to_contain_text("Changing the model")
    page.reload()
    expect(button).to_have_class("view-button busy")
    found = panel(page)
    slow.set()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    used = found.locator(".used li")
    expect(used.filter(has_text="fake")).to_contain_text("active")
    expect(used.filter(has_text="fake")).to_contain_text("5 of 5 pictures")
    used.filter(has_text="mini").get_by_role("button", name="Use this model").click()
    expect(used.filter(has_text="mini")).to_contain_text("active")


def test_models_are_listed_with_languages_size_and_licence(
    gallery: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoders.model_info.find_spec", lambda _: None)
    found = panel(open_page(gallery))
    found.get_by_text("Available models").click()
    free = found.locator(".model", has_text="xlm-roberta-base")
    expect(free).to_contain_text("English, German, Japanese, Russian, French, Romanian; about 100 languages in total")
    expect(free).to_contain_text("1.5 GB · dimension 512 · MIT")
    expect(free.locator("code")).to_contain_text("sightline models pull xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k")
    expect(free.get_by_role("button")).to_have_count(0)  # a second job would be rejected
    bound = found.locator(".model", has_text="nllb-clip-base-siglip")
    expect(bound).to_contain_text("CC-BY-NC-4.0: not for commercial use")
    expect(found.locator(".model", has_text="AltCLIP-m9")).to_contain_text("Licence unknown: ask its authors")


def test_model_is_downloaded_after_its_licence_was_accepted(
    workshop: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("open_clip")
    name = "BAAI/AltCLIP"
    with serving(monkeypatch) as hub:
        hub.repositories[name] = Repository({"config.json": b"{}", "model.safetensors": bytes(2_000_000)}, "mit")
        found = panel(page := open_page(workshop))
        found.get_by_text("Available models").click()
        row = found.locator(f'[data-model="{name}"]')
        row.get_by_role("button", name="Download").click()
        dialog = page.get_by_role("dialog", name=f"Download {name}")
        expect(dialog).to_contain_text("2 MB")
        expect(dialog.get_by_role("link")).to_have_attribute("href", f"{hub.address}/{name}")
        begin = dialog.get_by_role("button", name="Download 2 MB")
        expect(begin).to_be_disabled()
        assert hub.asked == []
        dialog.get_by_text("I have read the licence (mit) and accept it.").click()
        dialog.get_by_text("Then use it for this library").click()
        begin.click()
        expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(row.get_by_role("button", name="Use this model")).to_be_visible()


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
    models = found.locator(".model-list")
    expect(models.locator("p.newer")).to_contain_text(said)
    models.get_by_role("button", name=f"Change to mini {NEWER}").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(models.locator("p.newer")).to_have_count(0)
    expect(models.locator(".used li", has_text=f"mini {NEWER}")).to_contain_text("active")
    expect(models.locator(".used li", has_text=old).get_by_role("button", name="Use this model")).to_be_visible()


def test_notice_of_a_newer_version_disappears_when_it_is_used(
    workshop: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_newer_mini(tmp_path / "mini", monkeypatch)
    page = open_page(workshop)
    notice = page.locator("#notices p")
    notice.get_by_role("button", name="Open the library").click()
    found = page.locator("#view-library")
    found.get_by_role("button", name=f"Change to mini {NEWER}").click()
    expect(found.locator(".said")).to_have_text("Done.", timeout=AT_WORK)
    expect(notice).to_have_count(0)


def test_running_job_can_be_stopped(workshop: str, open_page: OpenPage, slow: threading.Event) -> None:
    page = open_page(workshop)
    found = panel(page)
    change_model(found, "fake")
    expect(found.locator("p.progress")).to_contain_text("1 of 5", timeout=AT_WORK)
    with page.expect_response("**/cancel"):  # before the job may end by itself
        found.get_by_role("button", name="Stop").click()
    slow.set()
    expect(found.locator(".said")).to_have_text("Stopped. Finished work is kept.", timeout=AT_WORK)


@pytest.fixture
def bare(browser: Browser, library: Library, tmp_path: Path) -> Iterator[str]:
    """The URL of a server of an empty library."""
    with opened_library_server(library, tmp_path) as address:
        yield address


def test_first_folder_is_chosen_and_its_pictures_arrive(
    bare: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("web.settings.MOUNT_FOLDERS", ())
    shutil.copytree(GALLERY / "reef", tmp_path / "home" / "reef")
    page = open_page(bare, viewport=PHONE, expected_faults=("409",))
    empty = page.locator("#empty")
    expect(empty.get_by_role("heading", name="No pictures yet")).to_be_visible()
    page.locator("#words").fill("a fish")  # nothing can be found, and the page says why
    expect(page.locator("#summary")).to_be_empty()
    expect(empty.get_by_role("heading", name="No pictures yet")).to_be_visible()
    page.locator("#words").fill("")
    expect(empty.locator(".place")).to_contain_text("home")  # the only place
    empty.get_by_role("button", name="Add reef").click()
    expect(page.locator(".tile")).to_have_count(4, timeout=AT_WORK)
    expect(empty).to_be_hidden()
    search_for(page, "a fish")
    expect(page.locator(".tile")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_typed_folder_is_indexed_in_an_empty_library(
    bare: str, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("web.settings.MOUNT_FOLDERS", ())
    shutil.copytree(GALLERY / "reef", tmp_path / "home" / "reef")
    page = open_page(bare)
    page.get_by_label("Path of a folder on the server").fill("~/reef")
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(4, timeout=AT_WORK)


def test_page_says_that_the_server_is_unreachable_and_goes_on_by_itself(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("ERR_",))
    page.context.set_offline(True)
    page.locator("#words").fill("a tractor on a field")
    expect(page.locator(".offline")).to_contain_text("The server cannot be reached")
    expect(page.locator(".tile").nth(5)).to_be_attached()  # the previous results stay
    page.context.set_offline(False)
    expect(page.locator("#summary")).to_contain_text("100 pictures searched")
    expect(page.locator(".offline")).to_be_hidden()
