"""The search for near-duplicates among many hashes: `python -m benchmarks.near_duplicates --help`.

Hashes are generated: unrelated ones, bursts whose pictures differ in a tenth to a quarter of the bits, and pages of few
layouts. Anchors are never nearer to each other than 24 bits, so that equal pictures count once. A block of pictures is
compared with all anchors and with tables (`store.near_duplicates.hash_bands`), and the pairs that both find must be the
same. What is printed is processor time, which other processes hardly change.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial
from time import process_time

import numpy as np
from numpy.typing import NDArray

from store.near_duplicates.anchor_index import AnchorIndex, NearAnchors
from store.near_duplicates.grouper import BLOCK_SIZE, DuplicateThresholds

PART = 100_000
LAYOUTS = 300
PAGES, BURSTS = 0.03, 0.05
"""Shares of pages and of pictures in bursts."""


def generate(number: int, seed: int) -> NDArray[np.uint8]:
    """Return hashes (number, 32). Layouts do not depend on the seed."""
    layouts = np.random.default_rng(0).integers(0, 2, (LAYOUTS, 256), np.uint8)
    rng, parts = np.random.default_rng(seed), list[NDArray[np.uint8]]()
    for start in range(0, number, PART):
        size = min(PART, number - start)
        bits = rng.integers(0, 2, (size, 256), np.uint8)
        page = np.flatnonzero(rng.random(size) < PAGES)
        chosen = np.minimum(rng.zipf(1.5, len(page)) - 1, LAYOUTS - 1)
        bits[page] = layouts[chosen] ^ (rng.random((len(page), 256)) < rng.uniform(0.06, 0.2, (len(page), 1)))
        burst = np.flatnonzero(rng.random(size - 1) < BURSTS) + 1
        bits[burst] = bits[burst - 1] ^ (rng.random((len(burst), 256)) < rng.uniform(0.1, 0.25, (len(burst), 1)))
        parts.append(np.packbits(bits, axis=1))
    return np.concatenate(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a Markdown table."""
    import faiss

    parser = argparse.ArgumentParser(prog="python -m benchmarks.near_duplicates", description=__doc__.split("\n")[0])
    parser.add_argument("anchors", type=int, nargs="+", metavar="N", help="numbers of anchors")
    options = parser.parse_args(arguments)
    faiss.omp_set_num_threads(1)
    reach = DuplicateThresholds().max_bits
    print(f"Blocks of {BLOCK_SIZE} pictures, {reach} bits, one thread; load {os.getloadavg()[0]:.1f}\n")
    print("| anchors | compared with all, s | tables, s | making tables, s | pairs |")
    print("|---|---|---|---|---|")
    hashes = generate(max(options.anchors), 1)
    for number in options.anchors:
        asked = np.concatenate([generate(BLOCK_SIZE - 16, 2), hashes[:number][:: max(number // 16, 1)][:16]])
        every, tables = AnchorIndex(32), AnchorIndex(32, reach, searches=10**9)
        every.add(hashes[:number])
        tables.add(hashes[:number])
        making, _ = _timed(partial(tables.within, asked[:1], reach))
        every.within(asked[:64], reach)  # the number of pairs of each picture is known then
        comparing, found = _timed(partial(every.within, asked, reach))
        looking_up, others = _timed(partial(tables.within, asked, reach))
        if _pairs(found) != _pairs(others):
            raise SystemExit("The pairs differ.")
        print(f"| {number:,} | {comparing:.2f} | {looking_up:.2f} | {making:.1f} | {len(found.rows)} |", flush=True)


def _timed(run: Callable[[], NearAnchors]) -> tuple[float, NearAnchors]:
    """Return the processor time of a call, and its result."""
    started = process_time()
    result = run()
    return process_time() - started, result


def _pairs(found: NearAnchors) -> list[tuple[int, ...]]:
    return sorted(zip(*(each.tolist() for each in found), strict=True))


if __name__ == "__main__":
    main()
