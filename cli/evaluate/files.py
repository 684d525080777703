"""What an evaluation leaves on disk: TREC files, a baseline, a report, plots."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.evaluate.comparisons import Standings
from cli.evaluate.measure import Measured
from cli.evaluate.request import Options
from search.evaluate.baseline import write_baseline
from search.evaluate.trec import write_qrels, write_run
from search.evaluate.writing import write_whole

__all__ = ["write_files"]


def write_files(measured: Sequence[Measured], standings: Standings, options: Options) -> None:
    """Writes each file that was asked for.

    Raises `EvaluationError` or `click.FileError` when one cannot be written, and `ExtraMissing` for plots.
    """
    first = measured[0]
    if options.qrels:
        write_qrels(options.qrels, first.qrels)
    if options.run:
        write_run(options.run, first.ranking(first.pooled.queries, options.depth))
    if options.save:
        write_baseline(options.save, [evaluation for each in measured for evaluation in each.evaluations])
    if options.html:
        from cli.evaluate.report import page

        command = shlex.join(["sightline", *sys.argv[1:]])
        write_whole(options.html, [page(measured, standings, command).encode()])
    if options.plots:
        _write_plots(options.plots, measured)


def _write_plots(folder: Path, measured: Sequence[Measured]) -> None:
    from cli.evaluate.plots import write_plots

    try:
        write_plots(folder, measured)
    except OSError as exc:
        raise click.FileError(str(folder), exc.strerror or str(exc)) from exc
