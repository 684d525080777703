"""Options that choose the library, the space and the device, and `--json`."""

import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from cli.command_types import GlobalOptions
from cli.options.grouping import Command
from cli.output import warn, warn_of_unused_gpu
from cli.suggestions import remember_library
from core.settings import LIBRARY_VARIABLE, default_library
from encoders.placement import PRECISIONS, Placement

__all__ = [
    "GlobalOptions",
    "json_option",
    "library_option",
    "library_path",
    "named_library",
    "placement_options",
    "space_option",
]


_ONLY_A_HOST = re.compile(r"(?P<scheme>postgres(ql)?(\+psycopg)?://)(?=[^/?@]+/?(\?[^@]*)?$)", re.IGNORECASE)
"""The beginning of a URL that names a host, but neither a user nor a database."""


def library_path(ctx: click.Context, param: click.Parameter, value: str | None) -> Path:
    """Return the library folder: from the option after the verb, the one before it, the environment, or the default."""
    if (named := named_library(ctx, param, value)) is not None:
        return named
    place = os.environ.get(LIBRARY_VARIABLE)
    path = _path(place) if place else default_library()
    remember_library(path, None)
    return path


def named_library(ctx: click.Context, _param: click.Parameter, value: str | None) -> Path | None:
    """Return the library folder from the option after the verb or the one before it."""
    before_verb = ctx.find_object(GlobalOptions)
    place = value or (before_verb.library if before_verb else None)
    if not place:
        return None
    remember_library(_path(place), place)
    return _path(place)


def _path(place: str) -> Path:
    """Return a folder or URL as a path; a URL loses a slash.

    One with only a host gets an empty user, because it would be read as the name of a database then.
    """
    return Path(_ONLY_A_HOST.sub(r"\g<scheme>@", place))


def library_option(command: Command) -> Command:
    """Add `--library DIR`."""
    return click.option(
        "--library",
        callback=library_path,
        metavar="DIR",
        help=f"Library: a folder, or a postgresql:// address.  [default: ${LIBRARY_VARIABLE}, or your data folder]",
    )(command)


def space_option(command: Command) -> Command:
    """Add `--space NAME`."""
    return click.option(
        "--space",
        metavar="NAME",
        help="Use this model's vectors instead of the active model's: a name such as mini or mini@2, or the start of a "
        "fingerprint.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")(command)


def placement_options(command: Command) -> Command:
    """Add `--device` and `--precision`; the command receives both as a `placement`, which warns on standard error."""

    @wraps(command)
    def run(*args: Any, device: str | None, precision: str | None, **values: Any) -> Any:
        placement = Placement(device, precision, notify=warn_of_unused_gpu, announce=warn)
        return command(*args, placement=placement, **values)

    options: tuple[Callable[[Any], Any], ...] = (
        click.option(
            "--device", help="Device for large models: cpu, cuda, cuda:1 or mps.  [default: the best available]"
        ),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            help="Number format of computations.  [default: the best for the device]",
        ),
    )
    for option in reversed(options):
        run = option(run)
    return run  # type: ignore[return-value]
