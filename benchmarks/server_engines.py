"""Times and recall of engines on servers: `python -m benchmarks.server_engines N LIBRARY ENGINE...`.

LIBRARY is a new folder, or one that an earlier run made. ENGINE is written as in `SIGHTLINE_INDEX_ENGINE`. The vectors
are those of `benchmarks.approximate`, with 256 dimensions. Each engine is measured with the index file of this machine,
and with the vectors in the catalogue only.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter, process_time
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from benchmarks.approximate import Mixture
from benchmarks.asking import generate
from store import Library
from store.catalog.id_sets import Ids
from store.spaces import index_cache
from store.spaces.embeddings import load_vectors
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.ranker import Ranker
from store.spaces.recall import text_like
from store.spaces.registry import StoredSpace, active_space
from store.spaces.server_engines.connections import EngineConnections
from store.spaces.server_engines.opening import chosen_address, open_engine
from store.spaces.server_engines.pgvector import PgvectorEngine
from store.spaces.server_engines.server_index import ServerIndex
from store.spaces.server_engines.updating import update_engine

DIM = 256
QUERIES = 200


def main(number: int, place: str, engines: list[str]) -> None:
    """Measure, and print what was measured as JSON."""
    mixture = Mixture(DIM)
    themes = list[NDArray[np.int64]]()

    def block(size: int) -> NDArray[np.float16]:
        vectors, theme = mixture.block(size)
        themes.append(theme)
        return vectors

    is_new = "://" in place or not Path(place).exists()
    with Library.open(place, create=True) as library:
        if is_new:
            generate(library, number, block)
        else:
            for start in range(0, number, 20_000):  # the same numbers again
                block(min(20_000, number - start))
        stored = active_space(library)
        assert stored is not None
        pictures = mixture.block(QUERIES)[0].astype(np.float32)
        texts = text_like(mixture.block(1000)[0].astype(np.float32), np.random.default_rng(1))[:QUERIES]
        os.environ[ENGINE_VARIABLE] = "flat"
        exact = index_cache.load(library, stored).index
        print(json.dumps({"vectors": len(exact), "read": _reading(library, stored, exact.ids())}), flush=True)
        for name in engines:
            os.environ[ENGINE_VARIABLE] = name
            shown = name.partition(":")[0]
            print(json.dumps({"engine": shown, **_built(library, stored)}), flush=True)
            for with_file in (True, False):
                facts = _searched(
                    library, stored, exact, np.concatenate(themes), (texts, pictures), with_file=with_file
                )
                print(json.dumps({"engine": shown, "with_file": with_file, **facts}), flush=True)


def _reading(library: Library, stored: StoredSpace, ids: Ids) -> dict[str, float]:
    """Return the milliseconds in which scattered vectors are read from the catalogue."""
    rng, found = np.random.default_rng(3), dict[str, float]()
    for number in (100, 500, 2_000, 20_000):
        choices = [np.sort(rng.choice(ids, min(number, len(ids)), replace=False)) for _ in range(10)]
        found[str(number)] = _median(lambda chosen: load_vectors(library, stored, chosen), choices)
    return found


def _built(library: Library, stored: StoredSpace) -> dict[str, object]:
    started = perf_counter()
    update_engine(library, stored, rebuild=True)
    seconds = perf_counter() - started
    address = chosen_address()
    assert address is not None
    engine = open_engine(library, stored, address)
    state = engine.state(fresh=True)
    assert state is not None
    engine.close()
    return {
        "build_and_measure_s": round(seconds, 1),
        "candidates": state.candidates,
        "recall": state.recall and vars(state.recall),
    }


def _searched(
    library: Library,
    stored: StoredSpace,
    exact: Ranker,
    themes: NDArray[np.int64],
    kinds: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    with_file: bool,
) -> dict[str, object]:
    hidden: AbstractContextManager[object] = nullcontext()
    if not with_file:
        hidden = mock.patch.object(index_cache, "published_file", return_value=None)
    with hidden:
        started = perf_counter()
        connections = EngineConnections(library)
        index = connections.load(stored).index
        index.search(kinds[0][:1], 10)
        facts: dict[str, object] = {"open_and_first_search_s": round(perf_counter() - started, 3)}
        for name, queries in zip(("texts", "pictures"), kinds, strict=True):
            best = exact.search(queries, 10).ids
            found = np.concatenate([index.search(query[None], 10).ids for query in queries])
            recall = np.mean([len(np.intersect1d(one, other)) / 10 for one, other in zip(found, best, strict=True)])
            facts[f"{name}_recall"] = float(recall)
            before = _processor_seconds(index)
            facts[f"{name}_ms"] = _median(lambda query: index.search(query[None], 10), list(queries))
            facts[f"{name}_processor_ms"] = round(1000 * (_processor_seconds(index) - before) / len(queries), 2)
        for name, kept in _filters(exact, themes).items():
            found = np.concatenate([index.search(query[None], 10, kept).scores for query in kinds[0][:20]])
            best = np.concatenate([exact.search(query[None], 10, kept).scores for query in kinds[0][:20]])
            before = _processor_seconds(index)
            facts[f"filter_{name}_ms"] = _median(
                lambda query, kept=kept: index.search(query[None], 10, kept), list(kinds[0][:20])
            )
            facts[f"filter_{name}_processor_ms"] = round(1000 * (_processor_seconds(index) - before) / 20, 2)
            facts[f"filter_{name}_lost"] = int((np.abs(found - best) > 1e-6).sum())
        before = _processor_seconds(index)
        facts["exact_ms"] = _median(lambda query: index.exact.search(query[None], 10), list(kinds[0][:10]))
        facts["exact_processor_ms"] = round(1000 * (_processor_seconds(index) - before) / 10, 2)
        facts["max_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        connections.close()
    return facts


def _processor_seconds(index: Ranker) -> float:
    """Return the processor time of this process, and of the processes of PostgreSQL that serve its connections.

    The machine may be shared with others, so that elapsed times are upper limits.
    """
    seconds = process_time()
    served = index.connect() if isinstance(index, ServerIndex) else None
    if served is not None and isinstance(served.engine, PgvectorEngine):
        for connection in served.engine._connections._idle:
            fields = Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _filters(exact: Ranker, themes: NDArray[np.int64]) -> dict[str, Ids]:
    """Return filters that keep 1 %, 10 % and half of the content IDs at random, and one theme of medium size."""
    rng, number = np.random.default_rng(2), len(exact)
    sizes = np.bincount(themes)
    together = np.flatnonzero(themes == sizes.argsort()[len(sizes) // 2])
    parts = {f"{share:.0%}": np.sort(rng.choice(number, int(share * number), False)) for share in (0.01, 0.1, 0.5)}
    return {name: rows + 1 for name, rows in {**parts, f"theme_{len(together)}": together}.items()}


def _median(run: Callable[..., object], values: list[NDArray[np.generic]] | list[NDArray[np.float32]]) -> float:
    """Return the median milliseconds of `run` for each of `values`."""
    times = []
    for value in values:
        started = perf_counter()
        run(value)
        times.append(1000 * (perf_counter() - started))
    return round(float(np.median(times)), 2)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
