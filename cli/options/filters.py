"""Options that filter pictures."""

from dataclasses import dataclass
from pathlib import Path

import click

from cli.options.grouping import option_group

__all__ = ["FilterOptions", "filter_options"]


@dataclass(frozen=True)
class FilterOptions:
    """The values of the filter options, as text; `cli.query_building.build_filters` parses them."""

    within: tuple[Path, ...] = ()
    after: str | None = None
    before: str | None = None
    camera: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    @property
    def conditions(self) -> list[str]:
        """The values of `--camera`, `--tag` and `--where`, each in the syntax of `--where`."""
        return [*(f"camera:{name}" for name in self.camera), *(f"tag:{name}" for name in self.tag), *self.where]


filter_options = option_group(
    "filters",
    FilterOptions,
    [
        click.option(
            "--in",
            "within",
            multiple=True,
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Only pictures in this folder; repeatable.",
        ),
        click.option("--after", metavar="DATE", help="Only pictures taken since DATE: 2023, 2023-06 or 2023-06-15."),
        click.option("--before", metavar="DATE", help="Only pictures taken before DATE."),
        click.option(
            "--camera", multiple=True, metavar="NAME", help="Only pictures of cameras whose name contains NAME."
        ),
        click.option(
            "--tag", multiple=True, metavar="TAG", help="Only pictures with this tag; repeat it to require several."
        ),
        click.option(
            "--where",
            multiple=True,
            metavar="FILTER",
            help="Only pictures that match a filter, such as 'iso>800'; repeatable. See docs/filters.md.",
        ),
    ],
)
"""Adds `--in`, `--after`, `--before`, `--camera`, `--tag` and `--where`: the command receives `filters`."""
