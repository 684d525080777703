"""The loss of an approximate index: the same queries, ranked by a FAISS index instead of exactly."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.evaluation import Evaluation
from search.evaluate.ranks import Ranks
from search.evaluate.scoring import LabelledVectors
from search.evaluate.trec import Qrels, rank_run
from search.evaluate.vector_blocks import FrameGallery, VectorBlocks, iter_all_vectors

__all__ = ["build_index", "evaluate_approximate", "rank_approximately"]

_QUERY_BATCH = 1024
"""Queries searched at once."""

_BLOCK_SIZE = 4096
"""Vectors added at once."""

_MAX_TRAINING_VECTORS = 131_072
"""Vectors that an index is trained on. FAISS itself uses 256 for each inverted list."""


def build_index(gallery: VectorBlocks, spec: str) -> Any:
    """Build a FAISS index from its factory string (`HNSW32`, `IVF256,Flat`, `IVF256,PQ32`), trained and filled.

    Search parameters follow after a colon: `IVF256,Flat:nprobe=8`, `HNSW32:efSearch=64`.
    Raises `EvaluationError` if FAISS does not accept the string.
    """
    import faiss

    factory, _, parameters = spec.partition(":")
    sample = _training_sample(gallery)
    try:
        index = faiss.index_factory(sample.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        if not index.is_trained:
            index.train(sample)
        for _, block in iter_all_vectors(gallery, _BLOCK_SIZE):
            index.add(block)
        if parameters:
            faiss.ParameterSpace().set_index_parameters(index, parameters)  # type: ignore[arg-type]
    except RuntimeError as exc:
        raise EvaluationError(f"FAISS cannot build the index {spec!r}: {_reason(exc)}") from exc
    return index


def rank_approximately(
    index: Any,
    queries: Mapping[str, NDArray[np.float32]],
    gallery: Sequence[str],
    qrels: Qrels,
    depth: int,
    counts: NDArray[np.int64] | None = None,
) -> dict[str, Ranks]:
    """Return the ranks of each query's relevant documents among the first `depth` results; infinite beyond them.

    `queries` maps ids to vectors (D,). `gallery` lists the ids of the documents in the index, which have `counts` (N,)
    vectors each, or one. A document with several is one result, at its best vector.
    """
    ids = (
        gallery
        if counts is None
        else [name for name, count in zip(gallery, counts.tolist(), strict=True) for _ in range(count)]
    )
    width = min(depth * (1 if counts is None else int(counts.max(initial=1))), len(ids))
    ranks: dict[str, Ranks] = {}
    names = list(queries)
    for start in range(0, len(names), _QUERY_BATCH):
        batch = names[start : start + _QUERY_BATCH]
        scores, rows = index.search(np.stack([queries[name] for name in batch]), width)
        results = zip(batch, scores, rows, strict=True)
        run = {name: _first_results(ids, of_name, places, depth) for name, of_name, places in results}
        ranks.update(zip(batch, rank_run(run, qrels, batch), strict=True))
    return ranks


def evaluate_approximate(
    exact: Sequence[Evaluation],
    queries: LabelledVectors,
    gallery: LabelledVectors,
    qrels: Qrels,
    spec: str,
    depth: int = 100,
) -> list[Evaluation]:
    """Return evaluations of the same queries as `exact` in the same gallery, through the index `spec`.

    `queries` contains the vectors of all queries as one array. Raises `EvaluationError` as `build_index` does.
    """
    index = build_index(gallery.vectors, spec)
    vectors = dict(zip(queries.ids, np.asarray(queries.vectors, dtype=np.float32), strict=True))
    counts = gallery.vectors.counts if isinstance(gallery.vectors, FrameGallery) else None
    ranks = rank_approximately(index, vectors, gallery.ids, qrels, depth, counts)
    return [
        replace(
            evaluation,
            subject=replace(evaluation.subject, space=f"{evaluation.subject.space} {spec}"),
            ranked=tuple(ranks[query] for query in evaluation.queries),
            depth=depth if depth < len(gallery.ids) else None,
        )
        for evaluation in exact
    ]


def _first_results(
    ids: Sequence[str], scores: NDArray[np.float32], rows: NDArray[np.int64], depth: int
) -> dict[str, float]:
    """Return the first `depth` documents of a ranking of vectors (k,), with the score of the best vector of each."""
    found: dict[str, float] = {}
    for row, score in zip(rows, scores, strict=True):
        if row >= 0 and len(found) < depth:
            found.setdefault(ids[row], float(score))
    return found


def _training_sample(gallery: VectorBlocks) -> NDArray[np.float32]:
    """Return evenly spaced vectors (n, D) of the gallery, always the same ones; all of them if they are few."""
    count = sum(len(block) for _, block in iter_all_vectors(gallery, _BLOCK_SIZE))
    step = max(1, -(-count // _MAX_TRAINING_VECTORS))
    return np.concatenate([block[-start % step :: step] for start, block in iter_all_vectors(gallery, _BLOCK_SIZE)])


def _reason(exc: RuntimeError) -> str:
    """Return FAISS's message without its C++ location."""
    return re.sub(r"^Error in .* at \S+:\d+: ", "", str(exc))
