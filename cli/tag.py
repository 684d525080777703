"""`sightline tag`, `sightline untag` and `sightline tags`: what a person calls pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.options import filter_options, filters, from_here, json_option, library_option

__all__ = ["tag", "tags", "untag"]

Command = TypeVar("Command", bound=Callable[..., Any])


def _picture_options(command: Command) -> Command:
    options = [
        click.argument("pictures", nargs=-1, type=click.Path(path_type=Path, allow_dash=True), metavar="[PICTURE]..."),
        click.argument("name"),
        click.option("--query", metavar="QUERY", help="The pictures that a search finds."),
        click.option(
            "-k", "--top", default=10, show_default=True, type=click.IntRange(min=1), help="How many, with --query."
        ),
        filter_options,
        library_option,
        json_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    epilog="""\b
Examples:
  sightline tag ./cat.jpg ./kitten.jpg cats              files
  sightline tag ~/Pictures/2023/Rome trips/Rome          a folder
  sightline tag --query "a beach" -k 50 beach            its best 50
  sightline tag --camera x100 --where 'rating>=4' best   whatever filters keep
  sightline search a beach --relevant -0 | sightline tag - beach

A tag belongs to what a picture shows: copies share it, and a file that is moved keeps it. Files are never
touched. `sightline search tag:beach` finds them again, and those of tags beneath it.
"""
)
@_picture_options
@click.pass_context
def tag(ctx: click.Context, /, name: str, **which: Any) -> None:
    """Give pictures the tag NAME: files or folders, or those that a search or filters find."""
    from store.tags import Tagging, add_tags, tag_name

    name = tag_name(name)
    _change(
        ctx, which, name, "Tagged", lambda connection, ids: add_tags(connection, [Tagging(each, name) for each in ids])
    )


@click.command(
    epilog="""\b
Examples:
  sightline untag ./cat.jpg cats
  sightline untag --tag beach --in ~/Pictures/Mountains beach

Only what a person said is taken away. Keywords that stand in files or in sidecars stay there.
"""
)
@_picture_options
@click.pass_context
def untag(ctx: click.Context, /, name: str, **which: Any) -> None:
    """Take the tag NAME away from pictures: files or folders, or those that a search or filters find."""
    from store.tags import remove_tags, remove_unused, tag_name

    name = tag_name(name)

    def take_away(connection: Any, ids: list[int]) -> int:
        removed = remove_tags(connection, ids, [name])
        remove_unused(connection)
        return removed

    _change(ctx, which, name, "Untagged", take_away)


def _change(
    ctx: click.Context, which: dict[str, Any], name: str, done: str, change: Callable[[Any, list[int]], int]
) -> None:
    from cli.output import print_json, print_text, say_waiting
    from cli.picture_selection import named_files, picked
    from store import Library

    narrowed = filters(which["within"], which["after"], which["before"])
    with Library.open(which["library"]) as opened, opened.writer_lock(say_waiting):
        ids = picked(opened, named_files(which["pictures"]), narrowed, which["query"], which["top"])
        with opened.write() as connection:
            changed = change(connection, ids)
    if which["as_json"]:
        print_json({"tag": name, "pictures": len(ids), "changed": changed})
    else:
        kept = len(ids) - changed
        already = f"; nothing changed for {kept:,}" if kept else ""
        print_text(f"{done} {changed:,} {'picture' if changed == 1 else 'pictures'}: {name}{already}.")
    ctx.exit(0 if ids else 1)


@click.command(
    epilog="""\b
Examples:
  sightline tags
  sightline tags ./cat.jpg
  sightline tags --json | jq -r .tag

A tag is said by a person (user), by a keyword in the file (file) or in an XMP file beside it (sidecar), or by
a model, with a probability where it gives one.
"""
)
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path))
@library_option
@json_option
@click.pass_context
def tags(ctx: click.Context, /, pictures: tuple[Path, ...], library: Path, as_json: bool) -> None:
    """List the tags of the library, or those of PICTURES, and who says so."""
    from cli.output import print_json, print_text, shown
    from cli.picture_selection import picked
    from search import Filters
    from store import Library
    from store.tags import list_tags, tags_of

    found = False
    with Library.open(library) as opened:
        for path in map(from_here, pictures):
            ids = picked(opened, [path], Filters(), None, 1)
            with opened.read() as connection:
                records = sorted({each for said in tags_of(connection, ids).values() for each in said}, key=_place)
            found = found or bool(records)
            for each in records:
                if as_json:
                    print_json({"path": path, "tag": each.name, "source": each.source, "probability": each.probability})
                else:
                    sure = "" if each.probability is None else f" {each.probability:.0%}"
                    print_text(f"{shown(path)}  {each.name}  ({each.source}{sure})")
        if not pictures:
            with opened.read() as connection:
                counts = list_tags(connection)
            found = bool(counts)
            for count in counts:
                if as_json:
                    print_json({"tag": count.name, "pictures": count.pictures, "sources": count.by_source})
                else:
                    print_text(f"{count.pictures:>8,}  {count.name}  ({', '.join(sorted(count.by_source))})")
    ctx.exit(0 if found else 1)


def _place(record: Any) -> tuple[str, str, float]:
    return record.name, record.source, record.probability or 0.0
