"""What an approximate index loses: the same queries, ranked by a FAISS index instead of exactly."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.evaluate import Embedded
from search.evaluate.evaluation import Evaluation
from search.evaluate.gallery_blocks import Gallery, blocks
from search.evaluate.qrels import Qrels
from search.evaluate.ranks import Ranks
from search.evaluate.trec import rank_run

__all__ = ["build_index", "evaluate_approximate", "rank_approximately"]

_QUERIES = 1024
"""Queries asked at once."""

_BLOCK = 4096
"""Vectors added at once."""

_TRAINED_ON = 131_072
"""Vectors that an index learns from, at most; FAISS itself takes 256 for each of its lists."""


def build_index(gallery: Gallery, spec: str) -> Any:
    """A FAISS index by its factory string (`HNSW32`, `IVF256,Flat`, `IVF256,PQ32`), trained on the gallery and filled.

    What is searched with is set behind a colon: `IVF256,Flat:nprobe=8`, `HNSW32:efSearch=64`.
    Raises `EvaluationError` when FAISS does not accept it.
    """
    import faiss

    factory, _, parameters = spec.partition(":")
    sample = _sample(gallery)
    try:
        index = faiss.index_factory(sample.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        if not index.is_trained:
            index.train(sample)
        for _, block in blocks(gallery, _BLOCK):
            index.add(block)
        if parameters:
            faiss.ParameterSpace().set_index_parameters(index, parameters)  # type: ignore[arg-type]
    except RuntimeError as exc:
        raise EvaluationError(f"FAISS cannot make an index {spec!r}: {_reason(exc)}") from exc
    return index


def rank_approximately(
    index: Any, queries: Mapping[str, NDArray[np.float32]], gallery: Sequence[str], qrels: Qrels, depth: int
) -> dict[str, Ranks]:
    """The ranks of what is relevant to each query among the first `depth` that the index finds; infinite beyond them.

    `queries` maps ids to vectors (D,), `gallery` names the rows of the index.
    """
    ranks: dict[str, Ranks] = {}
    names = list(queries)
    for start in range(0, len(names), _QUERIES):
        some = names[start : start + _QUERIES]
        scores, rows = index.search(np.stack([queries[name] for name in some]), min(depth, len(gallery)))
        run = {
            name: {gallery[row]: float(score) for score, row in zip(*found, strict=True) if row >= 0}
            for name, *found in zip(some, scores, rows, strict=True)
        }
        ranks.update(zip(some, rank_run(run, qrels, some), strict=True))
    return ranks


def evaluate_approximate(
    exact: Sequence[Evaluation],
    queries: Embedded,
    gallery: Embedded,
    qrels: Qrels,
    spec: str,
    depth: int = 100,
) -> list[Evaluation]:
    """Evaluations like the `exact` ones, of the same queries in the same gallery, through the index `spec`.

    `queries` holds all of their vectors as one array. Raises `EvaluationError` as `build_index` does.
    """
    index = build_index(gallery.vectors, spec)
    vectors = dict(zip(queries.ids, np.asarray(queries.vectors, dtype=np.float32), strict=True))
    ranks = rank_approximately(index, vectors, gallery.ids, qrels, depth)
    return [
        replace(
            evaluation,
            subject=replace(evaluation.subject, space=f"{evaluation.subject.space} {spec}"),
            ranked=tuple(ranks[query] for query in evaluation.queries),
        )
        for evaluation in exact
    ]


def _sample(gallery: Gallery) -> NDArray[np.float32]:
    """Vectors (n, D) from all over the gallery, the same ones every time; all of them if they are few."""
    count = sum(len(block) for _, block in blocks(gallery, _BLOCK))
    step = max(1, -(-count // _TRAINED_ON))
    return np.concatenate([block[-start % step :: step] for start, block in blocks(gallery, _BLOCK)])


def _reason(exc: RuntimeError) -> str:
    """FAISS's message without the C++ around it."""
    return re.sub(r"^Error in .* at \S+:\d+: ", "", str(exc))
