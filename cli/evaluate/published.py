"""Published results of other models next to the measured ones (`--published`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import click

from cli.evaluate.options import EvalOptions
from core.errors.base import first_names
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement, group_by_task
from search.evaluate.published import (
    DEFAULT_LANGUAGE,
    PublishedResult,
    datasets_of,
    read_published,
    results_for,
)

__all__ = ["PublishedFile", "PublishedTable", "match_published", "open_published"]

_Task = tuple[str, str, str, str]
"""The data set, its split, the direction and the language of an evaluation."""


@dataclass(frozen=True)
class PublishedFile:
    """The results in a file, and the name of the data set in it; None if it has the name of the evaluated one."""

    path: Path
    dataset: str | None
    results: Sequence[PublishedResult]


@dataclass(frozen=True)
class PublishedTable:
    """The published results by task, best first. They have no intervals and are not tested."""

    results: Mapping[_Task, Sequence[PublishedResult]] = field(default_factory=dict)

    def of(self, evaluation: Evaluation) -> Sequence[PublishedResult]:
        """Return the results on the data set, and in the language and direction, of an evaluation."""
        return self.results.get(_task(evaluation), ())

    def sources(self, evaluations: Sequence[Evaluation]) -> list[str]:
        """Return the names of the files of the results for some evaluations."""
        return sorted({result.source for evaluation in evaluations for result in self.of(evaluation)})


def open_published(options: EvalOptions) -> list[PublishedFile]:
    """Read the files of `--published [DATASET=]FILE`, with the models of `--published-model`.

    Raises `DatasetError` and `click.UsageError`.
    """
    files = []
    for argument in options.published:
        name, equals, file = argument.partition("=")
        has_name = bool(equals) and not Path(argument).exists()
        path = Path(file if has_name else argument)
        results = [each for each in read_published(path) if _is_wanted(each.model, options.published_models)]
        if not results:
            models = sorted({each.model for each in read_published(path)})
            raise click.UsageError(
                f"{path}: no model is called {' or '.join(options.published_models)}. Some models in it: "
                f"{first_names(tuple(models))}"
            )
        files.append(PublishedFile(path, name if has_name else None, results))
        if has_name and not results_for(results, name):
            raise _unknown_dataset(files[-1], name)
    return files


def match_published(files: Sequence[PublishedFile], measurements: Sequence[Measurement]) -> PublishedTable:
    """Return the results of the files that are on the measured tasks, in metrics that were measured.

    Raises `click.UsageError` for a file without such results.
    """
    table: dict[_Task, list[PublishedResult]] = {}
    for file in files:
        found = False
        for group in group_by_task(measurements):
            for evaluation in group[0].evaluations:
                results = _results_on(file, evaluation)
                table.setdefault(_task(evaluation), []).extend(results)
                found = found or bool(results)
        if not found:
            raise _nothing_found(file, measurements)
    for results in table.values():
        results.sort(key=lambda result: -next(iter(result.scores.values())))
    return PublishedTable(table)


def _results_on(file: PublishedFile, evaluation: Evaluation) -> list[PublishedResult]:
    subject = evaluation.subject
    lang = DEFAULT_LANGUAGE if subject.lang == UNKNOWN_LANGUAGE else subject.lang
    metrics = {metric.name for metric in evaluation.metrics}
    return [
        each
        for each in results_for(file.results, file.dataset or subject.dataset)
        if each.direction == subject.direction and each.language == lang and not metrics.isdisjoint(each.scores)
    ]


def _nothing_found(file: PublishedFile, measurements: Sequence[Measurement]) -> click.UsageError:
    first = measurements[0]
    name = file.dataset or first.dataset.name
    known = results_for(file.results, name)
    if not known:
        return _unknown_dataset(file, name)
    kinds = sorted({f"{metric} {each.direction} in {each.language}" for each in known for metric in each.scores})
    return click.UsageError(
        f"{file.path} has results on {name}, but none in the measured metrics, directions and languages. It has: "
        f"{', '.join(kinds[:20])}{', ...' if len(kinds) > 20 else ''}. Choose them with --metrics and --direction."
    )


def _unknown_dataset(file: PublishedFile, name: str) -> click.UsageError:
    names = datasets_of(file.results)
    return click.UsageError(
        f"{file.path} has no results on {name}. Name the data set: --published NAME={file.path}. It has: "
        f"{', '.join(names[:40])}{', ...' if len(names) > 40 else ''}"
    )


def _is_wanted(model: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(model.casefold(), pattern.casefold()) for pattern in patterns)


def _task(evaluation: Evaluation) -> _Task:
    subject = evaluation.subject
    return subject.dataset, subject.split, subject.direction, subject.lang
