"""The timeline of a library of 100,000 pictures: `python -m benchmarks.timeline --help`.

The catalogue is generated: contents of several shapes with dates in twenty years, and an average colour; there are no
files. What is timed is

- the queries of the server, in the same process: all days, the days of a filter, and the pictures from a day on,
- in Chromium, on a `sightline serve` that is a process of its own: the first paint, the first pictures, and the time
  from a jump to a year until its pictures are on the screen; the images of the tiles are one small picture,
- the memory of the tab after all years have been visited.
"""

import argparse
import base64
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from playwright.sync_api import Browser, Page, Route, sync_playwright
from sqlalchemy import insert

from benchmarks.generated import ensure_library
from benchmarks.page import BROWSERS, SIZE
from benchmarks.serving import serving
from search.filters import field_condition
from store import Library
from store.catalog.tables import Content, Picture, PictureState, Root
from store.filters.conditions import Condition
from store.library import mark_changed
from store.timeline import load_days, load_from_day

START = datetime(2005, 1, 1)  # noqa: DTZ001 (cameras have no time zone)
YEARS = 20
SHAPES = ((4000, 3000), (3000, 4000), (6000, 4000), (4000, 6000), (3000, 3000), (4000, 2250), (9000, 2000))
UNDATED = 50
"""One picture in as many has no date."""

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""

PAINTED = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const shown = performance.getEntriesByName("sightline.shown")[0];
  return [paint?.startTime ?? 0, shown?.startTime ?? 0];
}"""

JUMP = """async (share) => {
  const seen = () => [...document.querySelectorAll(".tile")].filter((tile) => {
    const { top, bottom } = tile.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  const started = performance.now();
  scrollTo(0, share * (document.documentElement.scrollHeight - innerHeight));
  const isLoaded = (tile) => !tile.classList.contains("coming") && tile.querySelector("img").complete;
  const isThere = () => seen().length && seen().every(isLoaded);
  do await new Promise(requestAnimationFrame); while (!isThere());
  return [performance.now() - started, seen().length];
}"""


def generate(library: Library, pictures: int) -> None:
    """Fill `library` with generated contents."""
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, YEARS * 365 * 86_400, pictures).tolist()
    shapes, colors = rng.integers(0, len(SHAPES), pictures).tolist(), rng.integers(0, 2**24, pictures).tolist()
    contents, files = [], []
    with library.exclusive(), library.transaction() as connection:
        added = insert(Root).values(path=b"/pictures", added_at=START).returning(Root.id)
        root = int(connection.execute(added).scalar_one())
        for number in range(pictures):
            width, height = SHAPES[shapes[number]]
            contents.append(
                {
                    "id": number + 1,
                    "digest": hashlib.sha256(b"%d" % number).digest(),
                    "size": 3_000_000 + number,
                    "format": "JPEG",
                    "width": width,
                    "height": height,
                    "taken_at": START + timedelta(seconds=seconds[number]) if number % UNDATED else None,
                    "camera": f"Camera {number % 20:02}",
                    "color": colors[number],
                }
            )
            files.append(
                {
                    "root_id": root,
                    "relpath": b"%04d/%07d.jpg" % (number // 1000, number),
                    "size": 3_000_000 + number,
                    "mtime_ns": number,
                    "content_id": number + 1,
                    "state": PictureState.PRESENT,
                }
            )
        connection.execute(insert(Content), contents)
        connection.execute(insert(Picture), files)
        mark_changed(connection)


def measure_queries(library: Library, rounds: int) -> None:
    """Time the queries in this process, and print a table."""
    in_2012: Condition = field_condition("year", "2012")
    queries: dict[str, Callable[[], object]] = {
        "all days": lambda: load_days(library, None),
        "days, a year": lambda: load_days(library, in_2012),
        "100 pictures from a day": lambda: load_from_day(library, None, date(2010, 5, 5), 0, 100),
        "100 pictures from a day, a year": lambda: load_from_day(library, in_2012, date(2012, 5, 5), 0, 100),
        "100 pictures without a date": lambda: load_from_day(library, None, None, 1000, 100),
    }
    print("| query | ms, p50 | ms, minimum | processor ms, p50 |")
    print("|---|---|---|---|")
    for name, run in queries.items():
        run()
        took = [_timed(run) for _ in range(rounds)]
        walls, busy = ([1000 * times[part] for times in took] for part in (0, 1))
        print(f"| {name} | {np.median(walls):.0f} | {min(walls):.0f} | {np.median(busy):.0f} |")


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, busy = perf_counter(), process_time()
    run()
    return perf_counter() - wall, process_time() - busy


def measure_page(port: int, rounds: int) -> None:
    """Time the page in Chromium, and print a table."""
    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        painted, shown, jumps = list[float](), list[float](), list[float]()
        for _ in range(rounds):
            page = _opened(browser, port)
            first, pictures = page.evaluate(PAINTED)
            painted.append(first)
            shown.append(pictures)
            for year in range(YEARS):
                took, _ = page.evaluate(JUMP, ((7 * year) % YEARS + 0.5) / YEARS)
                jumps.append(took)
            memory = _memory(browser, page)
            page.context.close()
        browser.close()
    print("\n| in the browser | p50 | p95 | maximum |")
    print("|---|---|---|---|")
    for name, times in (("first paint", painted), ("pictures listed", shown), ("jump to a year", jumps)):
        print(f"| {name}, ms | {np.median(times):.0f} | {np.percentile(times, 95):.0f} | {max(times):.0f} |")
    print(f"\nMemory of the tab after {YEARS} jumps: {json.dumps(memory)}")


def _opened(browser: Browser, port: int) -> Page:
    page = browser.new_context(viewport=SIZE).new_page()
    page.set_default_timeout(60_000)
    page.route("**/thumbnail?*", _send_pixel)
    page.goto(f"http://127.0.0.1:{port}/")
    page.locator(".tile:not(.coming)").first.wait_for()
    return page


def _send_pixel(route: Route) -> None:
    route.fulfill(status=200, content_type="image/png", body=PIXEL)


def _memory(browser: Browser, page: Page) -> dict[str, float]:
    """Return megabytes: the heap of the scripts, and what the process of the tab has for itself alone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    private = max(_private(each["id"]) for each in processes if each["type"] == "renderer")
    return {"scripts": round(heap / 2**20, 1), "private": round(private / 2**20, 1), "nodes": nodes}


def _private(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Private_"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print Markdown tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timeline", description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=100_000, metavar="N")
    parser.add_argument("--library", type=Path, help="folder of the generated library, which is reused")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as folder:
        path = options.library or Path(folder) / "library"
        ensure_library(path, lambda library: generate(library, options.pictures))
        print(f"{options.pictures:,} pictures, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        with Library.open(path) as library:
            measure_queries(library, 2 * options.rounds)
        with serving(path, Path(folder), 8) as (_, port):
            measure_page(port, options.rounds)


if __name__ == "__main__":
    main()
