"""`sightline judge`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.command_types import IntegerRange
from cli.options import json_option, library_option, placement_options

if TYPE_CHECKING:
    from cli.judging import Order
    from encoders.placement import Placement

__all__ = ["judge"]


@click.command(
    epilog="""\b
Examples:
  sightline judge queries.txt --out judged
  sightline judge fragen.txt --out judged --lang de -k 20 --preview
  sightline eval judged --library ~/.local/share/sightline/library   evaluate
  sightline judge --compare anna/ ben/      how far two people agree (Cohen's kappa)

QUERIES has one query per line, or id<TAB>query. The first pictures of every model in the library are shown, those
first whose judgement can change the measured values most: r is right, w is wrong, s skips, u undoes the last answer,
q quits. Every answer is saved at once; the next run only asks about pictures that are not judged yet. Pictures that
were never shown count as wrong.
"""
)
@click.argument("queries", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the judgements.",
)
@library_option
@click.option("--lang", metavar="CODE", help="The language of the queries.")
@click.option(
    "-k",
    "--top",
    default=10,
    show_default=True,
    type=IntegerRange(min=1),
    help="Number of pictures of each model to judge.",
)
@click.option(
    "--order",
    type=click.Choice(["influence", "random"]),
    default="influence",
    show_default=True,
    help="What is asked first: what can change the measured values most, or pictures in a random order.",
)
@click.option("--preview", is_flag=True, help="Show the pictures in the terminal.")
@click.option(
    "--compare",
    nargs=2,
    metavar="FIRST SECOND",
    type=click.Path(exists=True, path_type=Path),
    help="Compare the judgements of two people: two folders of judgements, or files of qrels.",
)
@json_option
@placement_options
def judge(
    queries: Path | None,
    out: Path | None,
    library: Path,
    lang: str | None,
    top: int,
    order: "Order",
    preview: bool,
    compare: tuple[Path, Path] | None,
    as_json: bool,
    placement: "Placement",
) -> None:
    """Judge the results of your own QUERIES, to evaluate models with them."""
    if compare is not None:
        if queries is not None or out is not None:
            raise click.UsageError("--compare reads two sets of judgements; it takes neither QUERIES nor --out.")
        from cli.agreement import compare_judgements

        compare_judgements(*compare, as_json=as_json)
        return
    if queries is None or out is None:
        raise click.UsageError("Name a file of queries and --out, the folder for the judgements.")
    if as_json:
        raise click.UsageError("--json is for --compare.")
    from cli.judging import judge_queries

    judge_queries(queries, out, library, lang=lang, depth=top, order=order, preview=preview, placement=placement)
