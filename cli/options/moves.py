"""Folders that are at another place now."""

from pathlib import Path

import click

__all__ = ["parse_moves"]


def parse_moves(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[Path, Path]:
    """Return the folders that are given as `OLD=NEW`, as the callback of an option."""
    moves = {}
    for value in values:
        old, equals, new = value.rpartition("=")
        if not (equals and old and new):
            raise click.BadParameter(f"{value!r} is not OLD=NEW.")
        moves[Path(old)] = Path(new)
    return moves
