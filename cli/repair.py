"""`sightline repair`: mend what is damaged, without embedding anything again."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["repair"]


@click.command(
    epilog="""\b
Examples:
  sightline repair

Index files are made anew from the catalogue, which holds every vector; vectors that are damaged themselves
are dropped, and the next `sightline index` embeds those pictures again.
"""
)
@library_option
@json_option
def repair(library: Path, as_json: bool) -> None:
    """Mend what is damaged, without embedding anything again."""
    from cli.output import print_json, print_text, say_waiting
    from store import Library
    from store.check import repair as mend

    with Library.open(library) as opened, opened.writer_lock(say_waiting):
        done = mend(opened)
    if as_json:
        print_json({"done": done})
        return
    for step in done or ["Nothing to mend."]:
        print_text(step)
