"""Query times in a library of a million pictures: `python -m benchmarks.asking --help`.

The catalogue is generated: contents with cameras, dates and folders, and random unit vectors in the space of the
built-in model. What is timed is `Searcher.search`, warm, with words that it was not asked before.
"""

import argparse
import hashlib
import os
import resource
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert

from benchmarks.generated import ensure_library
from encoders import registry
from search import Filters, Searcher, SearchOptions
from search.filters import field_condition
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.registry import StoredSpace, activate, register

CHUNK = 20_000
CAMERAS = 100
"""Cameras; each took one picture in a hundred."""
START = datetime(2015, 1, 1)  # noqa: DTZ001 (cameras have no time zone)
QUESTIONS = 40


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.asking", description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--library", type=Path, help="folder of the generated library, which is reused")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as folder:
        path = options.library or Path(folder) / "library"
        ensure_library(path, lambda library: generate(library, options.pictures))
        with Library.open(path) as library:
            _report(library)


def generate(library: Library, pictures: int, vectors: Callable[[int], NDArray[np.floating]] | None = None) -> None:
    """Fill `library` with generated contents; `vectors` returns the next (n, 256) unit vectors, random by default."""
    rng = np.random.default_rng(0)
    space = registry.load("mini").space
    with library.transaction() as connection:
        stored = register(connection, space)
        activate(connection, stored)
        root = insert(Root).values(path=b"/pictures", added_at=START).returning(Root.id)
        folder = int(connection.execute(root).scalar_one())
    for start in range(0, pictures, CHUNK):
        numbers = range(start, min(start + CHUNK, pictures))
        block = _random(rng, len(numbers), space.dim) if vectors is None else vectors(len(numbers))
        _generate(library, stored, folder, numbers, block)
    with library.transaction() as connection:
        mark_changed(connection)
    index_cache.publish(library, stored)


def _random(rng: np.random.Generator, number: int, dim: int) -> NDArray[np.float32]:
    vectors = rng.standard_normal((number, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _generate(library: Library, stored: StoredSpace, root: int, numbers: range, vectors: NDArray[np.floating]) -> None:
    contents = [
        {
            "id": number + 1,
            "digest": hashlib.sha256(b"%d" % number).digest(),
            "size": 3_000_000 + number,
            "format": "JPEG",
            "width": 4000,
            "height": 3000,
            "taken_at": START + timedelta(minutes=5 * number),
            "camera": f"Camera {number % CAMERAS:02}",
        }
        for number in numbers
    ]
    pictures = [
        {
            "root_id": root,
            "relpath": b"%04d/%07d.jpg" % (number // 1000, number),
            "size": 3_000_000 + number,
            "mtime_ns": number,
            "content_id": number + 1,
            "state": PictureState.PRESENT,
        }
        for number in numbers
    ]
    embeddings = [
        {"space_id": stored.id, "content_id": number + 1, "vector": stored.to_bytes(vector)}
        for number, vector in zip(numbers, vectors, strict=True)
    ]
    with library.transaction() as connection:
        connection.execute(insert(Content), contents)
        connection.execute(insert(Picture), pictures)
        connection.execute(insert(Embedding), embeddings)


def _report(library: Library) -> None:
    searcher = Searcher(library)
    print(f"{len(searcher):,} pictures, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; milliseconds\n")
    print("| query | p50 | p95 |")
    print("|---|---|---|")
    year = START + timedelta(minutes=5 * int(0.5 * len(searcher)))
    span = Filters(after=year, before=year + timedelta(minutes=5 * len(searcher) // 100))
    camera = Filters(where=field_condition("camera", "Camera 07"))
    folders = Filters(where=field_condition("path", "/pictures/000?/*"))
    asked: dict[str, Callable[[str], object]] = {
        "words": searcher.search,
        "words, a span of dates (1 %)": lambda text: searcher.search(text, SearchOptions(filters=span)),
        "words, a camera (1 %)": lambda text: searcher.search(text, SearchOptions(filters=camera)),
        "words, a pattern of paths (1 %)": lambda text: searcher.search(text, SearchOptions(filters=folders)),
        "words, 10 hits that differ": lambda text: searcher.search(text, SearchOptions(diverse=0.5)),
        "words, page 100": lambda text: _deep(searcher, text),
    }
    for name, ask in asked.items():
        ask(f"{name}, to warm up")
        times = [_time(partial(ask, f"{name} {number}")) for number in range(QUESTIONS)]
        print(f"| {name} | {np.percentile(times, 50):.1f} | {np.percentile(times, 95):.1f} |", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak resident set {peak:,.0f} MB, including mapped pages of the index")


def _deep(searcher: Searcher, text: str) -> None:
    """Return page 100 of ten hits each, after one page of 990."""
    following = searcher.search(text, k=990).next_cursor
    searcher.search(text, SearchOptions(cursor=following))


def _time(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return 1000 * (perf_counter() - started)


if __name__ == "__main__":
    main()
