"""Search times while a library changes its model and changes back: `python -m benchmarks.changing --help`.

Threads of this process search without a pause; `sightline models use` runs beside them, as a process of its own. Every
answer must be, to the last digit, that of one of the two spaces: both are asked again by name when all is over.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep
from typing import TypeAlias

import numpy as np

from benchmarks.photos import write_photos
from encoders import registry
from indexer import index
from search import Searcher
from store import Library

QUERIES = (
    "a dog in the snow",
    "two men talking",
    "a red car",
    "children on a beach",
    "a football match",
    "mountains",
    "a bicycle in the street",
    "a crowd at night",
)

Shown: TypeAlias = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Asked:
    """One search: its start, duration, query and answer."""

    began: float
    seconds: float
    query: str
    shown: Shown


@dataclass(frozen=True)
class Phase:
    """The searches in a period of time."""

    name: str
    seconds: float
    answers: dict[str, int]
    """Number of answers by model; `mixed` answers equal neither."""
    p50_ms: float
    p99_ms: float
    longest_ms: float
    gap_ms: float
    """The longest time in which no search ended."""


def shown(searcher: Searcher, query: str) -> Shown:
    """Return the ids and scores of the best ten."""
    return tuple((hit.id, round(hit.score, 5)) for hit in searcher.search(query))


@contextmanager
def searching(library: Library, threads: int) -> Iterator[list[Asked]]:
    """Search continuously in several threads; every answer is appended to the list."""
    searcher, enough, asked = Searcher(library), Event(), list[Asked]()
    shown(searcher, QUERIES[0])

    def ask(number: int) -> None:
        while not enough.is_set():
            query = QUERIES[number % len(QUERIES)]
            began = perf_counter()
            answer = shown(searcher, query)
            asked.append(Asked(began, perf_counter() - began, query, answer))
            number += 1

    pool = [Thread(target=ask, args=(number,), daemon=True) for number in range(threads)]
    for thread in pool:
        thread.start()
    try:
        yield asked
    finally:
        enough.set()
        for thread in pool:
            thread.join()


def use(library: Path, model: str) -> dict[str, object]:
    """Run `sightline models use MODEL`."""
    script = Path(sys.executable).parent / "sightline"
    command = [str(script), "--library", str(library), "models", "use", model, "--json"]
    done = subprocess.run(command, check=True, capture_output=True)
    facts: dict[str, object] = json.loads(done.stdout)
    return facts


def phase(name: str, asked: list[Asked], start: float, stop: float, spaces: dict[tuple[str, Shown], str]) -> Phase:
    """Return the searches that began between two times."""
    part = [one for one in asked if start <= one.began < stop]
    models = [spaces.get((one.query, one.shown), "mixed") for one in part]
    times = np.array([one.seconds for one in part]) * 1e3
    ends = np.sort([one.began + one.seconds for one in part])
    return Phase(
        name=name,
        seconds=stop - start,
        answers={model: models.count(model) for model in dict.fromkeys(models)},
        p50_ms=float(np.percentile(times, 50)),
        p99_ms=float(np.percentile(times, 99)),
        longest_ms=float(times.max()),
        gap_ms=float(np.diff(ends).max() * 1e3),
    )


def measure(
    folder: Path, place: Path, models: tuple[str, str], threads: int, calm: float
) -> tuple[list[Phase], object]:
    """Change the model and change it back."""
    first, second = models
    with Library.open(place, create=True) as library:
        index(library, [folder], registry.load(first))
        with searching(library, threads) as asked:
            marks, built = [perf_counter()], []
            sleep(calm)
            for model in (second, first):
                marks.append(perf_counter())
                built.append(use(place, model))
                marks.append(perf_counter())
                sleep(calm)
            marks.append(perf_counter())
        spaces = {
            (query, shown(Searcher(library, space=str(facts["fingerprint"])), query)): str(facts["model"])
            for facts in built
            for query in QUERIES
        }
    names = (f"in {first}", f"to {second}", f"in {second}", f"back to {first}", f"in {first} again")
    stretches = zip(names, marks, marks[1:], strict=False)
    return [phase(name, asked, start, stop, spaces) for name, start, stop in stretches], built


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changing", description=__doc__)
    parser.add_argument("--folder", type=Path, help="photos [default: 1,000 generated ones of 500x375]")
    parser.add_argument("--models", nargs=2, default=("mini", "fake"), metavar=("FROM", "TO"))
    parser.add_argument("--threads", type=int, default=1, help="number of searching threads [default: 1]")
    parser.add_argument("--calm", type=float, default=10.0, help="seconds before, between and after [default: 10]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        folder = options.folder or Path(base) / "photos"
        if options.folder is None:
            write_photos(folder, 1_000, (500, 375), 85)
        phases, built = measure(folder, Path(base) / "library", tuple(options.models), options.threads, options.calm)
    for one in phases:
        print(json.dumps(asdict(one)))
    print(json.dumps(built))
    if any("mixed" in one.answers for one in phases):
        sys.exit("some answers were of neither space")


if __name__ == "__main__":
    main()
