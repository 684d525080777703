"""`sightline tag`, `untag` and `tags`."""

from pathlib import Path

import click

from cli.options import PictureSelection, json_option, library_option, selection_options

__all__ = ["tag", "tags", "untag"]


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
@selection_options
@click.argument("name")
@library_option
@json_option
@click.pass_context
def tag(
    ctx: click.Context,
    /,
    name: str,
    selection: PictureSelection,
    library: Path,
    as_json: bool,
) -> None:
    """Add the tag NAME to pictures: files, folders, or the results of a search or of filters."""
    from cli.tagging import add_tag

    ctx.exit(add_tag(name, selection, library=library, as_json=as_json))


@click.command(
    epilog="""\b
Examples:
  sightline untag ./cat.jpg cats
  sightline untag --tag beach --in ~/Pictures/Mountains beach

Only tags added by `sightline tag` are removed, not keywords in files or sidecars.
"""
)
@selection_options
@click.argument("name")
@library_option
@json_option
@click.pass_context
def untag(
    ctx: click.Context,
    /,
    name: str,
    selection: PictureSelection,
    library: Path,
    as_json: bool,
) -> None:
    """Remove the tag NAME from pictures: files, folders, or the results of a search or of filters."""
    from cli.tagging import remove_tag

    ctx.exit(remove_tag(name, selection, library=library, as_json=as_json))


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
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...", type=click.Path(path_type=Path))
@library_option
@json_option
@click.pass_context
def tags(ctx: click.Context, /, pictures: tuple[Path, ...], library: Path, as_json: bool) -> None:
    """List the tags of the library or of each PICTURE, with their sources."""
    from cli.tagging import print_tags

    ctx.exit(print_tags(pictures, library=library, as_json=as_json))
