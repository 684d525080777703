"""Time until the page shows an answer in a real browser: `python -m benchmarks.page --help`.

Questions are typed, a key after another, into the page of a `sightline serve` that is a process of its own. The clock
starts with the last key. It stops when the answer to the whole question stands on the screen (`answer`), and when every
picture on the screen has been drawn (`pictures`).
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.changing import QUERIES
from benchmarks.serving import serving
from encoders import registry
from indexer import index
from store import Library

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
SIZE: ViewportSize = {"width": 1280, "height": 800}

CLOCK = """
let pressed = 0;
addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
const near = (image) => {
  const { top, bottom } = image.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};
window.took = new Promise(() => {});
window.clock = (words) => {
  window.took = new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      const mark = list.getEntriesByName("sightline.shown").find((each) => each.detail === words);
      if (!mark) return;
      observer.disconnect();
      const look = () => {
        const images = [...document.querySelectorAll(".shot img")].filter(near);
        if (!images.every((image) => image.complete && image.naturalWidth)) return requestAnimationFrame(look);
        resolve({ answer: mark.startTime - pressed, pictures: performance.now() - pressed, images: images.length });
      };
      requestAnimationFrame(look);
    });
    observer.observe({ type: "mark" });
  });
};
"""


@dataclass(frozen=True)
class Row:
    """Milliseconds from the last key press, for one state of the caches."""

    caches: str
    questions: int
    pictures_on_screen: int
    answer_p50: float
    answer_p95: float
    pictures_p50: float
    pictures_p95: float


def typed(page: Page, words: str, pause: int) -> dict[str, float]:
    """Type a query with `pause` milliseconds between keys, and return the measurement."""
    page.locator("#words").fill("")
    page.evaluate("() => new Promise((done) => setTimeout(done, 400))")
    page.evaluate("(words) => window.clock(words)", words)
    page.locator("#words").press_sequentially(words, delay=pause)
    measured: dict[str, float] = page.evaluate("() => window.took")
    return measured


def measured(caches: str, page: Page, rounds: int, pause: int) -> Row:
    """Measure every query several times."""
    taken = [typed(page, words, pause) for _ in range(rounds) for words in QUERIES]
    answer, pictures = (np.array([each[name] for each in taken]) for name in ("answer", "pictures"))
    shown = round(float(np.median([each["images"] for each in taken])))
    spread = [float(value) for times in (answer, pictures) for value in np.percentile(times, [50, 95])]
    return Row(caches, len(taken), shown, *spread)


def opened(browser: Browser, port: int) -> Page:
    """Open the page in a browser with an empty cache."""
    context = browser.new_context(viewport=SIZE)
    context.add_init_script(CLOCK)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    page.locator(".tile").first.wait_for()
    return page


def rows(port: int, rounds: int, pause: int) -> list[Row]:
    """Measure with thumbnails in the server's cache, then with those in the browser's cache as well."""
    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        measured("", opened(browser, port), 1, 0)  # the server creates its thumbnails and loads the model
        fresh = [measured("server", opened(browser, port), 1, pause) for _ in range(rounds)]
        again = opened(browser, port)
        measured("", again, 1, 0)
        table = [merged(fresh), measured("server and browser", again, rounds, pause)]
        browser.close()
    return table


def merged(several: list[Row]) -> Row:
    """Combine rows of the same kind: medians of medians, and the maximum of other numbers."""
    return Row(
        several[0].caches,
        sum(each.questions for each in several),
        several[0].pictures_on_screen,
        float(np.median([each.answer_p50 for each in several])),
        max(each.answer_p95 for each in several),
        float(np.median([each.pictures_p50 for each in several])),
        max(each.pictures_p95 for each in several),
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--folder", type=Path, help="pictures to index into a temporary library first")
    parser.add_argument("--library", type=Path, help="an indexed library instead of a folder; it is only read")
    parser.add_argument("--rounds", type=int, default=3, help="number of runs of each query")
    parser.add_argument("--pause", type=int, default=80, help="milliseconds between two keys")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.library or Path(folder) / "library"
        if options.library is None:
            with Library.open(path, create=True) as library:
                index(library, options.folder, registry.load(registry.DEFAULT_MODEL))
        with serving(path, Path(folder), 8) as (_, port):
            table = rows(port, options.rounds, options.pause)
    if options.json:
        print(json.dumps([asdict(row) for row in table]))
        return
    print("| caches | queries | on the screen | answer p50 | p95 | pictures p50 | p95 |")
    print("|---|---|---|---|---|---|---|")
    for row in table:
        times = [row.answer_p50, row.answer_p95, row.pictures_p50, row.pictures_p95]
        shown = " | ".join(f"{each:.0f}" for each in times)
        print(f"| {row.caches} | {row.questions} | {row.pictures_on_screen} | {shown} |")


if __name__ == "__main__":
    main()
