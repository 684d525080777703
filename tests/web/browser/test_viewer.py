"""The viewer: metadata, highlights, related searches and judgements."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import PHONE, SLOW, OpenPage, bounding_box, search_for, settled_box, wait_for_value
from tests.support.web import opened_library_server
from tests.web.browser.conftest import indexed


@pytest.fixture(scope="module")
def camera(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of two large pictures: a JPEG, and a TIFF, which browsers do not show."""
    folder = tmp_path_factory.mktemp("camera")
    (folder / "photos").mkdir()
    Image.radial_gradient("L").resize((4000, 3000)).convert("RGB").save(folder / "photos" / "photo.jpg")
    Image.linear_gradient("L").resize((3000, 2000)).convert("RGB").save(folder / "photos" / "scan.tif")
    with opened_library_server(indexed(folder / "library", folder / "photos"), folder) as address:
        yield address


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
    facts = page.locator("#viewer .facts")
    for known in (
        "May be a match",
        "448 × 336",
        "Monday, June 2, 2025",
        "10:09:08",
        "43.7407° N, 5.0304° E",
        "gallery/country",
    ):
        expect(facts).to_contain_text(known)
    expect(page.locator(".picture")).to_have_js_property("complete", True)
    expect(page.get_by_role("button", name="Previous picture")).to_be_hidden()  # it is the first one
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
    expect(heat.locator(".map")).to_have_js_property("complete", True)
    expect(page.locator(".why .said")).to_contain_text("“a snowman in the snow”")
    assert settled_box(heat) == pytest.approx(settled_box(page.locator(".picture")), abs=0.5)
    field = page.get_by_label("Where is...")
    field.fill("a dog")
    field.press("Enter")
    expect(page.locator(".why .said")).to_contain_text("“a dog”", timeout=SLOW)
    page.get_by_role("button", name="Show where", exact=True).click()  # hide it again
    expect(heat).to_be_hidden()


def test_more_and_less_like_this_from_the_viewer(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    view(page)
    page.locator("#viewer").get_by_role("button", name="More like this").click()
    expect(page.locator("#viewer")).to_be_hidden()
    mix = page.locator(".mix")
    expect(mix).to_contain_text("Pictures like spring-ploughing.jpg and with “a tractor on a field”: both count")
    expect(page.locator('.shot[aria-label^="spring-ploughing"]')).to_have_count(0)  # the picture itself
    mix.get_by_role("button").click()
    expect(mix).to_have_text("Pictures like spring-ploughing.jpg, without the picture itself.")
    expect(page.locator("#words")).to_have_value("")
    page.locator('.tile[aria-posinset="1"] .shot').click()
    page.get_by_role("button", name="Less like this").click()
    expect(page.locator(".chip").last).to_have_attribute("data-away", "true")
    page.go_back()  # to the picture from which the last query came
    expect(page.locator("#viewer")).to_be_visible()


def crop_asked(page: Page) -> list[float]:
    """Return the region of the only part in the URL; nothing without a part."""
    parts = parse_qs(urlsplit(page.url).query).get("part", [])
    return [round(float(share) / 100, 2) for share in re.findall(r"([\d.]+)%", "".join(parts))]


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
        wait_for_value(page, lambda: crop_asked(page), wanted)
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
    expect(page.get_by_role("button", name="relevant", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="relevant", exact=True).click()  # remove the judgement
    expect(page.get_by_role("button", name="relevant", exact=True)).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="not relevant", exact=True)).to_have_attribute("aria-pressed", "false")


def test_next_picture_to_judge_is_the_most_influential(workshop: str, open_page: OpenPage) -> None:
    """The first result, although the second is open; a text replaces the button when all are judged."""
    page = open_page(workshop)
    view(page, "a lighthouse by the sea", place=2)
    tiles = page.locator(".tile[data-id]").all()
    ids = [int(tile.get_attribute("data-id") or 0) for tile in tiles]
    onward = page.get_by_role("button", name="Next to judge")
    onward.click()
    expect(page).to_have_url(re.compile(rf"picture={ids[0]}\b"))
    for picture in ids:
        judged = {"query": "a lighthouse by the sea", "picture": picture, "grade": 0}
        page.request.put(f"{workshop}/api/v1/judgements", data=judged)
    onward.click()
    expect(page.locator("#viewer .judging")).to_contain_text(f"The other first {len(ids)} results are judged.")
    expect(onward).to_have_count(0)


