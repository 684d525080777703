"""Sentences on how to read the results, for the terminal, tables and the report."""

from collections.abc import Iterable, Sequence

from search.evaluate.bootstrap import Resampling
from search.evaluate.measurement import Measurement

__all__ = ["depth_notes", "interval_note", "published_note"]


def depth_notes(measurements: Iterable[Measurement]) -> list[str]:
    """Return how to read the values of rankings that end at a depth, a sentence or two for each depth."""
    names: dict[int, list[str]] = {}
    for each in measurements:
        depths = {evaluation.depth for evaluation in each.evaluations if evaluation.bounds}
        for depth in depths - {None}:
            assert depth is not None
            names.setdefault(depth, []).append(each.name)
    return [_depth_note(dict.fromkeys(its_names), depth) for depth, its_names in names.items()]


def _depth_note(names: Iterable[str], depth: int) -> str:
    listed: Sequence[str] = list(names)
    have = "has" if len(listed) == 1 else "have"
    return (
        f"{', '.join(listed)} {have} at most {depth:,} results for a query. The ranks of relevant documents beyond "
        "them are unknown: values with >= count these as not found, or as the next rank, and are lower bounds."
    )


def interval_note(resampling: Resampling) -> str:
    """Return how the confidence intervals were computed."""
    return (
        f"{resampling.level:.0%} confidence intervals; the units are pictures with all their queries. Shares of "
        "queries: Clopper-Pearson. Medians: order statistics. Means: bootstrap (BCa, "
        f"{resampling.resamples:,} resamples), or Clopper-Pearson where fewer than ten units differ."
    )


def published_note(sources: Sequence[str]) -> str:
    """Return how to read published results from these files."""
    return (
        f"Published in {', '.join(sources)}, not measured here: without intervals and tests. Whether the pictures, "
        "captions and templates are the same as here is not known."
    )
