"""The grid: filters with counts, paging, the relevance line, selection, export, tagging."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.support.browser import SLOW, OpenPage, bounding_box, search_for, wait_until_first

MANY = 100_000
FEW = 1_000

SCROLL = """async () => {
  const { draw } = await import("/static/js/grid/grid.js");
  const height = document.documentElement.scrollHeight;
  let [tiles, made] = [0, 0];
  const count = (changes) => { made += changes.reduce((sum, each) => sum + each.addedNodes.length, 0); };
  const watch = new MutationObserver(count);
  watch.observe(document.getElementById("grid"), { childList: true });
  const took = [];
  for (let step = 0; step <= 20; step += 1) {
    scrollTo(0, (height * step) / 20);
    const before = performance.now();
    draw();
    took.push(performance.now() - before);
    await new Promise(requestAnimationFrame);
    tiles = Math.max(tiles, document.querySelectorAll(".tile").length);
  }
  count(watch.takeRecords());
  return { tiles, made, height, median: took.sort((a, b) => a - b)[10] };
}"""


def test_filter_counts_match_the_results(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    folders = page.get_by_role("group", name="Folder")
    expect(folders.locator("li").first).to_have_text("town20")
    folders.get_by_role("button", name="Show all 10").click()
    expect(folders.locator("li")).to_have_count(10)
    folders.get_by_label("winter").check()
    summary = page.locator("#summary")
    expect(summary).to_have_text("4 pictures, newest first")
    folders.get_by_label("reef").check()  # values of the same field are alternatives
    expect(summary).to_have_text("8 pictures, newest first")
    page.get_by_role("group", name="Year").get_by_label("2024").check()  # different fields are combined
    expect(summary).not_to_have_text("8 pictures, newest first")
    expect(summary).to_contain_text("newest first")
    within = int(summary.inner_text().split()[0])
    assert 1 <= within < 8
    assert search_for(page, "a snowman")["searched"] == within
    page.get_by_role("button", name="Remove all filters").click()
    expect(summary).to_contain_text("100 pictures searched")


def test_filters_in_the_query_change_the_counts(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, expected_faults=("400",))
    years, cameras = (page.get_by_role("group", name=name) for name in ("Year", "Camera"))
    expect(years).to_be_visible()
    search_for(page, "a house year:2023")
    expect(years).to_be_hidden()  # no value is left to choose
    counts = cameras.locator(".count").all_inner_texts()
    assert 1 < sum(map(int, counts)) <= 16
    cameras.locator("input").first.check()
    expect(page.locator("#summary")).to_contain_text(f"{counts[0]} pictures searched")
    expect(cameras.locator(".count")).to_have_text(counts)  # the counts of other fields stay
    search_for(page, "a house year:20")  # an incomplete filter: the counts stay
    page.wait_for_timeout(500)
    expect(years).to_be_hidden()
    expect(cameras).to_be_visible()
    search_for(page, "a house")
    expect(years).to_be_visible()


def test_filters_without_results_can_be_removed(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "year:1950")
    expect(page.locator("#empty")).to_contain_text("No pictures found")
    page.locator("#empty").get_by_role("button", name="Clear").click()
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#summary")).to_have_text("100 pictures, newest first")


def test_scrolling_loads_all_pictures(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport={"width": 500, "height": 400})
    search_for(page, "a house")
    expect(page.locator(".tile").first).to_have_attribute("aria-setsize", "60")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator(".tile").first).to_have_attribute("aria-setsize", "100")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator('[aria-posinset="100"]')).to_be_in_viewport()
    places = page.locator(".tile").evaluate_all("(all) => all.map((tile) => Number(tile.ariaPosInSet))")
    assert places == sorted(places)  # in order for screen readers
    assert len(places) < 90


def synthetic(number: int) -> Callable[[Route], None]:
    """Return a response with as many pictures."""
    hits = [
        {"id": 1 + each % 100, "name": f"{each}.jpg", "width": 4, "height": 3, "stack": 1} for each in range(number)
    ]
    answer = {
        "hits": hits,
        "next": None,
        "searched": number,
        "query": "everything",
        "parts": [],
        "space": "mini",
        "notices": [],
        "milliseconds": 1,
    }
    return lambda route: route.fulfill(json=answer)


def test_large_results_scroll_smoothly(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    scrolled: dict[int, dict[str, Any]] = {}
    for number in (FEW, MANY):
        page.route("**/api/v1/search", synthetic(number))
        page.locator("#words").fill(f"everything of {number}")
        expect(page.locator("#summary")).to_contain_text(f"{number:,} pictures", timeout=SLOW)
        scrolled[number] = page.evaluate(SCROLL)
        expect(page.locator(f'[aria-posinset="{number}"]')).to_be_in_viewport()
        page.unroute_all()
    assert scrolled[MANY]["height"] > MANY * 20
    assert scrolled[MANY]["tiles"] < 150
    assert scrolled[MANY]["made"] < 21 * 150
    # Compared with a short list, because both take longer while other programs run.
    assert scrolled[MANY]["median"] < 4 * scrolled[FEW]["median"] + 5  # milliseconds


def test_line_separates_relevant_pictures(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    likely, last = 0, 0
    for words in (
        "a campfire burns at night between trees",
        "a balloon flies over a green meadow",
        "a red tractor drives across a field",
    ):  # one has a few relevant pictures
        verdicts = [hit["is_relevant"] for hit in search_for(page, words)["hits"]]
        likely, last = verdicts.count(True), verdicts.index(False)
        if 1 < likely <= last < 40:
            break
    expect(page.locator("#summary")).to_have_text(f"{likely} likely matches, 100 pictures searched")
    expect(page.locator(".line")).to_have_text("Probably not relevant from here on")
    line, before, after = (
        bounding_box(page.locator(where))
        for where in (".line", f'[aria-posinset="{last}"]', f'[aria-posinset="{last + 1}"]')
    )
    assert before["y"] + before["height"] <= line["y"]
    assert line["y"] + line["height"] <= after["y"]
    search_for(page, "two men in suits are talking in an office")
    expect(page.locator(".line")).to_contain_text("Probably no picture matches")
    expect(page.locator("#summary")).to_contain_text("No likely matches")
    page.get_by_label("Sort").select_option("Newest first")
    expect(page.locator("#summary")).to_contain_text("100 pictures")
    search_for(page, words)  # by date, right and wrong pictures alternate
    expect(page.locator("#summary")).to_have_text(f"{likely} likely matches, 100 pictures searched")
    expect(page.locator(".line")).to_be_hidden()


def test_selected_pictures_can_be_exported(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field")
    page.get_by_label("Select spring-ploughing.jpg").check(force=True)
    page.locator('.tile[aria-posinset="4"] input').click(modifiers=["Shift"], force=True)
    bar = page.get_by_role("region", name="Selection")
    expect(bar).to_contain_text("4 selected")
    assert taken(page, "CSV").startswith("\ufeffid,path,")  # with a byte order mark, for Excel
    assert len(list(csv.reader(io.StringIO(taken(page, "CSV"))))) == 5
    assert [Path(line).name for line in taken(page, "Paths").splitlines()][:2] == [
        "spring-ploughing.jpg",
        "mill-at-sunset.jpg",
    ]
    assert taken(page, "Files (ZIP)", binary=True).startswith("PK")
    bar.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()
    expect(page.locator(".selected")).to_have_count(0)


def taken(page: Page, form: str, *, binary: bool = False) -> str:
    """Return the downloaded file."""
    with page.expect_download() as download:
        page.get_by_label("Download", exact=True).select_option(label=form)
    data = Path(download.value.path()).read_bytes()
    return data.decode("latin-1" if binary else "utf-8")


def test_new_tag_becomes_a_filter(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    page.get_by_label("Select winter-fox.jpg").check(force=True)
    page.get_by_role("combobox", name="Tag").fill("foxes")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("1 picture now has the tag “foxes”")
    page.locator("#filters").get_by_label("foxes").check()
    expect(page.locator(".tile")).to_have_count(1)
    wait_until_first(page, "winter-fox.jpg")


def test_more_like_this_from_the_grid(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field")
    tile = page.locator('.tile[aria-posinset="2"]')
    tile.hover()
    with page.expect_response("**/api/v1/search") as response:
        tile.get_by_role("button", name="More like this").click()
    expect(page.locator(".chip")).to_have_text("mill-at-sunset.jpg×1")
    names = [hit["name"] for hit in response.value.json()["hits"]]
    assert "mill-at-sunset.jpg" not in names  # a picture is not listed as similar to itself
    wait_until_first(page, names[0])
    page.locator('.tile[aria-posinset="1"]').hover()
    page.locator('.tile[aria-posinset="1"]').get_by_role("button", name="Show where it matches").click()
    expect(page.locator(".heat")).to_be_visible(timeout=SLOW)


def test_next_page_loads_while_another_query_runs(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a fox")
    held: list[Route] = []
    page.route(
        "**/api/v1/search",
        lambda route: (
            held.append(route) if (route.request.post_data_json or {})["query"] == "a snowman" else route.continue_()
        ),
    )
    page.locator("#words").fill("a snowman")
    with page.expect_request(lambda request: "cursor" in (request.post_data or "")) as more:
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert (more.value.post_data_json or {})["query"] == "a fox"
    expect(page.locator('.tile[aria-setsize="100"]').first).to_be_attached()
    held[0].continue_()
    wait_until_first(page, "winter-night.jpg")


def test_answer_that_comes_while_another_view_is_visible(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.evaluate("scrollTo(0, 1500)")
    held: list[Route] = []
    page.route("**/api/v1/search", lambda route: held.append(route))
    with page.expect_request("**/api/v1/search"):
        page.locator("#words").fill("a snowman")
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("button", name="Library").click()
    expect(page.locator("#results")).to_be_hidden()
    held[0].continue_()
    expect(page.locator("#summary")).to_contain_text("100 pictures searched")
    expect(page.locator(".tile")).to_have_count(0)
    views.get_by_role("button", name="Pictures").click()
    wait_until_first(page, "winter-night.jpg")
    expect(page.locator('.tile[aria-posinset="1"]')).to_be_in_viewport()
    page.locator(".tile").nth(5).wait_for()
    page.unroute_all()


def test_place_is_kept_when_a_question_is_asked_again(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport={"width": 500, "height": 400})
    search_for(page, "a house")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator('.tile[aria-setsize="100"]').first).to_be_attached()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator('[aria-posinset="100"] .shot').focus()
    before = page.evaluate("scrollY")
    page.evaluate(
        """async () => {
          const grid = await import("/static/js/grid/grid.js");
          const hits = grid.shown();
          grid.show(hits.slice(0, 60), { keep: true });
          if (document.activeElement.closest(".tile") === null) throw new Error("the focus is lost");
          grid.append(hits.slice(60));
        }"""
    )
    expect(page.locator('[aria-posinset="100"]')).to_be_in_viewport()
    page.wait_for_function("before => scrollY === before", arg=before)


def test_range_does_not_start_in_an_earlier_list(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field")
    page.locator('.tile[aria-posinset="6"] input').check(force=True)
    search_for(page, "a snowman")
    page.locator('.tile[aria-posinset="2"] input').click(modifiers=["Shift"], force=True)
    expect(page.get_by_role("region", name="Selection")).to_contain_text("2 selected")


def test_all_of_an_album_are_selected_not_only_the_first_page(workshop: str, open_page: OpenPage) -> None:
    page = open_page(workshop)
    later: list[Route] = []

    def first_page(route: Route) -> None:
        if "k=60" not in route.request.url:
            route.continue_()
        elif "cursor" in route.request.url:
            later.append(route)  # never answered
        else:
            route.continue_(url=route.request.url.replace("k=60", "k=2"))

    page.route("**/api/v1/pictures?**", first_page)
    page.evaluate(
        """async () => {
          const { api } = await import("/static/js/api.js");
          const { openByName } = await import("/static/js/albums/opened.js");
          const { hits } = await api.search({ query: "", parts: [], k: 60 });
          await api.makeAlbum("Snow", hits.map((hit) => hit.id));
          openByName("Snow");
        }"""
    )
    expect(page.locator(".tile")).to_have_count(2)
    page.locator('.tile[aria-posinset="1"] input').check(force=True)
    bar = page.get_by_role("region", name="Selection")
    bar.get_by_role("button", name="Select all").click()
    expect(bar).to_contain_text("5 selected")
    page.unroute_all()
