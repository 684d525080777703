"""Scores computed by PyTorch: on a GPU, or in bfloat16 on processors that have instructions for it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluate.score_counts import Counts, ProcessorScores, Thresholds, count_reached
from search.evaluate.vector_blocks import DocumentBlock

__all__ = ["Bfloat16Scores", "TorchScores"]

_PAIRS_AT_ONCE = 1024
"""Thresholds that a GPU compares with a block at once."""

_MAX_CLOSE = 1 / 1024
"""The largest share of scores for which computing them again, one by one, takes less time than a product in 32 bits."""
_MAX_REACHED = 1 / 16
"""The largest share of scores that are looked at one by one."""
_TRIES = 32
"""After this many products, bfloat16 is given up if it did not decide at least three quarters of them."""


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
            return _best_of_documents(self._queries[part] @ self._vectors(block).T, block)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = allowed

    def _vectors(self, block: DocumentBlock) -> Any:
        """Return the vectors of a block on the device; the last ones are kept for the other queries."""
        if self._block is None or self._block[0] is not block:
            self._block = block, self._on_device(block.vectors)
        return self._block[1]

    def _on_device(self, numbers: NDArray[Any]) -> Any:
        import torch

        # Arrays that cannot be written, such as memory-mapped ones, are copied: PyTorch warns of them.
        return torch.from_numpy(np.require(numbers, requirements=["C", "W"])).to(self._device)


class Bfloat16Scores:
    """Scores computed in bfloat16 where this decides, and in 32 bits where too many are close to a threshold.

    bfloat16 has 8 bits of precision, and a processor with instructions for it computes products in half of the time or
    less. The error of a score is bounded by what rounding changes in the vectors (Cauchy-Schwarz inequality).
    """

    def __init__(self, queries: NDArray[np.float32]) -> None:
        self._exact = ProcessorScores(queries)
        self._queries, self._rounding = _rounded(queries)
        self._lengths = np.linalg.norm(queries, axis=1)  # (Q,)
        self._block: tuple[DocumentBlock, Any, float, float] | None = None
        self._tried = self._decided = 0

    def count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Iterator[Counts]:
        """Compare the scores of the queries `part` in a block with `thresholds`."""
        if not len(thresholds.query):
            return
        counts = None if self._is_given_up() else self._count(part, block, thresholds)
        if counts is None:
            yield from self._exact.count(part, block, thresholds)
        else:
            yield counts

    def _is_given_up(self) -> bool:
        return self._tried >= _TRIES and 4 * self._decided < 3 * self._tried

    def _count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Counts | None:
        """Return all counts; None if too many scores are close to their thresholds."""
        import torch

        self._tried += 1
        vectors, rounding, longest = self._vectors(block)
        error = self._rounding[part] * longest + (self._lengths[part] + self._rounding[part]) * rounding  # (q,)
        error *= 1 + 2**-10  # these lengths are rounded to 32 bits
        wider = _widened(thresholds, error)
        scores = _best_of_documents(self._queries[part] @ vectors.T, block)  # (q, n)
        scores[torch.from_numpy(thresholds.left_out[0]), torch.from_numpy(thresholds.left_out[1])] = -float("inf")
        lowest = np.full(len(scores), np.inf, np.float32)
        np.minimum.at(lowest, wider.query, wider.low)
        reached = (scores >= torch.from_numpy(_lowered(lowest)).bfloat16()[:, None]).numpy()  # (q, n)
        row, document = np.divmod(np.flatnonzero(reached), reached.shape[1])  # (r,)
        if len(row) * int(np.bincount(wider.query).max()) > _MAX_REACHED * reached.size:
            return None
        values = scores[torch.from_numpy(row), torch.from_numpy(document)].float().numpy()  # (r,)
        counts = count_reached(row, document, values, wider)
        if len(counts.pair) > _MAX_CLOSE * reached.size:
            return None
        self._decided += 1
        return counts

    def _vectors(self, block: DocumentBlock) -> tuple[Any, float, float]:
        """Return the vectors (f, D) of a block in bfloat16, the most that rounding changed, and the greatest length."""
        if self._block is None or self._block[0] is not block:
            vectors, rounding = _rounded(block.vectors)
            longest = float(np.linalg.norm(block.vectors, axis=1).max(initial=0.0))
            self._block = block, vectors, float(rounding.max(initial=0.0)), longest
        return self._block[1:]


def _rounded(vectors: NDArray[np.float32]) -> tuple[Any, NDArray[np.float32]]:
    """Return vectors (n, D) in bfloat16, and the lengths (n,) of what rounding changed."""
    import torch

    given = torch.from_numpy(np.require(vectors, requirements=["C", "W"]))
    rounded = given.bfloat16()
    return rounded, (given - rounded.float()).norm(dim=1).numpy()


def _widened(thresholds: Thresholds, error: NDArray[np.float32]) -> Thresholds:
    """Return thresholds for scores with a further `error` (q,), which are rounded to bfloat16."""
    of_pairs = error[thresholds.query]  # (P,)
    high = thresholds.high + of_pairs
    return thresholds._replace(low=_lowered(thresholds.low - of_pairs), high=-_lowered(-high))


def _lowered(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return numbers that are lower by twice the error of rounding to bfloat16, which is at most 2^-9 of a number."""
    return np.asarray(numbers * np.where(numbers > 0, 1 - 2**-8, 1 + 2**-8).astype(np.float32), np.float32)


def _best_of_documents(scores: Any, block: DocumentBlock) -> Any:
    """Return the best score of each document, (q, n), from those of its vectors (q, f)."""
    if block.firsts is None:
        return scores
    import torch

    counts = np.diff(block.firsts, append=len(block.vectors))
    document = torch.from_numpy(np.repeat(np.arange(len(block)), counts)).to(scores.device)  # (f,)
    best = torch.full((len(scores), len(block)), -float("inf"), dtype=scores.dtype, device=scores.device)
    return best.scatter_reduce_(1, document.expand_as(scores), scores, "amax")
