"""The viewer: metadata, highlights, related searches and judgements."""

from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, SLOW, OpenPage, bounding_box, search_for, wait_until_first


def view(page: Page, words: str = "a tractor on a field", place: int = 1) -> None:
    """Search for `words` and open a picture of the results."""
    search_for(page, words)
    page.locator(f'.tile[aria-posinset="{place}"] .shot').click()
    expect(page.locator("#viewer")).to_be_visible()


def test_viewer_shows_metadata_and_steps_through_results(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    view(page)
    heading = page.locator("#viewer h2")
    expect(heading).to_have_text("spring-ploughing.jpg")
    facts = page.locator("#viewer dl")
    for known in ("Relevance", "448 × 336 · JPEG", "country/spring-ploughing.jpg"):
        expect(facts).to_contain_text(known)
    expect(page.locator(".picture")).to_have_js_property("complete", True)
    expect(page.get_by_role("button", name="Previous picture")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text("mill-at-sunset.jpg")
    page.get_by_role("button", name="Next picture").click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator('.tile[aria-posinset="2"] .shot')).to_be_focused()  # the last picture that was shown


def test_viewer_highlights_the_query_and_other_text(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    view(page, "a snowman in the snow")
    heat = page.locator(".heat")
    expect(heat).to_be_hidden()
    page.keyboard.press("h")
    expect(heat).to_be_visible(timeout=SLOW)
    expect(heat).to_have_js_property("complete", True)
    expect(page.locator(".why .said")).to_contain_text("“a snowman in the snow”")
    assert bounding_box(heat) == bounding_box(page.locator(".picture"))
    field = page.get_by_label("Where is...")
    field.fill("a dog")
    field.press("Enter")
    expect(page.locator(".why .said")).to_contain_text("“a dog”", timeout=SLOW)
    page.get_by_role("button", name="Show where", exact=True).click()  # hide it again
    expect(heat).to_be_hidden()


def test_more_and_less_like_this_from_the_viewer(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    view(page, place=2)
    page.locator("#viewer").get_by_role("button", name="More like this").click()
    wait_until_first(page, "mill-at-sunset.jpg")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator('.tile[aria-posinset="1"] .shot')).to_be_focused()
    page.locator('.tile[aria-posinset="1"] .shot').click()
    expect(page.locator("#viewer dl")).to_contain_text("a tractor on a field")  # the score of each part
    page.get_by_role("button", name="Less like this").click()
    expect(page.locator(".chip")).to_have_attribute("data-away", "true")
    expect(page.locator('.tile[aria-posinset="1"] .shot[aria-label^="mill-at-sunset"]')).to_have_count(0)


def crop_asked(page: Page) -> list[float]:
    """Return the region of the only part in the URL."""
    return list(page.evaluate("JSON.parse(decodeURIComponent(location.hash.slice(1))).p[0].crop"))


def test_region_can_be_searched(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    for how in ("drag", "clicks", "keys"):
        view(page, "a snowman in the snow")
        page.get_by_role("button", name="Search with a region").click()
        frame = bounding_box(page.locator(".picture"))
        corners = [
            (frame["x"] + frame["width"] * x, frame["y"] + frame["height"] * y) for x, y in ((0.1, 0.5), (0.4, 0.9))
        ]
        if how == "keys":
            page.keyboard.press("ArrowRight")
            page.keyboard.press("Shift+ArrowDown")
            page.keyboard.press("Enter")
        elif how == "clicks":
            for corner in corners:
                page.mouse.click(*corner)
        else:
            page.mouse.move(*corners[0])
            page.mouse.down()
            page.mouse.move(*corners[1], steps=3)
            page.mouse.up()
        expect(page.locator(".chip")).to_have_count(1)
        expect(page.locator("#viewer")).to_be_hidden()
        wanted = [0.29, 0.25, 0.5, 0.54] if how == "keys" else [0.1, 0.5, 0.3, 0.4]
        assert [round(side, 2) for side in crop_asked(page)] == wanted
        page.locator("#clear").click()
        expect(page.locator(".chip")).to_have_count(0)


def test_near_duplicates_are_listed_in_the_viewer(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    search_for(page, "a snowman")
    expect(page.locator(".tile .stack")).to_have_count(1)
    expect(page.locator(".tile .stack")).to_have_text("2")
    page.locator(".tile:has(.stack) .shot").click()
    expect(page.locator(".near h3")).to_have_text("2 nearly identical pictures")
    names = page.locator(".near img").evaluate_all("(all) => all.map((img) => img.alt)")
    assert sorted(names) == ["a-smaller-friend.jpg", "new-friend.jpg"]


def test_judgement_is_saved(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    view(page, "a fox")
    page.get_by_role("button", name="relevant", exact=True).click()
    expect(page.get_by_role("button", name="relevant", exact=True)).to_have_attribute("aria-pressed", "true")
    page.reload()
    page.locator('.tile[aria-posinset="1"] .shot').click()
    expect(page.get_by_role("button", name="relevant", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="relevant", exact=True).click()  # remove the judgement
    expect(page.get_by_role("button", name="relevant", exact=True)).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="not relevant", exact=True)).to_have_attribute("aria-pressed", "false")


def test_swipe_shows_the_next_picture(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport=PHONE, has_touch=True, is_mobile=True)
    view(page)
    page.locator(".stage").evaluate(
        """(stage) => {
          const touch = (x) => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 200 });
          const tell = (name, touches, changedTouches) =>
            stage.dispatchEvent(new TouchEvent(name, { bubbles: true, touches, changedTouches }));
          tell("touchstart", [touch(300)], [touch(300)]);
          tell("touchend", [], [touch(120)]);
        }"""
    )
    expect(page.locator("#viewer h2")).to_have_text("mill-at-sunset.jpg")
