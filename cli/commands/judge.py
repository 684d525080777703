"""`sightline judge`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import library_option, placement_options

if TYPE_CHECKING:
    from encoders.placement import Placement

__all__ = ["judge"]


@click.command(
    epilog="""\b
Examples:
  sightline judge queries.txt --out judged
  sightline judge fragen.txt --out judged --lang de -k 20 --preview
  sightline eval judged --library ~/.local/share/sightline/library   evaluate

QUERIES has one query per line, or id<TAB>query. The first pictures of every model in the library are shown in a
random order: r is right, w is wrong, s skips, u undoes the last answer, q quits. Every answer is saved at once;
the next run only asks about pictures that are not judged yet. Pictures that were never shown count as wrong.
"""
)
@click.argument("queries", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
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
    type=click.IntRange(min=1),
    help="Number of pictures of each model to judge.",
)
@click.option("--preview", is_flag=True, help="Show the pictures in the terminal.")
@placement_options
def judge(
    queries: Path, out: Path, library: Path, lang: str | None, top: int, preview: bool, placement: "Placement"
) -> None:
    """Judge the results of your own QUERIES, to evaluate models with them."""
    from cli.judging import judge_queries

    judge_queries(queries, out, library, lang=lang, depth=top, preview=preview, placement=placement)
