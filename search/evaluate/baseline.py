"""Evaluations kept in a file, so that later ones can be held to them.

The file keeps every query's ranks, not the scores: any measure can be made of them later, and a fall is tested query
by query.
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
from search.evaluate.text_records import read_json
from search.evaluate.writing import write_whole

__all__ = ["compare_with_baseline", "falls", "read_baseline", "write_baseline"]

_FORMAT = "sightline baseline 1"


def write_baseline(path: Path | str, evaluations: Sequence[Evaluation]) -> None:
    """Keeps these evaluations, compressed where the file's name ends in `.gz`.

    Raises `EvaluationError` when the file cannot be written.
    """
    content = {"format": _FORMAT, "evaluations": [_as_json(evaluation) for evaluation in evaluations]}
    text = (json.dumps(content, separators=(",", ":")) + "\n").encode()
    write_whole(path, [gzip.compress(text, mtime=0) if Path(path).suffix == ".gz" else text])


def read_baseline(path: Path | str) -> list[Evaluation]:
    """The evaluations in a file that `write_baseline` made. Raises `DatasetError` for any other file."""
    content = read_json(Path(path))
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DatasetError(Path(path), "this is no baseline that `write_baseline` made")
    try:
        return [_from_json(record) for record in content["evaluations"]]
    except (KeyError, TypeError, ValueError) as exc:
        raise DatasetError(Path(path), f"the baseline is damaged: {exc!r}") from exc


def compare_with_baseline(
    evaluations: Sequence[Evaluation],
    baseline: Sequence[Evaluation],
    settings: ComparisonSettings | None = None,
) -> list[Comparison]:
    """Each evaluation (right) against that of the baseline (left) with the same data set, split, language, direction,
    by the measures of the evaluation, which those of the baseline may not have been.

    Raises `EvaluationError` when the baseline has none, or ranked another number of candidates, and `Incomparable`
    when the queries are not the same.
    """
    kept = {_key(evaluation.subject): evaluation for evaluation in baseline}
    absent = [" ".join(_key(e.subject)) for e in evaluations if _key(e.subject) not in kept]
    if absent:
        raise EvaluationError(f"the baseline does not have: {', '.join(absent)}")
    pairs = [(replace(kept[_key(now.subject)], metrics=now.metrics), now) for now in evaluations]
    for before, now in pairs:
        if before.candidates != now.candidates:
            raise EvaluationError(
                f"the baseline ranked {before.candidates:,} candidates, and now there are {now.candidates:,}: "
                f"{' '.join(_key(now.subject))}"
            )
    return compare_all(pairs, settings or ComparisonSettings())


def falls(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those in which the right side is worse, and that is more than noise."""
    return [comparison for comparison in comparisons if comparison.better == "left"]


def _key(subject: Subject) -> tuple[str, ...]:
    return (subject.dataset, subject.split, subject.lang, subject.direction)


def _as_json(evaluation: Evaluation) -> dict[str, object]:
    return {
        "subject": asdict(evaluation.subject),
        "candidates": evaluation.candidates,
        "metrics": [metric.name for metric in evaluation.metrics],
        "queries": list(evaluation.queries),
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
        raise ValueError("not one ranking a query")
    return Evaluation(
        Subject(**record["subject"]),
        queries,
        tuple(ranked),
        candidates=int(record["candidates"]),
        clusters=None if clusters is None else tuple(clusters),
        metrics=parse_metrics(record["metrics"]),
    )
