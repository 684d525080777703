"""`sightline search`: find pictures by words, by a picture, or by both."""

from pathlib import Path
from typing import Any

import click

from cli.options import filter_options, filters, json_option, library_option, result_options

__all__ = ["mend", "search"]


@click.command(
    epilog="""\b
Examples:
  sightline search a dog playing in the snow
  sightline search ein Hund spielt im Schnee -k 30
  sightline search --image ./sofa.jpg                    like this picture
  sightline search --image ./sofa.jpg with a cat on it   like this picture and these words
  sightline search a beach --not people                  turned away from these words
  sightline search a beach --in ~/Pictures/2023 --after 2023-06 --before 2023-09 --sort date
  sightline search birthday cake --sheet cake.html       a contact sheet to look at
  sightline search receipts -0 | xargs -0 cp -t ~/tax
  sightline search two men in an office --relevant || echo none
  sightline search beach --json | jq .relevance
\b
Scores are cosine similarities: they rank pictures for one query, and those of two models cannot be compared.
Where it was measured, --json adds the relevance, how likely a picture answers the query; a `?` after a score
says that it probably does not. Words that begin with a dash go after `--`.
"""
)
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@click.option(
    "--image",
    "images",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A picture as (part of) the query; repeatable.",
)
@click.option("--not", "without", multiple=True, metavar="TEXT", help="Words to stay away from; repeatable.")
@filter_options
@library_option
@result_options
@json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    images: tuple[Path, ...],
    without: tuple[str, ...],
    within: tuple[Path, ...],
    after: str | None,
    before: str | None,
    library: Path,
    top: int,
    min_score: float | None,
    relevant: bool,
    **form: Any,
) -> None:
    """Find pictures by words, by a picture, or by both, best first."""
    from cli.results import Form, answer
    from search import Query, Searcher
    from store import Library

    text = " ".join(words).strip()
    query = Query.of([text] if text else [], images, without)
    narrowed = filters(within, after, before)
    with Library.open(library) as opened:
        searcher = Searcher(opened)
        hits = searcher.search(query, k=top, min_score=min_score, filters=narrowed, relevant=relevant)
        code = answer(query.title, hits, Form(**form))
        mend(searcher)
    ctx.exit(code)


def mend(searcher: Any) -> None:
    """After the answer, so that it does not wait: an index file that was no good is made anew."""
    mended = searcher.heal()
    if searcher.fault is not None:
        done = "it was made anew from the catalogue" if mended else "`sightline repair` makes it anew"
        click.echo(f"sightline: {searcher.fault}; the answer is right all the same, and {done}", err=True)
