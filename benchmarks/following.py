"""Time until a searcher has loaded a change of a large library: `python -m benchmarks.following --help`.

The catalogue is that of `benchmarks.asking`, with vectors of `benchmarks.approximate`. Pictures are added to it and
removed again, and after each change an index in memory is brought up to date.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from benchmarks.approximate import Mixture
from benchmarks.asking import START, generate
from benchmarks.generated import ensure_library
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.approximation import update_approximation
from store.spaces.registry import StoredSpace, active_space

ROUNDS = 7
MINI_DIM = 256


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.following", description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--changed", type=int, default=64, metavar="N", help="pictures of a change")
    parser.add_argument("--library", type=Path, help="folder of the generated library, which is reused")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as folder:
        path = options.library or Path(folder) / "library"
        mixture = Mixture(MINI_DIM)
        ensure_library(path, lambda library: generate(library, options.pictures, lambda n: mixture.block(n)[0]))
        with Library.open(path) as library:
            _report(library, options.changed)


def _report(library: Library, changed: int) -> None:
    stored = active_space(library)
    if stored is None:
        raise SystemExit("The library has no active space.")
    update_approximation(library, stored)
    current = index_cache.load(library, stored)
    print(f"{len(current.index):,} vectors in a {type(current.index).__name__}, load {os.getloadavg()[0]:.1f}")
    current.frames_of(np.empty(0, np.int64))
    for name, change in (("added", _add), ("removed", _remove)):
        used, passed = [], []
        for _ in range(ROUNDS):
            change(library, stored, changed)
            started, cpu = perf_counter(), process_time()
            current = index_cache.load(library, stored, current)
            current.frames_of(np.empty(0, np.int64))
            passed.append(1000 * (perf_counter() - started))
            used.append(1000 * (process_time() - cpu))
        print(f"{changed} {name}: {np.median(used):.1f} ms of processor time, {np.median(passed):.1f} ms")


def _add(library: Library, stored: StoredSpace, number: int) -> None:
    vectors = np.random.default_rng().standard_normal((number, stored.space.dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with library.transaction() as connection:
        root, last = connection.scalar(select(Root.id).limit(1)), _last(connection)
        ids = range(last + 1, last + 1 + number)
        facts = {"size": 1, "format": "JPEG", "width": 4000, "height": 3000, "taken_at": START}
        connection.execute(insert(Content), [{"id": each, "digest": b"%032d" % each, **facts} for each in ids])
        rows = zip(ids, vectors, strict=True)
        connection.execute(
            insert(Embedding),
            [{"space_id": stored.id, "content_id": each, "vector": stored.to_bytes(vector)} for each, vector in rows],
        )
        place = {"root_id": root, "size": 1, "mtime_ns": 1, "state": PictureState.PRESENT}
        pictures = [{**place, "relpath": b"added/%d.jpg" % each, "content_id": each} for each in ids]
        connection.execute(insert(Picture), pictures)
        mark_changed(connection)


def _remove(library: Library, stored: StoredSpace, number: int) -> None:
    with library.transaction() as connection:
        newest = Content.id > _last(connection) - number
        connection.execute(delete(Picture).where(Picture.content_id > _last(connection) - number))
        connection.execute(delete(Content).where(newest))
        mark_changed(connection, stored.id)


def _last(connection: Connection) -> int:
    return connection.scalar(select(func.max(Content.id))) or 0


if __name__ == "__main__":
    main()
