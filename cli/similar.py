"""`sightline similar`: find the pictures most similar to one picture."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.hit_overlays import highlight_option, write_overlays
from cli.options import (
    Order,
    filter_options,
    filters,
    json_option,
    library_option,
    page_options,
    placement_options,
    result_options,
    space_option,
)
from cli.query_options import QueryCommand, crop_option, unmarked

if TYPE_CHECKING:
    from encoders.placement import Placement

__all__ = ["similar"]


@click.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  sightline similar ./cat.jpg
  sightline similar ./cat.jpg --crop 25%,25%,50%,50%   like the middle of it
  sightline similar ~/Pictures/2021/IMG_0042.jpg -k 20 --sheet alike.html
  sightline similar ./cat.jpg --highlight where/       where alike

The picture may be in the library or not. If it is, it is not listed itself. Where the library's vectors were
made elsewhere (`sightline import`), IMAGE is a picture that it has a vector of, or the id of a document.
""",
)
@click.argument("image", shell_complete=click.Path().shell_complete)  # not a path alone: also the id of a document
@crop_option
@filter_options
@library_option
@space_option
@placement_options
@result_options
@page_options
@highlight_option
@json_option
@click.pass_context
def similar(
    ctx: click.Context,
    /,
    image: str,
    crop: str | None,
    within: tuple[Path, ...],
    after: str | None,
    before: str | None,
    library: Path,
    placement: "Placement",
    space: str | None,
    highlight: Path | None,
    **options: Any,
) -> None:
    """Find the pictures most similar to IMAGE, best first."""
    from cli.output import shown
    from cli.results import Form, answer
    from cli.search import mend, open_searcher
    from search import Asking, Crop, Part, Picture, Query
    from store import Library

    order, form = Order.take(options), Form.take(options)
    narrowed = filters(within, after, before)
    region = None if crop is None else Crop.parse(crop)
    image = unmarked(image)
    with Library.open(library) as opened:
        searcher = open_searcher(opened, space, placement)
        hits = searcher.similar(image, filters=narrowed, crop=region, **asdict(order))
        code = answer(f"like {shown(Path(Path(image).name))}", hits, form, hits.next)
        if highlight is not None:
            query = Query((Part(Picture(Path(image), region)),))
            write_overlays(highlight, hits, query, searcher, Asking())
        mend(searcher)
    ctx.exit(code)
