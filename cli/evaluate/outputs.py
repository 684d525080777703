"""The files that an evaluation writes: runs, judgements, a baseline, the report and plots."""

import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.evaluate.comparisons import ComparisonReport
from cli.evaluate.options import EvalOptions
from cli.evaluate.plots import write_plots
from search.evaluate.baseline import write_baseline
from search.evaluate.clip_benchmark import benchmark_results
from search.evaluate.measurement import Measurement
from search.evaluate.text_files import write_bytes
from search.evaluate.trec import write_qrels, write_run

__all__ = ["write_files"]

BENCHMARK_NAME = "{dataset}_{pretrained}_{model}_{language}_{task}.json"
"""A name for files of results that CLIP_benchmark suggests."""


def write_files(measurements: Sequence[Measurement], comparisons: ComparisonReport, options: EvalOptions) -> None:
    """Write the files of all options. Raises `EvaluationError`, `click.FileError`, and `ExtraMissing` for plots."""
    if options.qrels and not options.reads_qrels:
        _write_qrels(options.qrels, measurements)
    if options.run:
        _write_runs(options.run, measurements, options.depth)
    if options.clip_benchmark:
        _write_benchmark_results(options.clip_benchmark, measurements)
    if options.save:
        write_baseline(options.save, [evaluation for each in measurements for evaluation in each.evaluations])
    if options.html:
        from cli.evaluate.report.page import render_page  # which imports Pillow

        command = shlex.join(["sightline", *sys.argv[1:]])
        write_bytes(options.html, [render_page(measurements, comparisons, command).encode()])
    if options.plots:
        try:
            write_plots(options.plots, measurements)
        except OSError as exc:
            raise click.FileError(str(options.plots), exc.strerror or str(exc)) from exc


def _write_qrels(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write the judgements: one file, or one for each direction, named after it."""
    by_direction = {each.direction: each.qrels for each in measurements}
    for direction, qrels in by_direction.items():
        write_qrels(_named(path, [direction] if len(by_direction) > 1 else []), qrels)


def _write_runs(path: Path, measurements: Sequence[Measurement], depth: int) -> None:
    """Write a run of each measurement: one file, or several, named after the system and the direction."""
    names, directions = ({getattr(each, key) for each in measurements} for key in ("name", "direction"))
    for each in measurements:
        parts = [each.name] if len(names) > 1 else []
        parts += [each.direction] if len(directions) > 1 else []
        write_run(_named(path, parts), each.ranking(each.pooled.queries, depth), _tag(each.name))


def _write_benchmark_results(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write a file for each result; the name says in braces what it contains. Raises `click.UsageError`."""
    files: dict[Path, dict[str, object]] = {}
    for result in benchmark_results(measurements):
        record = result.as_dict()
        facts = {key: value.replace("/", "_") for key, value in record.items() if isinstance(value, str)}
        try:
            file = path.with_name(path.name.format(**facts))
        except (KeyError, IndexError, ValueError) as exc:
            raise click.UsageError(f"{path.name}: in braces only {', '.join(facts)} are known.") from exc
        if file in files:
            raise click.UsageError(f"{file} would contain several results. Name them: {BENCHMARK_NAME}")
        files[file] = record
    if not files:
        raise click.UsageError("--clip-benchmark on folders of classes needs --direction picture-to-text.")
    for file, record in files.items():
        write_bytes(file, [json.dumps(record, ensure_ascii=False).encode(), b"\n"])


def _named(path: Path, parts: Sequence[str]) -> Path:
    """Return `run-mini-text-to-picture.txt` for `run.txt` and the parts of the name."""
    return path.with_name("-".join([path.stem, *map(_tag, parts)]) + path.suffix)


def _tag(name: str) -> str:
    """Return a name that can be part of a file name and the tag of a run."""
    return re.sub(r"[^\w.@+-]+", "-", name).strip("-") or "run"
