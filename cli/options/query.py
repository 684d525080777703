"""Options and arguments that make up a query."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from cli.command_types import IntegerRange
from cli.options.grouping import Decorator, option_group
from core.frames import FIRST_FRAME

__all__ = ["QueryOptions", "crop_option", "frame_option", "query_options"]

LANGUAGES = ("en", "de", "fr", "cs", "zh", "ar")


@dataclass(frozen=True)
class QueryOptions:
    """The values of `query_options`; `cli.query_building` turns them into a query."""

    words: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()
    crop: str | None = None
    frame: int = FIRST_FRAME
    like: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    plain: bool = False
    long: Literal["split", "truncate"] = "split"
    ensemble: str | None = None


crop_option: Decorator = click.option(
    "--crop", metavar="X,Y,W,H", help="Use only this region of the picture: pixels, or 25%,0%,50%,100%."
)
"""Adds `--crop X,Y,W,H`."""

frame_option: Decorator = click.option(
    "--frame",
    metavar="N",
    type=IntegerRange(min=1),
    default=1,
    callback=lambda _ctx, _param, value: value - 1,
    help="Use this page or moment of the picture, counted from 1.  [default: the first]",
)
"""Adds `--frame N`: the command receives the number of the frame, from 0."""

query_options = option_group(
    "query",
    QueryOptions,
    [
        click.argument("words", nargs=-1, metavar="[QUERY]..."),
        click.option(
            "--image",
            "images",
            multiple=True,
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Search by this picture, alone or together with words; repeatable.",
        ),
        crop_option,
        frame_option,
        click.option(
            "--like",
            multiple=True,
            metavar="ID|FILE",
            help="Search by this picture of the library (42#3: its third page or moment); repeatable.",
        ),
        click.option("--not", "without", multiple=True, metavar="TEXT", help="Steer away from TEXT; repeatable."),
        click.option("--more", multiple=True, metavar="ID|FILE", help="More pictures like this hit; repeatable."),
        click.option("--less", multiple=True, metavar="ID|FILE", help="Fewer pictures like this hit; repeatable."),
        click.option("--plain", is_flag=True, help="Take the query literally: no operators, weights or filters."),
        click.option(
            "--long",
            type=click.Choice(["split", "truncate"]),
            default="split",
            show_default=True,
            help="For a text longer than the model's context: average the vectors of its sentences, or cut it off.",
        ),
        click.option(
            "--ensemble",
            type=click.Choice(LANGUAGES),
            metavar="LANG",
            help=f"Average the vectors of several sentences with the text ('a photo of ...'): {', '.join(LANGUAGES)}.",
        ),
    ],
)
"""Adds the words of a query and the options that extend it: the command receives `query`."""
