"""Folders that are at another place now."""

from pathlib import Path

import click

__all__ = ["parse_moves"]


def parse_moves(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[Path, Path]:
    """Return the folders that are given as `OLD=NEW`, as the callback of an option.

    NEW begins after the last `=` before an absolute path, if there is one: names of folders may have a `=`, too.
    """
    moves = {}
    for value in values:
        old, equals, new = value.rpartition("=/")
        new = "/" + new
        if not equals:
            old, equals, new = value.rpartition("=")
        if not (equals and old and new):
            raise click.BadParameter(f"{value!r} is not OLD=NEW.")
        if Path(old) in moves:
            raise click.BadParameter(f"{old} has two places.")
        moves[Path(old)] = Path(new)
    return moves
