"""Times of exact search by library size: `python -m benchmarks.search --help`.

Random unit vectors: exact search reads every one, so that what they show makes no difference.
"""

import argparse
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.flat_index import FlatIndex
from store.spaces.index_cache import check_file

CHUNK = 50_000
QUERIES = 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], metavar="N")
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    faiss.omp_set_num_threads(options.threads)
    print(
        f"float16, {options.dim} dimensions, {options.threads} threads, load {os.getloadavg()[0]:.1f}; milliseconds\n"
    )
    print("| vectors | MB | query p50 | p95 | among 1 % p50 | p95 | checksum | open | first query |")
    print("|---" * 9 + "|")
    for size in options.sizes:
        print(_row(size, options.dim), flush=True)


def _row(size: int, dim: int) -> str:
    rng = np.random.default_rng(0)
    queries = _unit(rng.standard_normal((QUERIES, dim), dtype=np.float32))  # (Q, D)
    few = np.sort(rng.choice(size, max(1, size // 100), replace=False)).astype(np.int64)
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as folder:
        file = Path(folder) / "index.faiss"
        checksum = _publish(file, size, dim, rng)
        check = _time(lambda: check_file(file, size, checksum))
        started = perf_counter()
        index = FlatIndex.read(file, mapped=True)
        opened = 1000 * (perf_counter() - started)
        first = _time(lambda: index.search(queries[:1], 10))
        everything, restricted = _percentiles(index, queries, None), _percentiles(index, queries, few)
        megabytes = file.stat().st_size / 1e6
    times = (*everything, *restricted, check, opened, first)
    return f"| {size:,} | {megabytes:,.0f} | " + " | ".join(f"{milliseconds:.1f}" for milliseconds in times) + " |"


def _publish(file: Path, size: int, dim: int, rng: np.random.Generator) -> bytes:
    """Write an index of `size` vectors to `file`, and return its SHA-256."""
    index = FlatIndex(dim)
    for ids in _chunks(size):
        index.add(ids, _unit(rng.standard_normal((len(ids), dim), dtype=np.float32)))
    index.write(file)
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _chunks(size: int) -> Iterator[Ids]:
    for start in range(0, size, CHUNK):
        yield np.arange(start, min(start + CHUNK, size), dtype=np.int64)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _percentiles(index: FlatIndex, queries: NDArray[np.float32], among: Ids | None) -> tuple[float, float]:
    """Return the median and 95th percentile of single queries for the best ten, in milliseconds."""
    index.search(queries[:1], 10, among)
    times = [_time(lambda query=query: index.search(query[None], 10, among)) for query in queries]  # type: ignore[misc]
    return float(np.percentile(times, 50)), float(np.percentile(times, 95))


def _time(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return 1000 * (perf_counter() - started)


if __name__ == "__main__":
    main()
