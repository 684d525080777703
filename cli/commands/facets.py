"""`sightline facets`."""

from pathlib import Path

import click

from cli.command_types import OPTION_SECTIONS, IntegerRange, QueryCommand
from cli.options import FilterOptions, filter_options, json_option, library_option

__all__ = ["facets"]

_SECTIONS = {
    "Filters": OPTION_SECTIONS["Filters"],
    "Counts": ("names", "top"),
    "Output": ("as_json",),
    "Library": ("library",),
}

FACET_NAMES = (
    "year", "month", "camera", "lens", "person", "country", "city", "format", "orientation", "tag", "folder",
)  # fmt: skip
"""Those of `store.filters.facets`, which this module does not import: help is shown without it."""


@click.command(
    cls=QueryCommand,
    sections=_SECTIONS,
    epilog="""\b
Examples:
  sightline facets
  sightline facets camera:x100 after:2023   only of these pictures
  sightline facets --in ~/Pictures/2023 --of camera --of tag
  sightline facets --of month -k 1000 --json | jq -c '[.value, .pictures]'
""",
)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@filter_options
@click.option(
    "--of", "names", multiple=True, type=click.Choice(FACET_NAMES), help="Count only by this property; repeatable."
)
@click.option(
    "-k", "--top", default=10, show_default=True, type=IntegerRange(min=1), help="Number of values per property."
)
@library_option
@json_option
@click.pass_context
def facets(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    filters: FilterOptions,
    names: tuple[str, ...],
    top: int,
    library: Path,
    as_json: bool,
) -> None:
    """Count pictures by year, month, camera, lens, person, place, format, orientation, tag and folder."""
    from cli.listings import print_facets

    ctx.exit(print_facets(words, filters, names or FACET_NAMES, top, library=library, as_json=as_json))
