"""How many of the best results a search with inverted lists finds, measured by comparison with exact search.

Text queries lose more than pictures: they are less similar to all pictures, and a code that is a little wrong changes
their order. Both are therefore measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.layered_index import LayeredIndex

__all__ = ["MIN_RECALL", "RECALL_DEPTH", "MeasuredRecall", "measure_recall", "text_like"]

MIN_RECALL = 0.95
"""Inverted lists with a lower recall@10 are not used."""
WANTED_RECALL = 0.995
"""More lists are read until both kinds of queries reach this."""
PROBES = (16, 32, 64, 128, 256, 512)
RECALL_DEPTH = 10
QUERIES = 100
MIN_REMEMBERED = 20
"""With fewer text queries that have been asked, queries are generated."""


@dataclass(frozen=True)
class MeasuredRecall:
    """The mean share of the 10 best results that are found."""

    text: float
    pictures: float
    text_queries: int
    generated: bool
    """Whether the text queries were generated, because too few had been asked."""

    @property
    def lowest(self) -> float:
        """The lower of the two."""
        return min(self.text, self.pictures)


def measure_recall(
    index: LayeredIndex, asked: NDArray[np.float32], seed: int = 0, probes: Sequence[int] = PROBES
) -> tuple[int, MeasuredRecall]:
    """Return how many lists to read, and the recall with them.

    `asked` are unit vectors (n, D) of text queries. The number is the first of `probes` with which both recalls reach
    `WANTED_RECALL`, else the last.
    """
    rng = np.random.default_rng(seed)
    pictures = _sample(index, QUERIES, rng)
    generated = len(asked) < MIN_REMEMBERED
    texts = text_like(_sample(index, 10 * QUERIES, rng), rng)[:QUERIES] if generated else asked[:QUERIES]
    kinds = [(queries, index.exact.search(queries, RECALL_DEPTH).ids) for queries in (texts, pictures)]
    lists = index.lists.lists if index.lists is not None else 0
    for number in probes:
        index.probes = number
        text, picture = (_recall(index, queries, best) for queries, best in kinds)
        if min(text, picture) >= WANTED_RECALL or number >= lists:
            break
    return index.probes, MeasuredRecall(text, picture, len(texts), generated)


def text_like(pictures: NDArray[np.float32], rng: "np.random.Generator") -> NDArray[np.float32]:
    """Return unit vectors (n, D) that are as far from the vectors of pictures (n, D) as those of texts are.

    The vectors of texts and of pictures lie in different cones (Liang et al., "Mind the gap", NeurIPS 2022). A query
    has a part that all share and no picture has, a part of the mean picture, a part that differs as one picture does
    from the mean, and noise. The weights are such that the best cosine similarities are 0.3 to 0.4, as with CLIP.
    """
    mean: NDArray[np.float32] = np.asarray(pictures.mean(axis=0))
    gap = rng.standard_normal((1, pictures.shape[1]))
    directions = pictures - mean
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-6)
    noise = rng.standard_normal(pictures.shape) / np.sqrt(pictures.shape[1])
    queries = 0.35 * directions + 0.2 * _unit(mean) + 0.85 * _unit(gap[0]) + 0.25 * noise
    return np.asarray(queries / np.linalg.norm(queries, axis=1, keepdims=True), np.float32)


def _recall(index: LayeredIndex, queries: NDArray[np.float32], best: Ids) -> float:
    found = index.search(queries, RECALL_DEPTH).ids
    return float(
        np.mean([len(np.intersect1d(one, other)) / max(len(other), 1) for one, other in zip(found, best, strict=True)])
    )


def _sample(index: LayeredIndex, number: int, rng: "np.random.Generator") -> NDArray[np.float32]:
    """Return `number` vectors of the base as queries, each moved a little: a picture itself is always found."""
    rows = np.sort(rng.choice(len(index.base), min(number, len(index.base)), replace=False))
    vectors = index.base.stored()[rows].astype(np.float32)
    vectors += 0.1 * rng.standard_normal(vectors.shape).astype(np.float32) / np.sqrt(vectors.shape[1])
    return np.asarray(rng.permutation(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))


def _unit(vector: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(vector, np.float64) / max(float(np.linalg.norm(vector)), 1e-6)
