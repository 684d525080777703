"""`sightline tag`, `untag` and `tags`."""

from pathlib import Path

import click

from cli.options import FilterOptions, filter_options, json_option, library_option
from cli.options.grouping import Command

__all__ = ["tag", "tags", "untag"]


def _selection_options(command: Command) -> Command:
    options = [
        click.argument("pictures", nargs=-1, type=click.Path(path_type=Path, allow_dash=True), metavar="[PICTURE]..."),
        click.argument("name"),
        click.option("--query", metavar="QUERY", help="The pictures that a search finds."),
        click.option(
            "-k", "--top", default=10, show_default=True, type=click.IntRange(min=1), help="With --query: how many."
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
  sightline tag --query "a beach" -k 50 beach            the best 50 hits
  sightline tag --camera x100 --where 'rating>=4' best   filtered pictures
  sightline search a beach --relevant -0 | sightline tag - beach

Tags belong to the content of a picture: copies share them, and a moved file keeps them. Files are never changed.
`sightline search tag:beach` finds the pictures of a tag and of the tags below it.
"""
)
@_selection_options
@click.pass_context
def tag(
    ctx: click.Context,
    /,
    name: str,
    pictures: tuple[Path, ...],
    query: str | None,
    top: int,
    filters: FilterOptions,
    library: Path,
    as_json: bool,
) -> None:
    """Add the tag NAME to pictures: files, folders, or the results of a search or of filters."""
    from cli.tagging import add_tag

    ctx.exit(add_tag(name, pictures, query, top, filters, library=library, as_json=as_json))


@click.command(
    epilog="""\b
Examples:
  sightline untag ./cat.jpg cats
  sightline untag --tag beach --in ~/Pictures/Mountains beach

Only tags added by `sightline tag` are removed, not keywords in files or sidecars.
"""
)
@_selection_options
@click.pass_context
def untag(
    ctx: click.Context,
    /,
    name: str,
    pictures: tuple[Path, ...],
    query: str | None,
    top: int,
    filters: FilterOptions,
    library: Path,
    as_json: bool,
) -> None:
    """Remove the tag NAME from pictures: files, folders, or the results of a search or of filters."""
    from cli.tagging import remove_tag

    ctx.exit(remove_tag(name, pictures, query, top, filters, library=library, as_json=as_json))


@click.command(
    epilog="""\b
Examples:
  sightline tags
  sightline tags ./cat.jpg
  sightline tags --json | jq -r .tag

Each tag has a source: `user` for `sightline tag`, `file` for a keyword in the picture, `sidecar` for a keyword
in its XMP file, `model` for `sightline classify`, with a probability if the model gives one.
"""
)
@click.argument("pictures", nargs=-1, type=click.Path(path_type=Path))
@library_option
@json_option
@click.pass_context
def tags(ctx: click.Context, /, pictures: tuple[Path, ...], library: Path, as_json: bool) -> None:
    """List the tags of the library or of PICTURES, with their sources."""
    from cli.tagging import print_tags

    ctx.exit(print_tags(pictures, library=library, as_json=as_json))
