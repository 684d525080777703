"""How many of the best results are among the candidates of an engine, measured by comparison with exact search."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.library import Library
from store.remembered_queries import recent_queries
from store.spaces.embeddings import load_vectors
from store.spaces.ranker import Ranker
from store.spaces.recall import MIN_REMEMBERED, QUERIES, RECALL_DEPTH, WANTED_RECALL, MeasuredRecall, text_like
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.engine import EngineState, VectorEngine
from store.spaces.vector_index import DerivedIndex

__all__ = ["measure_engine_recall"]


def measure_engine_recall(
    library: Library,
    stored: StoredSpace,
    engine: VectorEngine,
    state: EngineState,
    index: DerivedIndex,
    check: Callable[[], None],
    seed: int = 0,
) -> EngineState:
    """Return `state` with the number of candidates to ask for, and the recall with them.

    The number is the first with which text queries and pictures both reach `WANTED_RECALL`, else the largest. `index`
    has the same vectors. Text queries are the last that were asked, or generated if these are too few.
    """
    rng = np.random.default_rng(seed)
    pictures = _sample(library, stored, index, QUERIES, rng)
    asked = recent_queries(library.path, stored.space.fingerprint, stored.space.dim, QUERIES)
    generated = len(asked) < MIN_REMEMBERED
    texts = text_like(_sample(library, stored, index, 10 * QUERIES, rng), rng)[:QUERIES] if generated else asked
    kinds = [(queries, index.exact.search(queries, RECALL_DEPTH).ids) for queries in (texts, pictures)]
    for number in engine.efforts:
        check()
        text, picture = (
            _recall(index.exact, engine.propose(state, queries, number), queries, best) for queries, best in kinds
        )
        if min(text, picture) >= WANTED_RECALL:
            break
    recall = MeasuredRecall(text, picture, len(texts), generated)
    return replace(state, candidates=number, recall=recall, measured_with=state.vectors)


def _recall(exact: Ranker, proposed: list[Ids], queries: NDArray[np.float32], best: Ids) -> float:
    shares = []
    for query, ids, expected in zip(queries, proposed, best, strict=True):
        found = exact.search(query[None], RECALL_DEPTH, np.unique(ids)).ids[0]
        shares.append(len(np.intersect1d(found, expected)) / max(len(expected), 1))
    return float(np.mean(shares))


def _sample(
    library: Library, stored: StoredSpace, index: DerivedIndex, number: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return vectors of the index as queries, each moved a little: a picture itself is always found."""
    ids = np.sort(index.ids())
    vectors = load_vectors(library, stored, ids[np.sort(rng.choice(len(ids), min(number, len(ids)), replace=False))])
    vectors = vectors[~np.isnan(vectors).any(axis=1)]
    vectors += 0.1 * rng.standard_normal(vectors.shape).astype(np.float32) / np.sqrt(vectors.shape[1])
    return np.asarray(rng.permutation(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
