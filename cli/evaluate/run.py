"""An evaluation from its options to its exit code: measure, print, and write files."""

import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import click

from cli.evaluate.comparisons import ComparisonReport, compare_measurements
from cli.evaluate.plots import require_matplotlib, write_plots
from cli.evaluate.report.page import render_page
from cli.evaluate.systems import open_systems
from cli.evaluate.text_report import print_records, print_tables
from cli.progress import ProgressBar
from encoders.placement import Placement
from search.evaluate.baseline import read_baseline, write_baseline
from search.evaluate.datasets import Dataset, open_dataset
from search.evaluate.evaluation import Direction
from search.evaluate.measurement import Measurement, measure, measure_approximate
from search.evaluate.metrics import parse_metrics
from search.evaluate.scoring import EvaluationSettings
from search.evaluate.systems import CaptionVectorFile, RetrievalSystem
from search.evaluate.text_files import write_bytes
from search.evaluate.trec import write_qrels, write_run

__all__ = ["EXIT_DROPPED", "EvalOptions", "run"]

EXIT_DROPPED = 3
"""Exit code when a metric is significantly worse than in the baseline."""


@dataclass(frozen=True)
class EvalOptions:
    """The values of the command line, one field per option."""

    datasets: tuple[Path, ...]
    spaces: tuple[str, ...]
    library: Path | None
    split: str | None
    langs: tuple[str, ...]
    direction: str
    templates: tuple[str, ...]
    metrics: str | None
    indexes: tuple[str, ...]
    depth: int
    format: str | None
    pictures: Path | None
    query_vectors: tuple[str, ...]
    query_ids: Path | None
    run: Path | None
    qrels: Path | None
    html: Path | None
    plots: Path | None
    save: Path | None
    baseline: Path | None
    as_json: bool
    placement: Placement


def run(options: EvalOptions) -> int:
    """Measure, print the results and write the files; return the exit code."""
    _check(options)
    baseline = read_baseline(options.baseline) if options.baseline else None
    datasets = _open_datasets(options)
    with ExitStack() as stack:
        measurements = [each for dataset in datasets for each in _measure(stack, dataset, options)]
        comparisons = compare_measurements(measurements, baseline)
        show = print_records if options.as_json else print_tables
        show(measurements, comparisons)
        _write_files(measurements, comparisons, options)
    return EXIT_DROPPED if comparisons.drops else 0


def _check(options: EvalOptions) -> None:
    """Reject invalid options before anything is measured. Raises `click.UsageError`, and `ExtraMissing` for plots."""
    for name, path in [("--run", options.run), ("--qrels", options.qrels)]:
        if path and (len(options.datasets) > 1 or options.direction == "both"):
            raise click.UsageError(f"{name} needs a single data set and a single direction.")
    several = len(options.spaces) > 1 or options.indexes
    for name, path in [("--run", options.run), ("--save", options.save), ("--baseline", options.baseline)]:
        if path and several:
            raise click.UsageError(f"{name} needs a single space and exact search.")
    for template in options.templates:
        if "{}" not in template:
            raise click.UsageError(f"The template {template!r} has no {{}} for the caption.")
    for path in (options.run, options.qrels, options.html, options.save):
        if path and not path.parent.is_dir():
            raise click.UsageError(f"Cannot write {path}: Folder {path.parent} not found.")
    if options.query_vectors and options.library is None:
        raise click.UsageError("--query-vectors needs the --library of the imported space.")
    if options.plots:
        require_matplotlib()


def _open_datasets(options: EvalOptions) -> list[Dataset]:
    """Open all data sets. Their names must be unique, because tables and baselines identify them by name."""
    datasets = [_open_dataset(path, options) for path in options.datasets]
    (name, split), count = Counter((dataset.name, dataset.split) for dataset in datasets).most_common(1)[0]
    if count > 1:
        raise click.UsageError(f"{count} data sets have the name {name} (split {split}). Evaluate them one at a time.")
    return datasets


def _open_dataset(path: Path, options: EvalOptions) -> Dataset:
    """Open a data set in the given languages. With --library its pictures need not exist as files."""
    template = {"template": "{}"} if options.templates else {}
    dataset = open_dataset(
        path,
        options.split,
        format=options.format,
        root=options.pictures,
        check_files=options.library is None,
        **template,
    )
    return dataset.only(*options.langs) if options.langs else dataset


def _measure(stack: ExitStack, dataset: Dataset, options: EvalOptions) -> list[Measurement]:
    """Measure every system in every direction; the approximate indexes of a system follow it."""
    systems = open_systems(dataset, options.spaces, options.library, _vector_files(options), options.placement)
    measurements = []
    for system in stack.enter_context(systems):
        exact = _measure_exactly(system, dataset, options)
        measurements += exact
        measurements += [measure_approximate(each, spec, options.depth) for spec in options.indexes for each in exact]
    return measurements


def _measure_exactly(system: RetrievalSystem, dataset: Dataset, options: EvalOptions) -> list[Measurement]:
    directions: Sequence[Direction] = get_args(Direction) if options.direction == "both" else [options.direction]  # type: ignore[list-item]
    names = options.metrics.split(",") if options.metrics else None
    settings = EvaluationSettings(metrics=parse_metrics(names)) if names else EvaluationSettings()
    if isinstance(system.captions, CaptionVectorFile):
        return measure(system, dataset, directions, settings)
    embedded = 0

    with ProgressBar() as progress:

        def on_progress(done: int, total: int) -> None:
            nonlocal embedded
            if done:
                progress.advance(done - embedded)
            else:
                progress.begin(total)
            embedded = done

        return measure(system, dataset, directions, settings, options.templates, on_progress)


def _vector_files(options: EvalOptions) -> Mapping[str, CaptionVectorFile]:
    """Return the files of --query-vectors by the name of the space; under "" if no space is named."""
    files = {}
    for argument in options.query_vectors:
        name, equals, file = argument.partition("=")
        has_name = bool(equals) and name in options.spaces
        if not has_name and len(options.spaces) > 1:
            raise click.UsageError(f"Name the space of the vectors: --query-vectors SPACE={argument}")
        files[name if has_name else ""] = CaptionVectorFile(Path(file if has_name else argument), options.query_ids)
    return files


def _write_files(measurements: Sequence[Measurement], comparisons: ComparisonReport, options: EvalOptions) -> None:
    """Write the files of all options. Raises `EvaluationError`, `click.FileError`, and `ExtraMissing` for plots."""
    first = measurements[0]
    if options.qrels:
        write_qrels(options.qrels, first.qrels)
    if options.run:
        write_run(options.run, first.ranking(first.pooled.queries, options.depth))
    if options.save:
        write_baseline(options.save, [evaluation for each in measurements for evaluation in each.evaluations])
    if options.html:
        command = shlex.join(["sightline", *sys.argv[1:]])
        write_bytes(options.html, [render_page(measurements, comparisons, command).encode()])
    if options.plots:
        try:
            write_plots(options.plots, measurements)
        except OSError as exc:
            raise click.FileError(str(options.plots), exc.strerror or str(exc)) from exc
