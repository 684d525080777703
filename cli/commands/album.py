"""`sightline album`."""

from pathlib import Path

import click

from cli.command_types import QueryCommand
from cli.options import FilterOptions, OutputOptions, filter_options, json_option, library_option, output_options
from cli.output import print_json, print_text

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
    """Save searches under a name, and show what they find now."""


@album.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline album save "Best of Rome" in:Rome 'rating:>=4'
  sightline album save Noisy --where 'iso>3200'
  sightline album save Beaches a beach -people after:2020 -k 200

An album stores the query, not the pictures: pictures indexed later can be part of it. An album of filters alone
can be used as a filter itself, album:NAME; an album with words shows the best pictures for them.
""",
)
@click.argument("name")
@click.argument("words", nargs=-1, metavar="[QUERY]...")
@filter_options
@click.option(
    "-k",
    "--top",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of pictures of a query with words.",
)
@library_option
def save(name: str, words: tuple[str, ...], filters: FilterOptions, top: int, library: Path) -> None:
    """Save a QUERY with its filters as the album NAME."""
    from cli.albums import save_album

    save_album(name, words, filters, top, library=library)


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
    """List the albums and their queries."""
    from store import Library, albums  # not from cli.albums, which imports the search engine

    with Library.open(library) as opened:
        records = albums.list_albums(opened)
    for record in records:
        if as_json:
            print_json({"album": record.name, "query": record.query, "ranked": record.is_ranked})
        else:
            print_text(f"{record.name}  ({record.query})")
    ctx.exit(0 if records else 1)


@album.command(
    short_help="Show the pictures that the album NAME finds now.",
    epilog="""\b
Examples:
  sightline album show Noisy
  sightline album show Noisy -0 | xargs -0 cp -t ~/noisy
""",
)
@click.argument("name")
@click.option("-k", "--top", type=click.IntRange(min=1), help="Number of pictures  [default: all, or as saved].")
@output_options
@library_option
@click.pass_context
def show(ctx: click.Context, /, name: str, top: int | None, output: OutputOptions, library: Path) -> None:
    """Show the pictures that the album NAME finds now: newest first, or the best for its words."""
    from cli.albums import show_album

    ctx.exit(show_album(name, top, output, library=library))


@album.command(
    epilog="""\b
Examples:
  sightline album drop Noisy
"""
)
@click.argument("name")
@library_option
def drop(name: str, library: Path) -> None:
    """Delete the album NAME, but no pictures."""
    from store import Library, albums

    with Library.open(library) as opened:
        albums.drop_album(opened, name)
    print_text(f"Dropped the album {name}.")
