"""Options for ranking hits and for showing them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from cli.command_types import IntegerRange, NumberRange
from cli.options.grouping import Decorator, option_group
from cli.options.library import json_option

__all__ = ["OutputOptions", "RankingOptions", "highlight_option", "output_options", "ranking_options"]


@dataclass(frozen=True)
class RankingOptions:
    """The values of `ranking_options`."""

    top: int
    min_score: float | None
    relevant: bool
    sort: Literal["relevance", "date"]
    expand: bool
    every_frame: bool
    exact: bool
    page: str | None
    """`start`, or the cursor of a page; None for a single list."""
    diverse: float | None
    text_weight: float

    @property
    def cursor(self) -> str | None:
        """The cursor of the page, or None for the first one."""
        return None if self.page == "start" else self.page


@dataclass(frozen=True)
class OutputOptions:
    """The values of `output_options`: the form of the hits on standard output, and the files to write."""

    as_json: bool = False
    paths: bool = False
    print0: bool = False
    sheet: Path | None = None
    csv: Path | None = None
    csv_bom: bool = False
    export: Path | None = None
    copy: bool = False
    preview: bool = False

    @property
    def given(self) -> list[str]:
        """The options in use, as flags."""
        values = {
            "--json": self.as_json,
            "--paths": self.paths,
            "-0": self.print0,
            "--sheet": self.sheet is not None,
            "--csv": self.csv is not None,
            "--csv-bom": self.csv_bom,
            "--export": self.export is not None,
            "--copy": self.copy,
            "--preview": self.preview,
        }
        return [flag for flag, is_given in values.items() if is_given]


ranking_options = option_group(
    "ranking",
    RankingOptions,
    [
        click.option(
            "-k", "--top", default=10, show_default=True, type=IntegerRange(min=1), help="Number of pictures."
        ),
        click.option(
            "--min-score",
            type=NumberRange(-1, 1),
            help="Only pictures with at least this cosine similarity; useful values depend on the model.",
        ),
        click.option("--relevant", is_flag=True, help="Only pictures that probably match the query."),
        click.option(
            "--sort",
            type=click.Choice(["relevance", "date"]),
            default="relevance",
            show_default=True,
            help="Order of the pictures found; date: newest first.",
        ),
        click.option(
            "--expand",
            "--no-fold",
            "expand",
            is_flag=True,
            help="Show all near-duplicates, not one per group.",
        ),
        click.option(
            "--exact", is_flag=True, help="Compare every picture, even in a library with an approximate index."
        ),
        click.option(
            "--every-frame",
            is_flag=True,
            help="Show each page or moment of a file that matches, not only the best one.",
        ),
        click.option(
            "--page",
            metavar="start|CURSOR",
            help="Show pages of -k pictures: begin with `start`, which prints the CURSOR of the next page.",
        ),
        click.option(
            "--diverse",
            type=NumberRange(0, 1),
            metavar="[LAMBDA]",
            help="Prefer pictures that differ: 1 ranks by similarity alone, 0 by difference alone.  [default: 0.5]",
        ),
        click.option(
            "--text-weight",
            type=NumberRange(0, 1),
            default=0.0,
            metavar="WEIGHT",
            help="Rank pictures higher in which words of the query can be read (see `sightline ocr`); 0.3 suits most.",
        ),
    ],
)
"""Adds `-k`, `--sort`, `--page` and others: the command receives `ranking`."""

output_options = option_group(
    "output",
    OutputOptions,
    [
        json_option,
        click.option("--paths", is_flag=True, help="Print only paths, one per line."),
        click.option("-0", "--print0", is_flag=True, help="Print only paths, each followed by NUL (for xargs -0)."),
        click.option(
            "--sheet",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write a contact sheet with scores: FILE.png or FILE.html.",
        ),
        click.option(
            "--csv", type=click.Path(dir_okay=False, path_type=Path), help="Write a table to a new file: FILE.csv."
        ),
        click.option("--csv-bom", is_flag=True, help="With --csv: begin with a byte order mark, for Excel."),
        click.option(
            "--export",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Fill a new or empty folder with links to the pictures, named by rank.",
        ),
        click.option("--copy", is_flag=True, help="With --export: copy the pictures instead of linking them."),
        click.option("--preview", is_flag=True, help="Show the pictures in the terminal."),
    ],
)
"""Adds `--json`, `--paths`, `--sheet` and others: the command receives `output`."""

highlight_option: Decorator = click.option(
    "--highlight",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write overlays that show where each hit matches to the folder DIR.",
)
"""Adds `--highlight DIR`."""
