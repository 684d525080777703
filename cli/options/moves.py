"""Folders that are at another place now."""

import re
from pathlib import Path

import click

__all__ = ["parse_moves"]

_BEGIN_OF_NEW = re.compile(r"=(?=/|s3://)", re.IGNORECASE)


def parse_moves(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[Path, Path]:
    """Return the folders that are given as `OLD=NEW`, as the callback of an option.

    NEW begins after the last `=` before an absolute path or `s3://`, if there is one: names of folders may have a `=`,
    too.
    """
    moves = {}
    for value in values:
        begins = [found.end() for found in _BEGIN_OF_NEW.finditer(value)]
        place = begins[-1] - 1 if begins else value.rfind("=")
        old, equals, new = value[: max(place, 0)], place >= 0, value[place + 1 :]
        if not (equals and old and new):
            raise click.BadParameter(f"{value!r} is not OLD=NEW.")
        if Path(old) in moves:
            raise click.BadParameter(f"{old} has two places.")
        moves[Path(old)] = Path(new)
    return moves
