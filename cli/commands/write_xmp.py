"""`sightline write-xmp`."""

from pathlib import Path

import click

from cli.options import PictureSelection, json_option, library_option, selection_options

__all__ = ["write_xmp"]


@click.command(
    epilog="""\b
Examples:
  sightline write-xmp ~/Pictures --dry-run       what would be written
  sightline write-xmp ~/Pictures                 all that you tagged or rated in a folder
  sightline write-xmp ./cat.jpg --json           one picture
  sightline write-xmp --tag trips/Rome           the pictures of a tag
  sightline write-xmp --where rating:5

Your tags and ratings are written into XMP files beside the pictures, where other programs read them: photo.jpg.xmp, or
photo.xmp if that is there. The pictures are never changed. What other programs wrote stays as it is, and is kept as
photo.jpg.xmp.bak before the first change. A tag that you removed is removed again if Sightline wrote it. See
docs/xmp.md.
"""
)
@selection_options
@click.option("--dry-run", is_flag=True, help="Only print what would be written.")
@click.option("--replace-ratings", is_flag=True, help="Replace other ratings that other programs wrote.")
@library_option
@json_option
@click.pass_context
def write_xmp(
    ctx: click.Context,
    /,
    selection: PictureSelection,
    dry_run: bool,
    replace_ratings: bool,
    library: Path,
    as_json: bool,
) -> None:
    """Write your tags and ratings into XMP files beside the pictures: of files, folders, a search or filters."""
    from cli.xmp_writing import write_selected

    ctx.exit(
        write_selected(selection, library=library, dry_run=dry_run, replace_ratings=replace_ratings, as_json=as_json)
    )
