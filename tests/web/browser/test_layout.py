"""Where pictures are in the grid: rows computed by hand, and properties of rows of random shapes."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.browser import OpenPage

LAYOUT = "const { arrange, justify } = await import('/static/js/grid/layout.js');"

RANDOM = """
// A small generator with a fixed seed (mulberry32).
let state = 1;
const random = () => {
  state = (state + 0x6D2B79F5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};
const faults = [];
for (let turn = 0; turn < 300; turn += 1) {
  const width = 320 + Math.floor(random() * 1600);
  const target = 76 + Math.floor(random() * 150);
  const gap = Math.floor(random() * 10);
  const count = Math.floor(random() * 80);
  const ratios = Array.from({ length: count }, () => Math.exp(3 * (random() - 0.5)));
  const options = { ratio: (index) => ratios[index], width, gap, target };
  const rows = justify({ ...options, start: 0, count });
  let next = 0;
  rows.forEach(({ start, count: number, height }, row) => {
    if (start !== next || number < 1) faults.push(`order: turn ${turn}, row ${row}`);
    next = start + number;
    if (height < target / 1.6 || height > target * 1.6) faults.push(`height ${height} of ${target}: turn ${turn}`);
  });
  if (next !== count) faults.push(`count: turn ${turn}`);
  const found = arrange([{ start: 0, count, heading: 0 }], options);
  rows.forEach(({ start, count: number }, row) => {
    const places = Array.from({ length: number }, (_, i) => found.place(start + i));
    const end = places.at(-1).x + places.at(-1).width;
    if (row + 1 < rows.length && end !== width) faults.push(`width ${end} of ${width}: turn ${turn}`);
    if (end > width) faults.push(`too wide: turn ${turn}`);
    places.slice(1).forEach((place, i) => {
      if (place.x - places[i].x - places[i].width !== gap) faults.push(`gap: turn ${turn}`);
    });
  });
  const between = found.between(100, 700);
  for (let index = 0; index < count; index += 1) {
    const { y, height } = found.place(index);
    const isSeen = y < 700 && y + height > 100;
    if (isSeen && (index < between[0] || index >= between[1])) faults.push(`not found: turn ${turn}, ${index}`);
  }
}
return faults;
"""


@pytest.fixture
def page(gallery: str, open_page: OpenPage) -> Page:
    """The page, whose modules a test imports."""
    return open_page(gallery)


def run(page: Page, code: str, argument: object = None) -> Any:
    return page.evaluate(f"async (given) => {{ {LAYOUT} {code} }}", argument)


@pytest.mark.parametrize(
    ("ratios", "rows"),
    [
        ([1, 1, 1], [(3, 100)]),
        ([2, 2], [(2, 75)]),  # 75 with both, 150 with the first alone: 75 is nearer, as a factor
        ([1, 1, 1.5, 1], [(3, 300 / 3.5), (1, 100)]),  # the last row keeps the height
        ([2.4, 2.4, 0.5], [(1, 125), (2, 100)]),  # 62.5 with the second
        ([2.4, 0.5, 1.4], [(2, 300 / 2.9), (1, 100)]),  # 70 with the third, 103 without it
        ([9], [(1, 100)]),  # a panorama is cropped: at most 0.8 of the width
        ([], []),
    ],
)
def test_rows_end_where_their_height_is_nearest(page: Page, ratios: list[float], rows: list[tuple[int, float]]) -> None:
    code = "return justify({ start: 0, count: given.length, ratio: (i) => given[i], width: 300, gap: 0, target: 100 })"
    found = run(page, code, ratios)
    assert [row["count"] for row in found] == [number for number, _ in rows]
    assert [row["height"] for row in found] == pytest.approx([height for _, height in rows])


def test_random_rows_fill_the_width_in_order_within_bounds(page: Page) -> None:
    assert run(page, RANDOM) == []


DAYS = """
const may = { heading: 40 }, april = { heading: 40 };
const days = [
  { start: 0, count: 1, heading: 20, group: may },   // 100 wide
  { start: 1, count: 1, heading: 20, group: may },   // beside it
  { start: 2, count: 2, heading: 20, group: may },   // 210 wide: does not fit beside them
  { start: 4, count: 5, heading: 20, group: may },   // more than a row
  { start: 9, count: 1, heading: 20, group: april },
];
const options = { ratio: () => 1, width: 300, gap: 10, target: 100, beside: true, apart: 15, narrowest: 120 };
const found = arrange(days, options);
return {
  blocks: found.blocks.map(({ top, left, width, height }) => [top, left, width, height]),
  groups: found.groups.map(({ top, height }) => [top, height]),
  places: [0, 1, 2, 3, 4, 8, 9].map((index) => { const { x, y } = found.place(index); return [x, y]; }),
  height: found.height,
  steps: [found.vertical(1, 1), found.vertical(3, -1), found.vertical(0, -1), found.vertical(9, 1)],
};
"""


def test_days_that_fit_share_a_line(page: Page) -> None:
    found = run(page, DAYS)
    # Three squares of 100 and two gaps do not fit into 300: rows of two have a height of 145, of three 93.3.
    assert found["blocks"] == [
        [40, 0, 120, 120],
        [40, 135, 120, 120],
        [175, 0, 210, 120],
        [310, 0, 300, 20 + 93 + 10 + 100],
        [588, 0, 120, 120],
    ]
    assert found["groups"] == [[0, 548], [548, 175]]
    assert found["places"] == [[0, 60], [135, 60], [0, 195], [110, 195], [0, 330], [110, 433], [0, 608]]
    assert found["height"] == 723
    assert found["steps"] == [3, 1, None, None]