def test_answer_about_an_earlier_picture_is_not_shown(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    held: list[Route] = []
    page.route("**/api/v1/judgements?*", lambda route: route.continue_() if held else held.append(route))
    view(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer h2")).to_have_text("mill-at-sunset.jpg")
    button = page.get_by_role("button", name="relevant", exact=True)
    expect(button).to_have_attribute("aria-pressed", "false")
    first = parse_qs(urlsplit(held[0].request.url).query)["picture"][0]
    button.evaluate("(button) => { button.dataset.kept = 'yes'; }")
    with page.expect_response("**/api/v1/judgements?*"):
        held[0].fulfill(json={"grades": {first: 1}})
    page.wait_for_timeout(200)
    expect(button).to_have_attribute("data-kept", "yes")  # it was not drawn again
    expect(button).to_have_attribute("aria-pressed", "false")


def touch(page: Page, *paths: list[tuple[float, float]], steps: int = 6) -> None:
    """Move fingers over the screen, each from the first to the second of its points, and lift them."""
    session = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        points = [
            {"id": number, "x": a[0] + (b[0] - a[0]) * step / steps, "y": a[1] + (b[1] - a[1]) * step / steps}
            for number, (a, b) in enumerate(paths)
        ]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if step else "touchStart", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_swipes_turn_to_other_pictures_and_pull_up_the_details(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport=PHONE, has_touch=True, is_mobile=True)
    view(page)
    wait_for_value(page, lambda: bounding_box(page.locator(".picture"))["width"], PHONE["width"])
    heading = page.locator("#viewer h2")
    touch(page, [(330, 400), (60, 410)])
    expect(heading).to_have_text("mill-at-sunset.jpg")
    touch(page, [(200, 400), (190, 405)])  # too short
    expect(heading).to_have_text("mill-at-sunset.jpg")
    touch(page, [(60, 400), (330, 400)])
    expect(heading).to_have_text("spring-ploughing.jpg")
    stars = page.get_by_role("button", name="3 stars")
    expect(page.locator(".details")).to_have_attribute("inert", "")
    touch(page, [(200, 600), (200, 300)])
    expect(page.locator(".details")).not_to_have_attribute("inert", "")
    expect(stars).to_be_visible()
    handle = settled_box(page.locator(".grip"))  # the sheet has come up
    touch(page, [(200, handle["y"] + 20), (200, handle["y"] + 300)])
    expect(page.locator(".details")).to_have_attribute("inert", "")
    touch(page, [(200, 200), (200, 500)])
    expect(page.locator("#viewer")).to_be_hidden()


def test_zoom_with_wheel_keys_and_pointer(camera: str, open_page: OpenPage) -> None:
    page = open_page(camera, path="/?q=name:photo.jpg")
    page.locator(".shot").first.click()
    expect(page.locator(".percent")).to_contain_text("%")
    frame = bounding_box(page.locator(".frame"))
    middle = (frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.mouse.dblclick(*middle)
    expect(page.locator(".percent")).to_have_text("100 %")
    full = page.locator(".stage .full")  # the original file
    expect(full).to_have_js_property("naturalWidth", 4000, timeout=SLOW)
    assert urlsplit(full.get_attribute("src") or "").path.endswith("/original")
    stage = settled_box(page.locator(".stage"))
    assert stage["width"] == pytest.approx(4000, abs=0.01)
    left = stage["x"]
    assert left == pytest.approx(round(left), abs=0.01)  # its pixels are those of the screen
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 150, middle[1], steps=3)
    page.mouse.up()
    assert settled_box(page.locator(".stage"))["x"] == pytest.approx(left + 150, abs=1)
    page.keyboard.press("Shift+ArrowRight")
    assert settled_box(page.locator(".stage"))["x"] == pytest.approx(left + 70, abs=1)
    page.mouse.dblclick(*middle)
    expect(page.locator(".frame.zoomed")).to_have_count(0)
    page.mouse.wheel(0, -300)
    expect(page.locator(".frame.zoomed")).to_have_count(1)
    page.keyboard.press("z")
    expect(page.locator(".frame.zoomed")).to_have_count(0)
    page.keyboard.press("+")
    expect(page.locator(".frame.zoomed")).to_have_count(1)
    page.keyboard.press("-")
    expect(page.locator(".frame.zoomed")).to_have_count(0)


def test_pinch_zooms_a_picture_of_a_format_that_browsers_do_not_show(camera: str, open_page: OpenPage) -> None:
    page = open_page(camera, path="/?q=name:scan.tif", viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator(".shot").first.click()
    expect(page.locator("#viewer h2")).to_have_text("scan.tif")
    touch(page, [(180, 400), (60, 400)], [(210, 400), (330, 400)])
    expect(page.locator(".frame.zoomed")).to_have_count(1)
    full = page.locator(".stage .full")
    expect(full).to_have_js_property("naturalWidth", 3000, timeout=SLOW)
    assert re.search(r"/frames/0\?library=[0-9a-f]{16}-\d+&format=jpeg$", full.get_attribute("src") or "")
    expect(page.locator(".sign")).to_be_hidden()
    touch(page, [(200, 400), (20, 400)])  # moves the picture instead of turning to the next one
    expect(page.locator("#viewer h2")).to_have_text("scan.tif")


def test_address_names_the_open_picture(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    view(page)
    number = page.locator('.tile[aria-posinset="1"]').get_attribute("data-id")
    asked = {"q": ["a tractor on a field"], "picture": [number]}
    wait_for_value(page, lambda: parse_qs(urlsplit(page.url).query), asked)
    page.keyboard.press("ArrowRight")
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("picture"))
    page.go_forward()
    expect(page.locator("#viewer h2")).to_have_text("mill-at-sunset.jpg")
    page.reload()
    expect(page.locator("#viewer h2")).to_have_text("mill-at-sunset.jpg")
    expect(page.get_by_role("button", name="Previous picture")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("picture"))  # going back takes a moment
    page.goto(f"{gallery}/?q=a+snowman&filter=year:1999&picture={number}")  # not among the results
    expect(page.locator("#viewer h2")).to_have_text("spring-ploughing.jpg")
    expect(page.get_by_role("button", name="Next picture")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()


def test_address_of_an_unknown_picture_shows_a_message(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, path="/?picture=99999", expected_faults=("404",))
    expect(page.locator(".toast")).to_contain_text("cannot be shown")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("picture"))


def test_rating_and_tags_are_edited_and_undone(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    view(page, "a fox")
    viewer = page.locator("#viewer")
    expect(viewer.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("4")
    expect(viewer.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".toast")).to_contain_text("1 picture: ★★★★")
    page.keyboard.press("0")
    expect(viewer.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Control+z")
    expect(viewer.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    field = viewer.get_by_role("combobox", name="Tag")
    field.fill("Forest")
    field.press("Enter")
    expect(viewer.locator(".tag")).to_have_text("Forest")
    viewer.get_by_role("button", name="Remove the tag Forest").click()
    expect(viewer.locator(".tag")).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(viewer.locator(".tag")).to_have_text("Forest")
    viewer.get_by_role("button", name="Forest", exact=True).click()
    expect(viewer).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(1)


def test_selection_is_rated_tagged_and_undone(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    page.locator(".choose input").first.check(force=True)
    bar = page.locator("#selection")
    bar.get_by_role("button", name="Select all").click()
    expect(bar).to_contain_text("5 selected")
    bar.get_by_label("Rating").select_option("5")
    expect(page.locator(".toast")).to_contain_text("5 pictures: ★★★★★")
    field = bar.get_by_role("combobox", name="Tag")
    field.fill("All of them")
    field.press("Enter")
    expect(page.locator(".toast")).to_contain_text("5 pictures now have the tag")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_have_text("Undone.")
    page.keyboard.press("Control+z")
    expect(page.locator(".toast")).to_have_text("Undone.")
    assert page.request.get(f"{workshop}/api/v1/tags").json() == []
    rated = page.request.post(f"{workshop}/api/v1/search", data={"where": "has:rating"}).json()
    assert rated["hits"] == []


def test_details_are_hidden_for_good_and_the_slideshow_goes_on(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    view(page)
    page.keyboard.press("i")
    expect(page.locator(".about")).to_be_hidden()
    page.reload()
    expect(page.locator("#viewer h2")).to_have_text("spring-ploughing.jpg")
    expect(page.locator(".about")).to_be_hidden()
    page.keyboard.press("i")
    expect(page.locator(".about")).to_be_visible()
    page.get_by_role("button", name="Slideshow", exact=True).click()
    page.get_by_label("Time for each picture").select_option("3")
    expect(page.locator(".about")).to_be_hidden()
    expect(page.locator("#viewer h2")).to_have_text("mill-at-sunset.jpg", timeout=SLOW)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Slideshow", exact=True)).to_be_visible()  # paused
    page.get_by_role("button", name="End the slideshow").click()
    expect(page.locator(".about")).to_be_visible()
