"""Results in the layout of CLIP_benchmark.

CLIP_benchmark (https://github.com/LAION-AI/CLIP_benchmark, version 1.6) writes a JSON object for each model, data set
and language: `dataset`, `model`, `pretrained`, `task`, `metrics`, `language`. Its command `build` makes a table of
them.

    zeroshot_classification    acc1, acc5, mean_per_class_recall
    zeroshot_retrieval         image_retrieval_recall@k (pictures for a text), text_retrieval_recall@k (the reverse)
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from search.evaluate.evaluation import Direction, Evaluation, finite
from search.evaluate.measurement import Measurement

__all__ = ["BenchmarkResult", "Task", "benchmark_results", "mean_class_recall"]

Task: TypeAlias = Literal["zeroshot_classification", "zeroshot_retrieval"]

_RETRIEVAL_NAMES: dict[Direction, str] = {
    "text-to-picture": "image_retrieval_recall",
    "picture-to-text": "text_retrieval_recall",
}
_FINGERPRINT = re.compile(r" \([0-9a-f]+\)$")
"""The end of the name of an embedding space."""

_TOP_CLASSES = 5
"""The depth of `acc5`, which fewer classes than that have no value for."""


@dataclass
class BenchmarkResult:
    """The numbers of one model on one data set in one language."""

    dataset: str
    model: str
    pretrained: str
    """The name of the weights: the part of an OpenCLIP name after the slash, else empty."""
    task: Task
    language: str
    metrics: dict[str, float | None] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object. Numbers that do not exist are None."""
        return {
            "dataset": self.dataset,
            "model": self.model,
            "pretrained": self.pretrained,
            "task": self.task,
            "metrics": dict(self.metrics),
            "language": self.language,
        }


def benchmark_results(measurements: Sequence[Measurement]) -> Iterator[BenchmarkResult]:
    """Yield a result for each system, data set and language.

    On folders of classes it is zero-shot classification, measured from picture to text; a system that was not measured
    in this direction has no result. Otherwise it is retrieval in the measured directions, at the depths of their
    metrics `recall@k`.
    """
    results: dict[tuple[str, str, str, str], BenchmarkResult] = {}
    for measurement in measurements:
        dataset = measurement.dataset
        for evaluation, only in zip(_by_language(measurement), measurement.by_language(), strict=True):
            if dataset.task == "classification":
                if measurement.direction != "picture-to-text":
                    continue
                metrics, task = _classification(evaluation, only), "zeroshot_classification"
            else:
                metrics, task = _retrieval(evaluation), "zeroshot_retrieval"
            lang = evaluation.subject.lang
            result = _result(measurement, task, lang)  # type: ignore[arg-type]
            key = (dataset.name, dataset.split, measurement.name, lang)
            results.setdefault(key, result).metrics.update(metrics)
    yield from results.values()


def mean_class_recall(evaluation: Evaluation, classes: Sequence[str]) -> float:
    """Return the mean, over classes, of the share of pictures for which the right class is ranked first.

    `classes` names the class of each query of the evaluation. This is scikit-learn's `balanced_accuracy_score`.
    """
    hits = evaluation.first_ranks == 1  # (Q,)
    of_class = np.array(classes)  # (Q,)
    return float(np.mean([hits[of_class == name].mean() for name in sorted(set(classes))]))


def _by_language(measurement: Measurement) -> Sequence[Evaluation]:
    """Return the evaluations of single languages."""
    return measurement.evaluations[:-1] or measurement.evaluations


def _result(measurement: Measurement, task: Task, lang: str) -> BenchmarkResult:
    model, _, pretrained = _FINGERPRINT.sub("", measurement.name).partition("/")
    return BenchmarkResult(measurement.dataset.name, model, pretrained, task, lang)


def _classification(evaluation: Evaluation, measurement: Measurement) -> dict[str, float | None]:
    class_of = {image: caption.id for caption in measurement.dataset.captions for image in caption.images}
    top = evaluation.recall_curve([1, _TOP_CLASSES])
    return {
        "acc1": top[0],
        "acc5": finite(top[1] if evaluation.candidates >= _TOP_CLASSES else math.nan),
        "mean_per_class_recall": mean_class_recall(evaluation, [class_of[query] for query in evaluation.queries]),
    }


def _retrieval(evaluation: Evaluation) -> dict[str, float | None]:
    name = _RETRIEVAL_NAMES[evaluation.subject.direction]
    depths = [metric.depth for metric in evaluation.metrics if metric.name.startswith("recall@") and metric.depth]
    return {f"{name}@{k}": recall for k, recall in zip(depths, evaluation.recall_curve(depths), strict=True)}
