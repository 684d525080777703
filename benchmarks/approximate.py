"""Times and recall of an approximate index of generated vectors: `python -m benchmarks.approximate N DIM FOLDER`.

The vectors are a mixture of themes and clusters of Zipf sizes in a common cone, with bursts of nearly equal pictures.
Text queries have a direction of their own that no picture has. Uniform noise would have no neighbours to find.
"""

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from store.spaces import approximation
from store.spaces.flat_file import write_flat_file
from store.spaces.flat_index import FlatIndex
from store.spaces.inverted_lists import InvertedLists
from store.spaces.layer_files import prefetch_of
from store.spaces.layered_index import LayeredIndex
from store.spaces.recall import measure_recall, text_like

BLOCK = 50_000
THEMES, CLUSTERS = 300, 9_000


class Mixture:
    """Generates vectors of `dim` dimensions."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._rng = np.random.default_rng(0)
        self._scale = (1 / np.sqrt(np.arange(1, dim + 1))).astype(np.float32)
        self._turn = np.linalg.qr(self._rng.normal(size=(dim, dim)))[0].astype(np.float32)
        cone = self._rng.normal(size=dim).astype(np.float32)
        self._cone = 1.1 * cone / np.linalg.norm(cone)
        themes = self._normal(THEMES)
        self._parent = self._rng.integers(0, THEMES, CLUSTERS)
        self._centres = themes[self._parent] + 0.7 * self._normal(CLUSTERS)
        weights = 1 / np.arange(1, CLUSTERS + 1) ** 0.8
        self._weights = weights / weights.sum()
        self._length = np.linalg.norm(themes, axis=1).mean()

    def block(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """Return vectors (n, D) and the theme (n,) of each."""
        cluster = self._rng.choice(CLUSTERS, number, p=self._weights)
        vectors = self._centres[cluster] + 0.6 * self._normal(number)
        burst = np.flatnonzero(self._rng.random(number - 1) < 0.03) + 1
        vectors[burst] = vectors[burst - 1] + 0.02 * self._normal(len(burst))
        vectors = vectors / self._length @ self._turn + self._cone
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float16), self._parent[cluster]

    def _normal(self, number: int) -> NDArray[np.float32]:
        return self._rng.standard_normal((number, len(self._scale)), dtype=np.float32) * self._scale


def main(number: int, dim: int, folder: Path) -> None:
    """Build an index in `folder`, and print what was measured as JSON."""
    import faiss

    mixture = Mixture(dim)
    index, themes, facts = _built(mixture, number, folder)
    pictures = mixture.block(200)[0].astype(np.float32)
    texts = text_like(mixture.block(1000)[0].astype(np.float32), np.random.default_rng(1))[:200]
    started = perf_counter()
    index.probes, recall = measure_recall(index, np.empty((0, dim), np.float32))
    facts |= {"measure_s": perf_counter() - started, "probes": index.probes, "measured": vars(recall)}
    for name, queries in (("text", texts), ("pictures", pictures)):
        best = index.exact.search(queries, 10).ids
        for probes in (16, 32, 64, 128, 256):
            index.probes = probes
            facts[f"{name}_{probes}"] = _timed(index, queries, best)
        facts[f"{name}_exact_ms"] = _milliseconds(lambda query: index.exact.search(query[None], 10), queries[:40])
    index.probes = 64
    facts |= _filtered(index, themes, texts[:40])
    started = perf_counter()
    index.remove(np.arange(0, number, max(1, number // 1000)))
    facts["remove_1000_s"] = perf_counter() - started
    facts["after_removal_ms"] = _milliseconds(lambda query: index.search(query[None], 10), texts[:40])
    facts["max_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    facts["faiss"] = faiss.__version__
    print(json.dumps(facts, indent=1))


def _built(mixture: Mixture, number: int, folder: Path) -> tuple[LayeredIndex, NDArray[np.int64], dict[str, object]]:
    """Return an index of generated vectors, the theme (N,) of each, and the times of building and opening it."""
    folder.mkdir(parents=True, exist_ok=True)
    base_path, lists_path, themes = folder / "base.faiss", folder / "base.lists", list[NDArray[np.int64]]()

    def parts() -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        for start in range(0, number, BLOCK):
            vectors, theme = mixture.block(min(BLOCK, number - start))
            themes.append(theme)
            yield np.arange(start, start + len(vectors)), vectors

    write_flat_file(base_path, mixture.dim, "float16", parts())
    base, started = FlatIndex.read(base_path, mapped=True), perf_counter()
    (lists,) = approximation._attempts(base, None)
    facts: dict[str, object] = {"train_s": perf_counter() - started}
    approximation._encode(base, lists.lists, lambda: None)
    facts["build_s"] = perf_counter() - started
    lists.lists.write(lists_path)
    facts |= {"lists": lists.lists.lists, "lists_bytes": lists_path.stat().st_size}
    started = perf_counter()
    base, opened = FlatIndex.read(base_path, mapped=True), InvertedLists.read(lists_path)
    added, prefetch = FlatIndex(mixture.dim), prefetch_of(base_path, base)
    index = LayeredIndex(base, added, np.empty(0, np.int64), opened, 16, prefetch)
    index.search(base.vectors(0, 1), 10)
    facts["open_and_first_search_s"] = perf_counter() - started
    return index, np.concatenate(themes), facts


def _filtered(index: LayeredIndex, themes: NDArray[np.int64], queries: NDArray[np.float32]) -> dict[str, object]:
    """Return the times of searches among random parts of the vectors, and among those of a theme of medium size."""
    rng, facts = np.random.default_rng(2), dict[str, object]()
    sizes = np.bincount(themes)
    together = np.flatnonzero(themes == sizes.argsort()[len(sizes) // 2])
    parts = {
        str(share): np.sort(rng.choice(len(themes), int(share * len(themes)), False)) for share in (0.01, 0.1, 0.5)
    }
    for name, kept in {**parts, f"theme of {len(together)}": together}.items():
        times = _milliseconds(lambda query, kept=kept: index.search(query[None], 10, kept), queries)
        facts[f"filter {name} ms"] = times
    return facts


def _timed(index: LayeredIndex, queries: NDArray[np.float32], best: NDArray[np.int64]) -> dict[str, float]:
    found = np.concatenate([index.search(query[None], 10).ids for query in queries])
    recall = np.mean([len(np.intersect1d(one, other)) / 10 for one, other in zip(found, best, strict=True)])
    return {"recall": float(recall), "ms": _milliseconds(lambda query: index.search(query[None], 10), queries)}


def _milliseconds(run: object, queries: NDArray[np.float32]) -> float:
    """Return the median time of `run` for each query."""
    times = []
    for query in queries:
        started = perf_counter()
        run(query)  # type: ignore[operator]
        times.append(1000 * (perf_counter() - started))
    return round(float(np.median(times)), 2)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
