"""`sightline album`: searches that were given a name."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.options import (
    condition_texts,
    filter_options,
    filters,
    form_options,
    from_here,
    json_option,
    library_option,
)
from cli.query_options import QueryCommand, line_of, merged, note, unmarked

__all__ = ["album"]


@click.group(
    no_args_is_help=True,
    epilog="""\b
Examples:
  sightline album save "Best of Rome" in:Rome 'rating:>=4'
  sightline album show "Best of Rome"
  sightline search a fountain album:"Best of Rome"
""",
)
def album() -> None:
    """Keep a search under a name, and show what it finds now."""


@album.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline album save "Best of Rome" in:Rome 'rating:>=4'
  sightline album save Noisy --where 'iso>3200'
  sightline album save Beaches a beach -people after:2020 -k 200

An album keeps the question, not the answer: pictures that come later are in it too. One of filters alone can
be a filter itself, album:NAME; one with words shows the best pictures for them.
""",
)
@click.argument("name")
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@filter_options
@click.option(
    "-k", "--top", default=100, show_default=True, type=click.IntRange(min=1), help="How many, where words rank them."
)
@library_option
def save(name: str, words: tuple[str, ...], top: int, library: Path, **which: Any) -> None:
    """Keep a QUERY with its filters as the album NAME."""
    from cli.output import print_text, say_waiting
    from search import Filters
    from search.browse import MOST
    from search.query_language import Question, misspelt, parse
    from store import Library
    from store.albums import AlbumRecord, save_album
    from store.filters.selection import matching

    name, line = unmarked(name), _from_anywhere(line_of(words))
    question = parse(line) if line.strip() else Question(None)
    narrowed = merged(filters(**which), Filters(where=question.where))
    if question.query is None and not narrowed:
        raise click.UsageError("Say what the album shows: words, or filters such as camera:x100.")
    condition = narrowed.condition() if narrowed else None
    said = " ".join([line, *_said(**which)]).strip()
    with Library.open(library) as opened, opened.writer_lock(say_waiting), opened.write() as connection:
        if condition is not None:
            matching(connection, condition)  # raises what is wrong with it
        record = AlbumRecord(
            name, line if question.query else said, condition, min(top, MOST), question.query is not None
        )
        replaced = save_album(connection, record)
    print_text(f"{'Replaced' if replaced else 'Saved'} the album {name}: {said}")
    if question.query is not None:
        note(misspelt(question.query))


@album.command(
    "list",
    epilog="""\b
Examples:
  sightline album list
""",
)
@library_option
@json_option
@click.pass_context
def list_albums(ctx: click.Context, library: Path, as_json: bool) -> None:
    """List the albums and what they ask."""
    from cli.output import print_json, print_text
    from store import Library
    from store.albums import list_albums as every

    with Library.open(library) as opened, opened.read() as connection:
        albums = every(connection)
    for each in albums:
        if as_json:
            print_json({"album": each.name, "query": each.query, "ranked": each.is_ranked})
        else:
            print_text(f"{each.name}  ({each.query})")
    ctx.exit(0 if albums else 1)


@album.command(
    short_help="Show the pictures that the album NAME finds now.",
    epilog="""\b
Examples:
  sightline album show Noisy
  sightline album show Noisy -0 | xargs -0 cp -t ~/noisy
""",
)
@click.argument("name")
@click.option("-k", "--top", type=click.IntRange(min=1), help="How many pictures  [default: all; as it was saved].")
@form_options
@library_option
@json_option
@click.pass_context
def show(ctx: click.Context, /, name: str, top: int | None, library: Path, **options: Any) -> None:
    """Show the pictures that the album NAME finds now: the newest first, or the best for its words."""
    from cli.results import Form, answer
    from search import Filters, Searcher
    from search.browse import MOST, browse
    from search.hits import Listed
    from search.query_language import parse
    from store import Library
    from store.albums import find_album

    form = Form.take(options)
    with Library.open(library) as opened:
        with opened.read() as connection:
            found = find_album(connection, name)
        narrowed = Filters(where=found.condition)
        query = parse(found.query).query if found.is_ranked else None
        pictures: Sequence[Listed]
        if query is not None:
            pictures = Searcher(opened).search(query, k=top or found.top, filters=narrowed)
        else:
            pictures = browse(opened, top or MOST, narrowed).pictures
        ctx.exit(answer(found.name, pictures, form))


@album.command(
    epilog="""\b
Examples:
  sightline album drop Noisy
"""
)
@click.argument("name")
@library_option
def drop(name: str, library: Path) -> None:
    """Forget the album NAME; its pictures stay as they are."""
    from cli.output import print_text, say_waiting
    from store import Library
    from store.albums import drop_album

    with Library.open(library) as opened, opened.writer_lock(say_waiting), opened.write() as connection:
        drop_album(connection, name)
    print_text(f"Dropped the album {name}.")


_HERE = re.compile(r'(?<![^\s":])(?:\./|(?=\.\./))')
"""Before the name of a picture that is said from the folder where one stands."""


def _from_anywhere(line: str) -> str:
    """`line` with its pictures named in full, so that it means the same wherever the album is shown."""
    here = from_here(Path()).absolute()
    full = _HERE.sub(lambda _: f"{here}/", line)
    if _pictures(full, here) != _pictures(line, here):
        raise click.UsageError("Put pictures into quotation marks within the query, or name them in full.")
    return full


def _pictures(line: str, here: Path) -> list[str]:
    """The files that `line` names as pictures, in full."""
    from search.query import Picture
    from search.query_language import parse

    query = parse(line).query if line.strip() else None
    named = [part.source.path for part in query.parts if isinstance(part.source, Picture)] if query else []
    return [os.path.abspath(here / path) for path in named]  # noqa: PTH100 (links stay as they were named)


def _said(within: tuple[Path, ...], after: str | None, before: str | None) -> list[str]:
    """What the options ask, in words."""
    dates = [f"{name}:{value}" for name, value in (("after", after), ("before", before)) if value]
    return [*(f'in:"{path}"' for path in within), *dates, *condition_texts()]
