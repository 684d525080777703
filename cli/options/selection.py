"""The argument and the options that select pictures to be changed."""

from dataclasses import dataclass
from pathlib import Path

import click

from cli.command_types import IntegerRange
from cli.options.filters import FilterOptions, filter_options
from cli.options.grouping import option_group

__all__ = ["PictureSelection", "selection_options"]


@dataclass(frozen=True)
class PictureSelection:
    """The pictures at or below `pictures`, if any, that the filters keep; with `query`, only the `top` best for it."""

    pictures: tuple[Path, ...]
    query: str | None
    top: int
    filters: FilterOptions


selection_options = option_group(
    "selection",
    PictureSelection,
    [
        click.argument("pictures", nargs=-1, type=click.Path(path_type=Path, allow_dash=True), metavar="[PICTURE]..."),
        click.option("--query", metavar="QUERY", help="The pictures that a search finds, best first."),
        click.option(
            "-k", "--top", default=10, show_default=True, type=IntegerRange(min=1), help="With --query: how many."
        ),
        filter_options,
    ],
)
