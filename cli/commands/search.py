"""`sightline search`."""

from pathlib import Path
from typing import BinaryIO

import click

from cli.command_types import QueryCommand
from cli.options import (
    FilterOptions,
    OutputOptions,
    QueryOptions,
    RankingOptions,
    filter_options,
    highlight_option,
    library_option,
    output_options,
    placement_options,
    query_options,
    ranking_options,
    space_option,
)
from encoders.placement import Placement

__all__ = ["search"]


@click.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline search a dog playing in the snow
  sightline search ein Hund spielt im Schnee -k 30
  sightline search --image ./sofa.jpg                    like this picture
  sightline search --image ./sofa.jpg with a cat on it   picture and words
  sightline search a beach --not people                  away from people
  sightline search a beach -people after:2023-06         and a filter
  sightline search camera:x100 -tag:work                 only filters
  sightline search a beach + 0.5:sunset + ./sofa.jpg     weighted parts
  sightline search a beach --in ~/Pictures --after 2023-06 --sort date
  sightline search birthday cake --sheet cake.html       a contact sheet
  sightline search a red kite --highlight kites/         where it is
  sightline search receipts -0 | xargs -0 cp -t ~/tax
  sightline search two men in an office --relevant || echo none
  sightline search beach --json | jq .relevance
  sightline search a dog --interactive                   refine by feedback
  sightline search --queries questions.txt > answers.jsonl

Scores are cosine similarities. They rank pictures for one query and cannot be compared between models. Where
the model is calibrated for this kind of query, --json includes the relevance, the probability that a picture
matches, and the verdict (is_relevant); a `?` after a score marks a picture that probably does not match. Words
that begin with two dashes go after `--`; --plain takes all words literally. docs/searching.md describes the
query language.
""",
)
@query_options
@filter_options
@library_option
@space_option
@placement_options
@ranking_options
@output_options
@highlight_option
@click.option("--parts", "explain", is_flag=True, help="Show the similarity of each part of the query to each picture.")
@click.option("--interactive", is_flag=True, help="Mark hits as right or wrong, and search again.")
@click.option(
    "--queries",
    type=click.File("rb"),
    help="Run each line of a file (`-` for standard input), a query or id<TAB>query; prints one JSON object per query.",
)
@click.pass_context
def search(
    ctx: click.Context,
    /,
    query: QueryOptions,
    filters: FilterOptions,
    ranking: RankingOptions,
    output: OutputOptions,
    library: Path,
    space: str | None,
    placement: Placement,
    highlight: Path | None,
    explain: bool,
    interactive: bool,
    queries: BinaryIO | None,
) -> None:
    """Find pictures by text, by a picture, or by both, best first."""
    from cli.searching import SearchArguments, run_search

    arguments = SearchArguments(
        query=query,
        filters=filters,
        ranking=ranking,
        output=output,
        library=library,
        space=space,
        placement=placement,
        highlight=highlight,
        explain=explain,
        interactive=interactive,
        queries=queries,
    )
    ctx.exit(run_search(arguments))
