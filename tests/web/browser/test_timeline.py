"""The pictures by date: headings, the scale, parts that load when they are needed, and what is kept."""

import re
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import PHONE, OpenPage, bounding_box, search_for, wait_for_value

DAYS = 7_300
PER_DAY = 14
MANY = DAYS * PER_DAY
LAST = date(2024, 12, 31)

MEASURED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const height = document.documentElement.scrollHeight;
  let tiles = 0;
  let nodes = 0;
  for (let step = 0; step <= 20; step += 1) {
    scrollTo(0, (height * step) / 20);
    await frame();
    await frame();
    tiles = Math.max(tiles, document.querySelectorAll(".tile").length);
    nodes = Math.max(nodes, document.querySelectorAll("#grid *").length);
  }
  return { tiles, nodes, height };
}"""


def days_of(page: Page) -> list[dict[str, Any]]:
    found: dict[str, Any] = page.evaluate("async () => (await fetch('/api/v1/timeline')).json()")
    return list(found["days"])


def large(route: Route) -> None:
    """Return the timeline of a library of very many pictures, as many on each day of twenty years."""
    dates = [str(LAST - timedelta(days=number)) for number in range(DAYS)]
    if "/pictures" not in route.request.url:
        days = [{"day": day, "count": PER_DAY} for day in dates]
        route.fulfill(json={"count": MANY, "days": days, "shapes": "M" * MANY})
        return
    query = {key: values[0] for key, values in parse_qs(urlsplit(route.request.url).query).items()}
    start = (LAST - date.fromisoformat(query["day"])).days * PER_DAY + int(query["offset"])
    pictures = [
        {
            "id": 1 + number % 100,
            "name": f"{number}.jpg",
            "width": 4,
            "height": 3,
            "stack": 1,
            "frame": None,
            "color": "#aa5522",
            "taken_at": f"{dates[number // PER_DAY]}T12:00:00",
        }
        for number in range(start, start + int(query["k"]))
    ]
    route.fulfill(json={"pictures": pictures})


def show_large(page: Page) -> None:
    """Have the page count again, and get the large library."""
    page.route("**/api/v1/timeline**", large)
    page.get_by_role("group", name="Year").get_by_label("2024").check()
    expect(page.locator(f'.tile[aria-setsize="{MANY}"]').first).to_be_attached()


def test_months_and_days_have_headings_in_order(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    days = days_of(page)
    months = [month for month, _ in groupby(days, key=lambda each: each["day"] and each["day"][:7])]
    written = page.evaluate(
        """(months) => months.map((month) => new Intl.DateTimeFormat("en", { month: "long", year: "numeric",
          timeZone: "UTC" }).format(new Date(`${month}-01T00:00:00Z`)))""",
        months,
    )
    expect(page.locator(".month h2").first).to_have_text(written[0])
    tiles = page.locator(".month").first.locator(".tile")
    expect(tiles).to_have_count(sum(each["count"] for each in days if each["day"][:7] == months[0]))
    shown = page.locator(".month h2").all_inner_texts()
    assert shown == written[: len(shown)]
    expect(page.locator(".tile").first).to_have_attribute("aria-setsize", "100")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator('[aria-posinset="100"]')).to_be_in_viewport()
    expect(page.locator(".month h2").last).to_have_text(written[-1])
    places = page.locator(".tile").evaluate_all("(all) => all.map((tile) => Number(tile.ariaPosInSet))")
    assert places == sorted(places)  # in order for screen readers
    assert len(places) < 90


def test_headings_stay_in_view(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport={"width": 700, "height": 500})
    first = page.locator(".month h2").first
    name = first.inner_text()
    month = bounding_box(page.locator(".month").first)
    page.evaluate("(y) => scrollTo(0, y)", month["y"] + month["height"] / 2 - 100)
    expect(page.locator(".month h2", has_text=name)).to_be_in_viewport()
    bar = bounding_box(page.locator(".bar"))
    assert abs(bounding_box(page.locator(".month h2", has_text=name))["y"] - bar["y"] - bar["height"]) < 3


def test_scale_moves_through_months_and_years_by_keyboard(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    scale = page.get_by_role("slider", name="Timeline")
    scale.focus()
    page.locator(".month h2").nth(1).wait_for(state="attached")
    newest = page.locator(".month h2").all_inner_texts()
    expect(scale).to_have_attribute("aria-valuetext", newest[0])
    page.keyboard.press("ArrowDown")
    expect(scale).to_have_attribute("aria-valuetext", newest[1])
    page.keyboard.press("ArrowUp")
    expect(scale).to_have_attribute("aria-valuetext", newest[0])
    year = int(newest[0].split()[-1])
    page.keyboard.press("PageDown")
    expect(scale).to_have_attribute(
        "aria-valuetext", page.locator(".month h2", has_text=str(year - 1)).first.inner_text()
    )
    page.keyboard.press("PageDown")
    expect(scale).to_have_attribute("aria-valuetext", re.compile(str(year - 2)))
    page.keyboard.press("End")
    expect(page.locator('[aria-posinset="100"]')).to_be_in_viewport()
    page.keyboard.press("Home")
    page.wait_for_function("() => scrollY === 0")


def test_dragging_shows_the_date_under_the_pointer(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    box = bounding_box(page.locator("#scrubber"))
    years = page.locator(".year-mark").all_inner_texts()
    assert years == sorted(years, reverse=True)
    assert len(years) >= 5
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] / 2, steps=4)
    label = page.locator("#scrubber .at")
    expect(label).to_be_visible()
    dragged = label.inner_text()
    page.mouse.up()
    expect(page.locator(".month h2", has_text=dragged)).to_be_attached()
    share = "scrollY / (document.documentElement.scrollHeight - innerHeight)"
    page.wait_for_function(f"() => {share} > 0.45 && {share} < 0.55")


def test_many_pictures_stay_few_elements(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "timeline/pictures" in request.url else None)
    show_large(page)
    expect(page.locator("#summary")).to_contain_text("102,200 pictures, newest first")
    measured: dict[str, Any] = page.evaluate(MEASURED)
    assert measured["height"] > 1_000_000
    assert measured["tiles"] < 150
    assert measured["nodes"] < 2_000
    assert len(asked) < 300  # not every part that was scrolled over
    expect(page.locator(".tile:not(.coming)").first).to_be_attached()
    colour = page.locator(".tile:not(.coming) .shot").first.evaluate("(shot) => getComputedStyle(shot).backgroundColor")
    assert colour == "rgb(170, 85, 34)"
    page.unroute_all()


def test_viewer_steps_beyond_what_is_loaded(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    show_large(page)
    page.locator('.tile[aria-posinset="1"] .shot').focus()
    page.keyboard.press("End")
    last = page.locator(".tile:focus-within")
    expect(last).to_have_attribute("aria-posinset", str(MANY))
    page.evaluate(
        """async () => {
          const { items } = await import("/static/js/grid/grid.js");
          if (items.at(50_000)) throw new Error("it was loaded before");
          if (!(await items.load(50_000)).taken_at) throw new Error("it was not loaded");
        }"""
    )
    page.unroute_all()


def test_position_is_kept_by_the_viewer_and_by_other_views(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.evaluate("scrollTo(0, 1500)")
    number = page.wait_for_function(
        """() => [...document.querySelectorAll(".tile")]
          .find((tile) => tile.getBoundingClientRect().top > innerHeight / 3)?.ariaPosInSet"""
    ).json_value()
    tile = page.locator(f'.tile[aria-posinset="{number}"]:not(.coming)')
    expect(tile).to_be_in_viewport()
    before = page.evaluate("scrollY")
    tile.locator(".shot").click()
    expect(page.locator("#viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    page.wait_for_function("before => scrollY === before", arg=before)
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Library").click()
    expect(page.locator("#results")).to_be_hidden()
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Pictures").click()
    expect(page.locator("#results")).to_be_visible()
    page.wait_for_function("before => scrollY === before", arg=before)
    expect(page.locator(".tile").first).to_be_attached()


def test_filters_in_the_search_box_show_days_too(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "year:2023")
    expect(page.locator("#summary")).to_have_text("16 pictures, newest first")
    expect(page.locator(".month h2").first).to_contain_text("2023")
    search_for(page, "a snowman")
    expect(page.locator(".month")).to_have_count(0)
    expect(page.locator("#scrubber")).to_be_hidden()


def test_range_is_selected_across_days(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.locator('.tile[aria-posinset="1"] input').check(force=True)
    page.locator('.tile[aria-posinset="7"] input').click(modifiers=["Shift"], force=True)
    expect(page.get_by_role("region", name="Selection")).to_contain_text("7 selected")
    expect(page.locator(".tile.selected")).to_have_count(7)


def is_square(tile: Locator) -> bool:
    box = bounding_box(tile)
    return abs(box["width"] - box["height"]) <= 1


def test_shape_and_size_are_chosen_and_remembered(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search_for(page, "a tractor on a field")
    first = page.locator('.tile[aria-posinset="1"]')
    box = bounding_box(first)
    assert abs(box["width"] / box["height"] - 4 / 3) < 0.02
    page.get_by_role("button", name="How pictures are arranged").click()
    page.get_by_label("Squares").check()
    wait_for_value(page, lambda: is_square(first), True)
    square = bounding_box(first)
    page.get_by_label("Large").check()
    wait_for_value(page, lambda: bounding_box(first)["width"] > 1.2 * square["width"], True)
    page.keyboard.press("Escape")
    expect(page.get_by_label("Squares")).to_be_hidden()
    page.reload()
    wait_for_value(page, lambda: is_square(first), True)


def test_timeline_in_arabic_and_on_a_phone(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, language="ar")
    scale, first = bounding_box(page.locator("#scrubber")), bounding_box(page.locator(".tile").first)
    assert scale["x"] < 40 < first["x"]
    days = [bounding_box(page.locator(".day").nth(number)) for number in (0, 1)]
    assert days[0]["y"] != days[1]["y"] or days[0]["x"] > days[1]["x"]
    phone = open_page(gallery, viewport=PHONE, has_touch=True, is_mobile=True)
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    phone.evaluate("scrollTo(0, 900)")
    thumb = phone.locator("#scrubber .thumb")
    box = bounding_box(thumb)
    assert min(box["width"], box["height"]) >= 44
    expect(phone.locator("#scrubber")).to_have_class("scrubber moved")


def test_grid_does_not_jump_while_the_page_loads(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.add_init_script(
        """window.jumps = [];
        new PerformanceObserver((list) => {
          for (const { value, hadRecentInput, sources } of list.getEntries()) {
            const named = sources.map(({ node }) => node?.id || node?.className);
            if (!hadRecentInput) window.jumps.push([value, named]);
          }
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    page.reload()
    page.locator(".tile:not(.coming) img").first.wait_for()
    page.wait_for_timeout(500)
    jumps = page.evaluate("jumps")
    assert sum(value for value, _ in jumps) < 0.01, jumps


def test_scale_covers_no_button_of_a_phone_until_the_page_is_scrolled(gallery: str, open_page: OpenPage) -> None:
    page = open_page(gallery, viewport=PHONE)
    page.locator('[aria-posinset="1"]').wait_for()
    scale = page.locator("#scrubber")
    assert "moved" not in (scale.get_attribute("class") or "")
    page.mouse.wheel(0, 300)
    expect(scale).to_have_class(re.compile("moved"))
