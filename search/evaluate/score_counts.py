"""Counting the scores of a block of documents above thresholds, on the processor or on a GPU.

Scores are products in 32 bits. Those that are too close to a threshold for this precision are returned, so that they
can be computed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from encoders import machine
from search.evaluate.vector_blocks import DocumentBlock, best_scores

__all__ = ["MIN_PRODUCTS_FOR_GPU", "Counts", "ProcessorScores", "Scores", "Thresholds", "TorchScores", "choose_scores"]

MIN_PRODUCTS_FOR_GPU = 10**11
"""The number of multiplications from which a GPU is used. They take seconds, as does importing PyTorch.

Chosen from times on a processor; no card was at hand to measure where one begins to be faster.
"""

_SPARSE = 16
"""If at most one of so many scores reaches the lowest threshold of its query, only these are compared further."""

_MIN_PAIRS_TO_SORT = 10
"""From this many thresholds of one query, sorting its scores is faster than comparing them with each."""

_PAIRS_AT_ONCE = 1024
"""Thresholds that a GPU compares with a block at once."""


class Thresholds(NamedTuple):
    """P pairs of a query and a threshold, sorted by query, and the scores (e,) that are not counted."""

    query: NDArray[np.int64]
    """(P,), from 0."""
    low: NDArray[np.float32]
    """(P,) scores below it are certainly below the threshold."""
    high: NDArray[np.float32]
    """(P,) scores above it are certainly above the threshold."""
    left_out: tuple[NDArray[np.int64], NDArray[np.int64]]
    """The queries (e,) and documents (e,) whose scores are not counted."""


class Counts(NamedTuple):
    """The numbers of scores above some of the thresholds, and the scores that are too close to decide."""

    chosen: NDArray[np.int64]
    """(c,) the places in `Thresholds` of these thresholds, each once."""
    above: NDArray[np.int64]
    """(c,) the numbers of scores that are certainly above them."""
    pair: NDArray[np.int64]
    """(t,) the place in `Thresholds` of each close score."""
    document: NDArray[np.int64]
    """(t,) its document in the block."""


class Scores(Protocol):
    """The scores of queries (Q, D)."""

    def count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Iterator[Counts]:
        """Compare the scores of the queries `part` in a block with `thresholds`, whose queries count from 0.

        Each threshold is in one of the results. They come in parts, because where very many scores are equal, the close
        ones of all thresholds need much memory.
        """


def choose_scores(queries: NDArray[np.float32], documents: int) -> Scores:
    """Return `TorchScores` where there is much to compute and a GPU that PyTorch can use, else `ProcessorScores`."""
    if queries.size * documents >= MIN_PRODUCTS_FOR_GPU and machine.has_nvidia_card():
        try:
            import torch
        except ImportError:
            return ProcessorScores(queries)
        if torch.cuda.is_available():
            return TorchScores(queries, torch.device("cuda"))
    return ProcessorScores(queries)


@dataclass(frozen=True)
class ProcessorScores:
    """Scores computed by NumPy, which uses all processor cores for the product."""

    queries: NDArray[np.float32]

    def count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Iterator[Counts]:
        """Compare the scores of the queries `part` in a block with `thresholds`."""
        scores = best_scores(self.queries[part] @ block.vectors.T, block.firsts)  # (q, n)
        scores[thresholds.left_out] = -np.inf
        query, low, high, _ = thresholds
        if not len(query):
            return
        pairs = np.bincount(query, minlength=len(scores))  # (q,)
        lowest = np.full(len(scores), np.inf, np.float32)
        np.minimum.at(lowest, query, low)
        reached = scores >= lowest[:, None]  # (q, n)
        if np.count_nonzero(reached) * int(pairs.max()) * _SPARSE <= reached.size:
            yield _count_reached(scores, reached, pairs, thresholds)
        else:
            yield from _compare_all(scores, query, low, high)


class TorchScores:
    """Scores computed by PyTorch on `device`.

    It was tested with `torch.device("cpu")`. It has not run on a card yet; tests marked `gpu` check it there.
    """

    def __init__(self, queries: NDArray[np.float32], device: Any) -> None:
        self._device = device
        self._queries = self._on_device(queries)  # (Q, D)
        self._block: tuple[DocumentBlock, Any] | None = None

    def count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Iterator[Counts]:
        """Compare the scores of the queries `part` in a block with `thresholds`."""
        scores = self._block_scores(part, block)  # (q, n)
        left_out = [self._on_device(places) for places in thresholds.left_out]
        scores[left_out[0], left_out[1]] = -float("inf")
        for start in range(0, len(thresholds.query), _PAIRS_AT_ONCE):
            yield self._count_pairs(scores, thresholds, start)

    def _count_pairs(self, scores: Any, thresholds: Thresholds, start: int) -> Counts:
        query, low, high = (
            self._on_device(numbers[start : start + _PAIRS_AT_ONCE])
            for numbers in (thresholds.query, thresholds.low, thresholds.high)
        )
        of_pairs = scores[query]  # (p, n)
        above = of_pairs > high[:, None]
        pair, document = ((of_pairs >= low[:, None]) & ~above).nonzero(as_tuple=True)
        chosen = np.arange(start, start + len(query))
        return Counts(chosen, above.sum(dim=1).cpu().numpy(), pair.cpu().numpy() + start, document.cpu().numpy())

    def _block_scores(self, part: slice, block: DocumentBlock) -> Any:
        """Return the scores (q, n) of the queries `part` in a block, in full 32 bits."""
        import torch

        allowed = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = False  # it has 10 bits of precision
        try:
            return self._best_scores(self._queries[part] @ self._vectors(block).T, block)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = allowed

    def _best_scores(self, scores: Any, block: DocumentBlock) -> Any:
        """As `best_scores`."""
        if block.firsts is None:
            return scores
        import torch

        counts = np.diff(block.firsts, append=len(block.vectors))
        document = self._on_device(np.repeat(np.arange(len(block)), counts))  # (f,)
        best = torch.full((len(scores), len(block)), -np.inf, device=self._device)
        return best.scatter_reduce_(1, document.expand_as(scores), scores, "amax")

    def _vectors(self, block: DocumentBlock) -> Any:
        """Return the vectors of a block on the device; the last ones are kept for the other queries."""
        if self._block is None or self._block[0] is not block:
            self._block = block, self._on_device(block.vectors)
        return self._block[1]

    def _on_device(self, numbers: NDArray[Any]) -> Any:
        import torch

        # Arrays that cannot be written, such as memory-mapped ones, are copied: PyTorch warns of them.
        return torch.from_numpy(np.require(numbers, requirements=["C", "W"])).to(self._device)


def _count_reached(
    scores: NDArray[np.float32], reached: NDArray[np.bool_], pairs: NDArray[np.int64], thresholds: Thresholds
) -> Counts:
    """Compare the scores that are `reached` (q, n) with the thresholds of their query, which are `pairs` (q,) many."""
    row, document = np.divmod(np.flatnonzero(reached), reached.shape[1])  # (r,)
    number = pairs[row]  # (r,)
    hit = np.repeat(np.arange(len(row)), number)  # (h,) a reached score for each threshold
    turn = np.arange(len(hit)) - np.repeat(np.cumsum(number) - number, number)
    pair = (np.cumsum(pairs) - pairs)[row[hit]] + turn  # (h,)
    values = scores[row, document][hit]
    above = values > thresholds.high[pair]
    close = (values >= thresholds.low[pair]) & ~above
    every = np.arange(len(thresholds.query))  # (P,)
    return Counts(every, np.bincount(pair[above], minlength=len(every)), pair[close], document[hit[close]])


def _compare_all(
    scores: NDArray[np.float32], query: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32]
) -> Iterator[Counts]:
    """Compare scores (q, n) with every pair: one pair of each query at a time, or all pairs of a query at once."""
    turn = np.arange(len(query)) - np.searchsorted(query, query)  # (P,) 0 for a query's first pair, 1 for its second
    many = (np.bincount(query, minlength=len(scores)) >= _MIN_PAIRS_TO_SORT)[query]  # (P,)
    for number in range(_MIN_PAIRS_TO_SORT):
        chosen = np.flatnonzero((turn == number) & ~many)
        if len(chosen):
            of_chosen = scores if len(chosen) == len(scores) else scores[query[chosen]]  # (c, n)
            above, pair, document = _compare_each(of_chosen, low[chosen], high[chosen])
            yield Counts(chosen, above, chosen[pair], document)
    for number in np.unique(query[many]):
        chosen = np.arange(*np.searchsorted(query, [number, number + 1]))
        above, pair, document = _compare_sorted(scores[number], low[chosen], high[chosen])
        yield Counts(chosen, above, chosen[pair], document)


def _compare_each(
    scores: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Compare row i of the scores (c, n) with low[i] and high[i]."""
    above = scores > high[:, None]
    close = scores >= low[:, None]
    close ^= above
    # As `np.nonzero(close)`, which takes five times as long.
    return np.count_nonzero(above, axis=1), *np.divmod(np.flatnonzero(close), close.shape[1])


def _compare_sorted(
    scores: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Compare one query's scores (n,) with every low[i] and high[i], (r,), by sorting them."""
    order = np.argsort(scores)
    first = np.searchsorted(scores, low, "left", sorter=order)  # (r,)
    last = np.searchsorted(scores, high, "right", sorter=order)  # (r,)
    pair = np.repeat(np.arange(len(low)), last - first)  # (t,)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    return len(scores) - last, pair, order[first[pair] + within]
