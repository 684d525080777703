"""What the page says about an answer: the summary in every state, and the notices of the server."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage, search_for

LIKELY, UNLIKELY, UNDECIDED, UNJUDGED = (
    {"relevance": 0.9, "is_relevant": True},
    {"relevance": 0.1, "is_relevant": False},
    {"relevance": 0.5, "is_relevant": None},
    {"relevance": None, "is_relevant": None},
)

SAID = """async ({ found, sort, words }) => {
  const { state } = await import("/static/js/state.js");
  const { tell } = await import("/static/js/summary.js");
  Object.assign(state, { sort, words });
  tell(found);
  return document.getElementById("summary").textContent;
}"""


def said(
    page: Page, hits: list[dict[str, Any]], *, ranked: bool = True, more: bool = False, sort: str = "relevance"
) -> str:
    found = {"hits": hits, "searched": 16 if hits else 0, "space": "mini" if ranked else None}
    words = "a dog" if ranked else "year:2023"
    asked = {"found": {**found, "next": "more" if more else None}, "sort": sort, "words": words}
    return str(page.evaluate(SAID, asked))


def test_summary_of_every_state(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    assert said(page, [UNJUDGED], ranked=False) == "16 pictures, newest first"
    assert said(page, [UNJUDGED], ranked=False, more=True) == "16 pictures, newest first"
    assert said(page, [], ranked=False) == "No picture passes the filters"
    assert said(page, []) == "No pictures found"
    assert said(page, [LIKELY, UNDECIDED, UNLIKELY]) == "1 likely match, 16 pictures searched"
    assert said(page, [LIKELY, LIKELY], more=True) == "2+ likely matches, 16 pictures searched"
    assert said(page, [LIKELY, UNLIKELY], more=True) == "1 likely match, 16 pictures searched"
    assert said(page, [UNLIKELY, UNLIKELY], more=True) == "No likely matches; 16 pictures searched"
    assert said(page, [UNLIKELY], more=True, sort="text") == "16 pictures searched"  # a likely one may follow
    assert said(page, [UNDECIDED, UNLIKELY]) == "16 pictures searched"
    assert said(page, [UNJUDGED, UNJUDGED]) == "16 pictures searched"  # not calibrated: no verdict
    page.evaluate('() => import("/static/js/i18n.js").then((said) => said.speak("ar"))')
    assert said(page, [UNJUDGED], ranked=False) == "16 صورة، الأحدث أولاً"


def test_filters_alone_are_counted_and_not_searched(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "year:2023")
    expect(page.locator("#summary")).to_have_text("16 pictures, newest first")
    search_for(page, "year:1999")
    expect(page.locator("#summary")).to_have_text("No picture passes the filters")


@pytest.mark.parametrize(
    ("language", "notice", "button"),
    [
        ("en", "befor: is not a filter and is searched for as text. Did you mean before:?", "Use before:"),
        ("de", "befor: ist kein Filter und wird als Text gesucht. Meinten Sie before:?", "before: verwenden"),
    ],
)
def test_notice_of_a_misspelt_filter_offers_the_right_one(
    gallery: str, open_page: OpenPage, language: str, notice: str, button: str
) -> None:
    page = open_page(gallery, language=language)
    search_for(page, "a dog befor:2024")
    expect(page.locator(".notice span")).to_have_text(notice)
    page.get_by_role("button", name=button).click()
    expect(page.locator("#words")).to_have_value("a dog before:2024")
    expect(page.locator(".notice")).to_have_count(0)


def test_weak_language_is_named_until_it_is_dismissed(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    for _ in range(2):
        search_for(page, "собака играет в снегу")
        expect(page.locator(".notice span")).to_contain_text("Your query seems to be in Russian. mini 3 is weak")
        search_for(page, "a dog plays in the snow")
        expect(page.locator(".notice")).to_have_count(0)
    search_for(page, "собака играет в снегу")
    page.locator(".notice").get_by_role("button", name="Close").click()
    expect(page.locator(".notice")).to_have_count(0)
    search_for(page, "собака играет на пляже")
    page.wait_for_timeout(900)
    expect(page.locator(".notice")).to_have_count(0)


def test_path_of_a_file_is_answered_in_the_language_of_the_page(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, language="de", expected_faults=("400",))
    page.locator("#words").fill("./sofa.jpg")
    expect(page.locator(".notices p")).to_contain_text("Ein Bild kann hier nicht durch seinen Pfad benannt werden.")
