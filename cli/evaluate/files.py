"""What an evaluation leaves on disk: TREC files, a baseline, a report, plots."""

import shlex
import sys
from collections.abc import Sequence

import click

from cli.evaluate.measure import Measured
from cli.evaluate.standings import Standings
from cli.evaluate.verb import Options
from search.evaluate.baseline import write_baseline
from search.evaluate.trec import write_qrels, write_run

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
    try:
        if options.html:
            from cli.evaluate.report import page

            command = shlex.join(["sightline", *sys.argv[1:]])
            options.html.write_text(page(measured, standings, command), encoding="utf-8")
        if options.plots:
            from cli.evaluate.plots import write_plots

            write_plots(options.plots, measured)
    except OSError as exc:
        raise click.FileError(str(options.html or options.plots), exc.strerror or str(exc)) from exc
