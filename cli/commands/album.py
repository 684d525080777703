"""`sightline album`."""

from pathlib import Path

import click

from cli.command_types import IntegerRange, QueryCommand
from cli.options import (
    FilterOptions,
    OutputOptions,
    PictureSelection,
    filter_options,
    json_option,
    library_option,
    output_options,
    selection_options,
)
from cli.output import print_json, print_text, warn

__all__ = ["album"]


@click.group(
    no_args_is_help=True,
    epilog="""\b
Examples:
  sightline album create "Best of Rome" ./fountain.jpg ./square.jpg
  sightline album add "Best of Rome" --query "a church" -k 20
  sightline album save Noisy 'iso:>3200'
  sightline album show "Best of Rome"
  sightline search a fountain album:"Best of Rome"

An album contains pictures that were put together by hand, or it is a saved search. Files are never changed.
""",
)
def album() -> None:
    """Put pictures together in albums, or save searches as albums."""


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
    type=IntegerRange(min=1),
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
  sightline album list --json
""",
)
@library_option
@json_option
@click.pass_context
def list_albums(ctx: click.Context, library: Path, as_json: bool) -> None:
    """List the albums, with their pictures or their queries."""
    from store import Library  # not from cli.albums, which imports the search engine
    from store.albums.listing import list_album_summaries

    with Library.open(library) as opened:
        summaries = list_album_summaries(opened)
    for summary in summaries:
        record = summary.album
        if as_json:
            kind = {"by_hand": record.by_hand, "pictures": summary.pictures, "missing": summary.missing}
            print_json({"album": record.name, "query": record.query, "ranked": record.is_ranked, **kind})
        elif record.by_hand:
            missing = f"  ({summary.missing:,} missing)" if summary.missing else ""
            print_text(f"{summary.pictures:>8,}  {record.name}{missing}")
        else:
            print_text(f"{'-':>8}  {record.name}  ({record.query})")
    if not summaries:
        warn("there are no albums")
    ctx.exit(0 if summaries else 1)


@album.command(
    short_help="Show the pictures of the album NAME.",
    epilog="""\b
Examples:
  sightline album show Noisy
  sightline album show Noisy -0 | xargs -0 cp -t ~/noisy
""",
)
@click.argument("name")
@click.option("-k", "--top", type=IntegerRange(min=1), help="Number of pictures.  [default: all, or as saved]")
@output_options
@library_option
@click.pass_context
def show(ctx: click.Context, /, name: str, top: int | None, output: OutputOptions, library: Path) -> None:
    """Show the pictures of the album NAME.

    Those of an album by hand come in its order. Those of a saved search are what it finds now: newest first, or the
    best for its words.
    """
    from cli.albums import show_album

    ctx.exit(show_album(name, top, output, library=library))


@album.command(
    epilog="""\b
Examples:
  sightline album create "Best of Rome"
  sightline album create Beaches ./a.jpg ~/Pictures/Beach
  sightline album create Cats --query "a cat" -k 50

The pictures are in the order in which they are named. Copies of a file count once.
"""
)
@click.argument("name")
@selection_options
@library_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    /,
    name: str,
    selection: PictureSelection,
    library: Path,
    as_json: bool,
) -> None:
    """Create the album NAME by hand, with pictures or without."""
    from cli import albums_by_hand

    ctx.exit(albums_by_hand.create(name, selection, library=library, as_json=as_json))


@album.command(
    short_help="Add pictures to the album NAME.",
    epilog="""\b
Examples:
  sightline album add Rome ./a.jpg ./b.jpg
  sightline search a church -0 | sightline album add Rome -

Pictures are appended. Those that the album has already keep their places.
""",
)
@click.argument("name")
@selection_options
@library_option
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    /,
    name: str,
    selection: PictureSelection,
    library: Path,
    as_json: bool,
) -> None:
    """Add pictures to the album NAME: files, folders, or the results of a search or of filters."""
    from cli import albums_by_hand

    ctx.exit(albums_by_hand.add(name, selection, library=library, as_json=as_json))


@album.command(
    epilog="""\b
Examples:
  sightline album remove Rome ./b.jpg
  sightline album remove Rome --where 'rating<3'
"""
)
@click.argument("name")
@selection_options
@library_option
@json_option
@click.pass_context
def remove(
    ctx: click.Context,
    /,
    name: str,
    selection: PictureSelection,
    library: Path,
    as_json: bool,
) -> None:
    """Remove pictures from the album NAME, not from the library."""
    from cli import albums_by_hand

    ctx.exit(albums_by_hand.remove(name, selection, library=library, as_json=as_json))


@album.command(
    short_help="Change the order of the album NAME.",
    epilog="""\b
Examples:
  sightline album order Rome ./best.jpg                  to the beginning
  sightline album order Rome ./a.jpg ./b.jpg --before ./c.jpg
  sightline album order Rome ./worst.jpg --last
""",
)
@click.argument("name")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PICTURE...")
@click.option("--before", type=click.Path(path_type=Path), metavar="PICTURE", help="Move them in front of this one.")
@click.option("--last", "to_end", is_flag=True, help="Move them to the end.")
@library_option
@json_option
@click.pass_context
def order(
    ctx: click.Context,
    /,
    name: str,
    pictures: tuple[Path, ...],
    before: Path | None,
    to_end: bool,
    library: Path,
    as_json: bool,
) -> None:
    """Move pictures of the album NAME, in the given order, to its beginning."""
    from cli import albums_by_hand

    ctx.exit(albums_by_hand.order(name, pictures, before, to_end=to_end, library=library, as_json=as_json))


@album.command(
    epilog="""\b
Examples:
  sightline album cover Rome ./fountain.jpg
  sightline album cover Rome                    its first picture again
"""
)
@click.argument("name")
@click.argument("picture", required=False, type=click.Path(path_type=Path))
@library_option
@click.pass_context
def cover(ctx: click.Context, /, name: str, picture: Path | None, library: Path) -> None:
    """Choose the PICTURE to show for the album NAME."""
    from cli import albums_by_hand

    ctx.exit(albums_by_hand.set_album_cover(name, picture, library=library))


@album.command(
    epilog="""\b
Examples:
  sightline album rename Rome "Rome 2023"

Saved searches that use the album as a filter, album:NAME, use the new name.
"""
)
@click.argument("name")
@click.argument("new_name")
@library_option
def rename(name: str, new_name: str, library: Path) -> None:
    """Rename the album NAME to NEW_NAME."""
    from cli.snapshots import keep_snapshot
    from search.query_language import with_album_renamed
    from store import Library
    from store.albums import records

    with Library.open(library) as opened:
        records.rename_album(opened, name, new_name, with_album_renamed)
        keep_snapshot(opened)
        print_text(f"Renamed the album {name} to {records.find_album(opened, new_name).name}.")


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
    from cli.snapshots import keep_snapshot
    from store import Library
    from store.albums import records

    with Library.open(library) as opened:
        records.drop_album(opened, name)
        keep_snapshot(opened)
    print_text(f"Dropped the album {name}.")
