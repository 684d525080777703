"""`sightline similar`."""

from pathlib import Path

import click

from cli.command_types import QueryCommand
from cli.options import (
    FilterOptions,
    OutputOptions,
    RankingOptions,
    crop_option,
    filter_options,
    frame_option,
    highlight_option,
    library_option,
    output_options,
    placement_options,
    ranking_options,
    space_option,
)
from encoders.placement import Placement

__all__ = ["similar"]


@click.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline similar ./cat.jpg
  sightline similar ./cat.jpg --crop 25%,25%,50%,50%   like its centre
  sightline similar ~/Pictures/2021/IMG_0042.jpg -k 20 --sheet alike.html
  sightline similar ./cat.jpg --highlight where/       where they match
  sightline similar ./scan.tif --frame 3               like its third page

The picture does not have to be in the library. If it is, it is not listed itself. In a space of imported
vectors (`sightline import`), IMAGE is a picture that has a vector, or the ID of a document.
""",
)
@click.argument("image", shell_complete=click.Path().shell_complete)  # not click.Path: it may be the ID of a document
@crop_option
@frame_option
@filter_options
@library_option
@space_option
@placement_options
@ranking_options
@output_options
@highlight_option
@click.pass_context
def similar(
    ctx: click.Context,
    /,
    image: str,
    crop: str | None,
    frame: int,
    filters: FilterOptions,
    ranking: RankingOptions,
    output: OutputOptions,
    library: Path,
    space: str | None,
    placement: Placement,
    highlight: Path | None,
) -> None:
    """Find the pictures most similar to IMAGE, best first."""
    from cli.searching import run_similar

    code = run_similar(
        image,
        crop,
        filters,
        ranking,
        output,
        frame=frame,
        library=library,
        space=space,
        placement=placement,
        highlight=highlight,
    )
    ctx.exit(code)
