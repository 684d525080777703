"""`sightline search`: find pictures by words, by a picture, or by both."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.hit_overlays import highlight_option, write_overlays
from cli.options import (
    Order,
    condition_texts,
    filter_options,
    filters,
    json_option,
    library_option,
    page_options,
    placement_options,
    result_options,
    space_option,
)
from cli.query_options import Asked, QueryCommand, ask_options, line_of, merged, note

if TYPE_CHECKING:
    from cli.results import Form
    from encoders.placement import Placement
    from search import Answer, Asking, Query, Searcher
    from store import Library

__all__ = ["mend", "open_searcher", "search"]


@click.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline search a dog playing in the snow
  sightline search ein Hund spielt im Schnee -k 30
  sightline search --image ./sofa.jpg                    like this picture
  sightline search --image ./sofa.jpg with a cat on it   and these words
  sightline search a beach --not people                  turned away from it
  sightline search a beach -people after:2023-06         and a filter
  sightline search camera:x100 -tag:work                 filters alone
  sightline search a beach + 0.5:sunset + ./sofa.jpg     one counts half
  sightline search a beach --in ~/Pictures --after 2023-06 --sort date
  sightline search birthday cake --sheet cake.html       a contact sheet
  sightline search a red kite --highlight kites/         where it is
  sightline search receipts -0 | xargs -0 cp -t ~/tax
  sightline search two men in an office --relevant || echo none
  sightline search beach --json | jq .relevance
  sightline search a dog --interactive                   say which are right
  sightline search --queries questions.txt > answers.jsonl

Scores are cosine similarities: they rank pictures for one query, and those of two models cannot be compared.
Where it was measured, --json adds the relevance, how likely a picture answers the query; a `?` after a score
says that it probably does not. Words that begin with two dashes go after `--`; with --plain, all words mean
themselves. docs/searching.md describes the query language.
""",
)
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@ask_options
@filter_options
@library_option
@space_option
@placement_options
@result_options
@page_options
@highlight_option
@click.option("--parts", "explain", is_flag=True, help="Show how similar each part of the query is to each picture.")
@click.option("--interactive", is_flag=True, help="Look through the hits, say which are right, and ask again.")
@click.option(
    "--queries",
    type=click.File("r", encoding="utf-8", errors="surrogateescape"),
    help="Ask every line of a file (`-`: standard input), or id<TAB>query; one JSON object a query.",
)
@json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    within: tuple[Path, ...],
    after: str | None,
    before: str | None,
    library: Path,
    placement: "Placement",
    space: str | None,
    highlight: Path | None,
    explain: bool,
    interactive: bool,
    queries: Any,
    **options: Any,
) -> None:
    """Find pictures by words, by a picture, or by both, best first."""
    from cli.results import Form
    from store import Library

    asked, order, form = Asked.take(options), Order.take(options), Form.take(options)
    narrowed, query = filters(within, after, before), None
    if queries is None:
        query, inline = asked.question()
        narrowed = merged(narrowed, inline)
    extras = {"--parts": explain, "--highlight": highlight is not None}
    if queries is not None or interactive:
        both = {"--interactive": interactive and queries is not None}
        _refuse("--interactive" if queries is None else "--queries", form, extras | both)
    with Library.open(library) as opened:
        if queries is None and query is None:
            from cli.filter_listing import list_pictures

            title = " ".join([line_of(asked.words), *condition_texts()]).strip()
            ctx.exit(list_pictures(title, opened, narrowed, order, form, extras | {"--interactive": interactive}))
        searcher = open_searcher(opened, space, placement)
        if query is None:
            from cli.query_batch import answer_all

            code = answer_all(searcher, queries, asked, order, narrowed)
        elif interactive:
            from cli.interactive import Dialogue

            code = Dialogue(searcher, query, order, narrowed, asked.asking()).run()
        else:
            hits = searcher.search(query, filters=narrowed, explain=explain, asking=asked.asking(), **asdict(order))
            code = _show(searcher, query, hits, form, asked.asking(), highlight)
        mend(searcher)
        if query is not None:
            from cli.language_advice import advise
            from search.query_language import misspelt

            if not asked.plain:
                note(misspelt(query))
            advise(opened.path, searcher.space.space.model, query)
    ctx.exit(code)


def _show(
    searcher: "Searcher", query: "Query", hits: "Answer", form: "Form", asking: "Asking", highlight: Path | None
) -> int:
    """Shows the answer to one query; returns the exit code."""
    from cli.results import answer

    note(hits.notes)
    code = answer(query.title, hits, form, hits.next)
    if highlight is not None:
        write_overlays(highlight, hits, query, searcher, asking)
    return code


def _refuse(mode: str, form: "Form", extras: dict[str, bool]) -> None:
    """Says so where an option would do nothing: `--queries` prints JSON alone, `--interactive` lines."""
    given = [option for option, said in {**form.options, **extras}.items() if said]
    if mode == "--queries" and "--json" in given:
        given.remove("--json")
    if given:
        raise click.UsageError(f"{mode} does without {', '.join(given)}: ask one query for that.")


def open_searcher(library: "Library", space: str | None, placement: "Placement") -> "Searcher":
    """A searcher in the space that is asked for; one that is half built is said to be."""
    from cli.spaces import say_covered
    from search import Searcher

    searcher = Searcher(library, space=space, placement=placement)
    if space is not None:
        say_covered(library, searcher.space)
    return searcher


def mend(searcher: "Searcher") -> None:
    """After the answer, so that it does not wait: an index file that was no good is made anew."""
    mended = searcher.heal()
    if searcher.fault is not None:
        done = "it was made anew from the catalogue" if mended else "`sightline repair` makes it anew"
        click.echo(f"sightline: {searcher.fault}; the answer is right all the same, and {done}", err=True)
