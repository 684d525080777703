"""Evaluations saved in a file, so that later evaluations can be compared with them.

The file contains the ranks of every query, not the scores: any metric can be computed from them later, and a drop is
tested query by query.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DatasetError, EvaluationError
from search.evaluate.compare import Comparison, ComparisonSettings, compare_all
from search.evaluate.evaluation import Evaluation, Subject, finite
from search.evaluate.metrics import parse_metrics
from search.evaluate.ranks import Ranks
from search.evaluate.text_files import read_json, write_bytes

__all__ = ["compare_with_baseline", "read_baseline", "significant_drops", "write_baseline"]

_FORMAT = "sightline baseline 1"


def write_baseline(path: Path | str, evaluations: Sequence[Evaluation]) -> None:
    """Save evaluations, compressed if the file name ends in `.gz`.

    Raises `EvaluationError` if the file cannot be written.
    """
    content = {"format": _FORMAT, "evaluations": [_to_json(evaluation) for evaluation in evaluations]}
    text = (json.dumps(content, separators=(",", ":")) + "\n").encode()
    write_bytes(path, [gzip.compress(text, mtime=0) if Path(path).suffix == ".gz" else text])


def read_baseline(path: Path | str) -> list[Evaluation]:
    """Read the evaluations in a file written by `write_baseline`. Raises `DatasetError` for any other file."""
    content = read_json(Path(path))
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DatasetError(Path(path), "not a baseline file")
    try:
        return [_from_json(record) for record in content["evaluations"]]
    except (KeyError, TypeError, ValueError) as exc:
        raise DatasetError(Path(path), f"the baseline is damaged: {exc!r}") from exc


def compare_with_baseline(
    evaluations: Sequence[Evaluation],
    baseline: Sequence[Evaluation],
    settings: ComparisonSettings | None = None,
) -> list[Comparison]:
    """Compare each evaluation (right) with that of the baseline (left) on the same task.

    Two tasks are the same if data set, split, language and direction are. The metrics are those of the evaluation,
    which may differ from those of the baseline. Raises `EvaluationError` when an evaluation is not in the baseline or
    had another number of candidates, and `IncomparableEvaluations` when the queries are not the same.
    """
    by_key = {_key(evaluation.subject): evaluation for evaluation in baseline}
    absent = [" ".join(_key(e.subject)) for e in evaluations if _key(e.subject) not in by_key]
    if absent:
        raise EvaluationError(f"Not in the baseline: {', '.join(absent)}")
    pairs = [(replace(by_key[_key(now.subject)], metrics=now.metrics), now) for now in evaluations]
    for before, now in pairs:
        if before.candidates != now.candidates:
            raise EvaluationError(
                f"The baseline has {before.candidates:,} candidates, but there are {now.candidates:,} now: "
                f"{' '.join(_key(now.subject))}"
            )
    return compare_all(pairs, settings or ComparisonSettings())


def significant_drops(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons in which the right side is significantly worse."""
    return [comparison for comparison in comparisons if comparison.better == "left"]


def _key(subject: Subject) -> tuple[str, ...]:
    return (subject.dataset, subject.split, subject.lang, subject.direction)


def _to_json(evaluation: Evaluation) -> dict[str, object]:
    return {
        "subject": asdict(evaluation.subject),
        "candidates": evaluation.candidates,
        "metrics": [metric.name for metric in evaluation.metrics],
        "queries": list(evaluation.queries),
        "depth": evaluation.depth,
        "clusters": None if evaluation.clusters is None else list(evaluation.clusters),
        "ranks": [[finite(rank) for rank in ranks.ranks.tolist()] for ranks in evaluation.ranked],
        "grades": [ranks.grades.tolist() for ranks in evaluation.ranked],
    }


def _from_json(record: Mapping[str, Any]) -> Evaluation:
    clusters = record["clusters"]
    ranked = [
        Ranks.of([np.inf if rank is None else float(rank) for rank in ranks], grades)
        for ranks, grades in zip(record["ranks"], record["grades"], strict=True)
    ]
    queries = tuple(str(query) for query in record["queries"])
    if len(queries) != len(ranked) or (clusters is not None and len(clusters) != len(queries)):
        raise ValueError("the number of rankings is not the number of queries")
    return Evaluation(
        Subject(**record["subject"]),
        queries,
        tuple(ranked),
        candidates=int(record["candidates"]),
        clusters=None if clusters is None else tuple(clusters),
        metrics=parse_metrics(record["metrics"]),
        depth=record.get("depth"),
    )
