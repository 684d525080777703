"""An evaluation from options to exit code."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import click

from cli.evaluate.comparisons import Standings, stand
from cli.evaluate.files import write_files
from cli.evaluate.measure import Measured, measure, measure_approximate
from cli.evaluate.plots import require_matplotlib
from cli.evaluate.request import Options
from cli.evaluate.systems import QueryVectors, open_systems
from cli.evaluate.table import comparison_table, definitions, evaluation_table
from cli.output import print_json, print_text
from search.evaluate.baseline import read_baseline
from search.evaluate.datasets import Dataset, open_dataset
from search.evaluate.evaluate import EvaluationSettings
from search.evaluate.evaluation import Direction
from search.evaluate.metrics import parse_metrics

__all__ = ["FALLEN", "run"]

FALLEN = 3
"""Exit code when a measure fell below the baseline."""


def run(options: Options) -> int:
    """Measures, prints and writes all that was asked for; returns the exit code."""
    _check(options)
    baseline = read_baseline(options.baseline) if options.baseline else None
    datasets = _datasets(options)
    with ExitStack() as stack:
        measured = [each for dataset in datasets for each in _measured(stack, dataset, options)]
        standings = stand(measured, baseline)
        show = _print_records if options.as_json else _print_tables
        show(measured, standings)
        write_files(measured, standings, options)
    return FALLEN if standings.fallen else 0


def _check(options: Options) -> None:
    """Refuses what else would be found out only after everything was measured.

    Raises `click.UsageError`, and `ExtraMissing` for plots.
    """
    single = [("--run", options.run), ("--qrels", options.qrels)]
    for name, path in single:
        if path and (len(options.datasets) > 1 or options.direction == "both"):
            raise click.UsageError(f"{name} is of one data set in one direction")
    systems = len(options.spaces) > 1 or options.indexes
    for name, path in [("--run", options.run), ("--save", options.save), ("--baseline", options.baseline)]:
        if path and systems:
            raise click.UsageError(f"{name} is of one space, searched exactly")
    for template in options.templates:
        if "{}" not in template:
            raise click.UsageError(f"the template {template!r} does not say where the caption goes: {{}}")
    for path in (options.run, options.qrels, options.html, options.save):
        if path and not path.absolute().parent.is_dir():
            raise click.UsageError(f"there is no folder {path.parent}")
    if options.query_vectors and options.library is None:
        raise click.UsageError("--query-vectors are for an imported space: name its --library")
    if options.plots:
        require_matplotlib()


def _datasets(options: Options) -> list[Dataset]:
    """All of them; their names must tell them apart, in tables and in a baseline."""
    datasets = [_dataset(path, options) for path in options.datasets]
    (name, split), count = Counter((dataset.name, dataset.split) for dataset in datasets).most_common(1)[0]
    if count > 1:
        raise click.UsageError(f"{count} data sets are called {name} (split {split}): evaluate them one at a time")
    return datasets


def _dataset(path: Path, options: Options) -> Dataset:
    """Opened, in the languages that were asked for. What a --library knows need not be there as files."""
    words = {"template": "{}"} if options.templates else {}
    dataset = open_dataset(
        path,
        options.split,
        format=options.format,
        root=options.pictures,
        check_files=options.library is None,
        **words,
    )
    return dataset.only(*options.langs) if options.langs else dataset


def _measured(stack: ExitStack, dataset: Dataset, options: Options) -> list[Measured]:
    """Every system in every direction, the first system first; what the approximate indexes make of each follows."""
    directions: Sequence[Direction] = get_args(Direction) if options.direction == "both" else [options.direction]  # type: ignore[list-item]
    names = options.metrics.split(",") if options.metrics else None
    settings = EvaluationSettings(metrics=parse_metrics(names)) if names else EvaluationSettings()
    found = []
    systems = open_systems(dataset, options.spaces, options.library, _query_vectors(options), options.placement)
    for system in stack.enter_context(systems):
        exact = measure(system, dataset, directions, settings, options.templates)
        found += exact
        found += [measure_approximate(each, spec, options.depth) for spec in options.indexes for each in exact]
    return found


def _query_vectors(options: Options) -> Mapping[str, QueryVectors]:
    """By the name of the space; under "" if none is said."""
    given = {}
    for argument in options.query_vectors:
        name, equals, file = argument.partition("=")
        named = bool(equals) and name in options.spaces
        if not named and len(options.spaces) > 1:
            raise click.UsageError(f"say of which space the vectors are: --query-vectors SPACE={argument}")
        given[name if named else ""] = QueryVectors(Path(file if named else argument), options.query_ids)
    return given


def _print_records(measured: Sequence[Measured], standings: Standings) -> None:
    for each in measured:
        for evaluation in each.evaluations:
            print_json({**evaluation.as_dict(), **standings.records(evaluation)})


def _print_tables(measured: Sequence[Measured], standings: Standings) -> None:
    for each in measured:
        for line in [*evaluation_table(each), ""]:
            print_text(line)
    for standing in standings.all:
        for line in [*comparison_table(standing.title, standing.comparisons), ""]:
            print_text(line)
    for line in definitions(measured):
        print_text(line)
    for line in standings.verdicts:
        print_text(line)
