"""`sightline watch`."""

from pathlib import Path

import click

from cli.command_types import NumberRange
from cli.options import json_option, library_option, placement_options
from encoders.placement import Placement

__all__ = ["watch"]


@click.command(
    epilog="""\b
Examples:
  sightline watch                         all folders of the library
  sightline watch ~/Pictures /mnt/archive
  sightline watch --poll 60               scan the folders every minute

It needs the extra: pip install 'sightline[watch]'. Ctrl-C stops it. docs/watching.md shows how to start it with
the system. `sightline serve --watch` does the same while it serves a library.
"""
)
@click.argument("paths", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@library_option
@placement_options
@click.option(
    "--settle",
    type=NumberRange(min=0.1, max=3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Read a file once it has not changed for this time.",
)
@click.option(
    "--poll",
    type=NumberRange(min=1, max=86_400),
    metavar="SECONDS",
    help="Scan the folders at this interval instead of using notifications of the system.  "
    "[default: every 300 seconds, on network drives only]",
)
@json_option
def watch(
    paths: tuple[Path, ...], library: Path, placement: Placement, settle: float, poll: float | None, as_json: bool
) -> None:
    """Watch folders of the library, and index pictures as soon as they change.

    FOLDERs that are not in the library yet are added. By default, all its folders are watched, also those that are
    added later. Prints one line for each run that changed something.
    """
    from cli.watching import watch_folders

    watch_folders(paths, library=library, placement=placement, settle=settle, poll=poll, as_json=as_json)
