"""The search box: text in several languages, pictures, parts, and invalid input."""

import base64

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PICTURE, OpenPage, first_name, search_for, wait_until_first

TRANSFER = """(data) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "friend.jpg", { type: "image/jpeg" }));
  return transfer;
}"""


EXPLAINED = """() => {
  addEventListener("input", () => { window.typed = performance.now(); }, true);
  const note = () => { if (document.querySelector("#notices p")) window.explained ??= performance.now(); };
  new MutationObserver(note).observe(document.querySelector("#notices"), { childList: true, subtree: true });
}"""
"""Notes when the last key was pressed, and when the query was explained."""


def transfer(page: Page) -> dict[str, object]:
    """Return the event data of a dropped picture."""
    return {"dataTransfer": page.evaluate_handle(TRANSFER, base64.b64encode(PICTURE.read_bytes()).decode())}


def chips(page: Page) -> list[str]:
    return page.locator(".chip").all_inner_texts()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("ein roter Traktor pflügt ein großes Feld", "spring-ploughing.jpg"),
        ("一艘帆船在海上", "bay-at-noon.jpg"),
        ("خيمة ونار في الليل", "stories-by-the-fire.jpg"),
    ],
)
def test_results_appear_while_typing(gallery: str, open_page: OpenPage, words: str, name: str) -> None:
    page = open_page(gallery)
    page.keyboard.type(words)  # the box has the focus initially; no Enter
    wait_until_first(page, name)
    expect(page).to_have_title(f"{words} · Sightline")


def test_first_visit_offers_examples(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, language="de")
    page.get_by_role("button", name="ein Hund", exact=True).click()
    expect(page.locator("#words")).to_have_value("ein Hund")
    expect(page.locator("#try")).to_be_hidden()
    expect(page.locator("#summary")).to_contain_text("100 Bilder durchsucht")


def test_incomplete_filter_keeps_the_results_and_is_explained_later(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("400",))
    search_for(page, "a tractor on a field")
    page.evaluate(EXPLAINED)
    search_for(page, "a tractor on a field year:20")
    assert first_name(page) == "spring-ploughing.jpg"  # the last results stay
    expect(page.locator(".notices p")).to_contain_text("query is not complete: year: '20' is not a date")
    expect(page.locator(".notices .bad")).to_have_count(0)
    assert page.evaluate("explained - typed") > 500  # milliseconds
    assert len(search_for(page, "a tractor on a field year:2020")["hits"]) > 0
    expect(page.locator(".notices p")).to_have_count(0)


def test_syntax_error_is_said_in_the_language_of_the_page(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, language="de", expected_faults=("400",))
    page.locator("#words").fill("a dog (year:2020")
    notice = page.locator(".notices p")
    expect(notice).to_have_text("Das lässt sich noch nicht lesen: Eine Klammer ist nicht geschlossen.")
    page.locator("#words").fill("a dog year:20")
    expect(notice).to_contain_text("20 ist kein Wert für den Filter year. year: '20' is not a date")


def test_pictures_can_be_dropped_pasted_and_chosen(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.dispatch_event("body", "dragenter", transfer(page))
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("body", "drop", transfer(page))
    expect(page.locator("#drop")).to_be_hidden()
    wait_until_first(page, "new-friend.jpg")
    expect(page.locator(".chip img")).to_have_js_property("naturalWidth", 448)
    page.get_by_role("button", name="Remove friend.jpg").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.evaluate(
        "(it) => document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: it, bubbles: true }))",
        transfer(page)["dataTransfer"],
    )
    wait_until_first(page, "new-friend.jpg")
    page.locator("#clear").click()
    expect(page.locator("#summary")).to_have_text("100 pictures, newest first")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Search with a picture").click()
    chooser.value.set_files(PICTURE)
    wait_until_first(page, "new-friend.jpg")
    page.go_back()
    page.go_forward()  # the upload is still known
    expect(page.locator(".chip")).to_have_count(1)
    wait_until_first(page, "new-friend.jpg")


def test_expired_upload_is_reported_once(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("404",))
    page.evaluate("history.replaceState({ parts: [{ upload: 'expired', weight: 1, label: 'friend.jpg' }] }, '', '/')")
    page.reload()
    expect(page.locator(".toast")).to_contain_text("The uploaded picture has expired")
    expect(page.locator("#summary")).to_have_text("100 pictures, newest first")
    expect(page.locator(".toast")).to_be_visible()
    page.reload()
    expect(page.locator("#summary")).to_have_text("100 pictures, newest first")
    expect(page.locator(".toast")).to_have_count(0)


def test_invalid_picture_is_reported(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("400",))
    page.locator("#file").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    expect(page.locator(".notices .bad")).to_have_text(
        "This file is not a picture, or it is damaged: not a picture in a supported format"
    )
    page.locator(".tile").nth(5).wait_for()


def test_parts_can_be_weighted_negated_and_removed(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    for words in ("a train", "-snow"):
        page.locator("#words").fill(words)
        page.keyboard.press("Shift+Enter")
    expect(page.locator(".chip")).to_have_count(2)
    assert [text.split() for text in chips(page)] == [["a", "train", "×1"], ["snow", "×0.5"]]
    wait_until_first(page, "express.jpg")
    with page.expect_request(lambda request: request.url.endswith("/search")) as asked:
        page.get_by_role("button", name="Search towards snow").click()
    assert (asked.value.post_data_json or {})["parts"] == [
        {"text": "a train", "weight": 1},
        {"text": "snow", "weight": 0.5},
    ]
    page.get_by_role("button", name="Weight: 0.5").click()
    expect(page.get_by_role("button", name="Weight: 1")).to_have_count(2)
    wait_until_first(page, "line-in-snow.jpg")
    page.get_by_role("button", name="Remove a train").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.locator("#words").press("Backspace")
    expect(page.locator(".chip")).to_have_count(0)


def test_negative_text_is_a_part_next_to_others(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.locator("#words").fill("a train")
    page.keyboard.press("Shift+Enter")
    wait_until_first(page, "night-train.jpg")
    with page.expect_response(lambda answer: answer.url.endswith("/search")) as answered:
        page.locator("#words").fill("-snow")
    assert answered.value.ok
    assert (answered.value.request.post_data_json or {})["parts"] == [
        {"text": "snow", "weight": -0.5},
        {"text": "a train", "weight": 1},
    ]


def test_help_shows_examples_that_can_be_tried(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.get_by_role("button", name="How to search").click()
    page.get_by_role("button", name="year:2023").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#words")).to_have_value("year:2023")
    expect(page.locator("#summary")).to_contain_text("16 pictures")


def test_history_and_bookmarks_restore_the_query(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field")
    page.locator("#words").press("Enter")  # asks nothing new: Back must not stay here
    page.locator("#filters").get_by_label("country").check()
    expect(page.locator("#summary")).to_contain_text("12 pictures searched")
    bookmark = page.url
    page.go_back()
    expect(page.locator("#filters").get_by_label("country")).not_to_be_checked()
    page.go_back()
    expect(page.locator("#words")).to_have_value("")
    page.go_forward()
    page.go_forward()
    expect(page.locator("#summary")).to_contain_text("12 pictures searched")
    other = open_page(gallery, bookmark.removeprefix(gallery))
    wait_until_first(other, "spring-ploughing.jpg")
    expect(other.get_by_label("country")).to_be_checked()
    other.goto(f"{gallery}/?part=0:x&filter=nonsense&sort=upwards&view=inside-out")
    expect(other.locator("#summary")).to_have_text("100 pictures, newest first")
