"""`sightline merge`."""

from pathlib import Path

import click

from cli.options import json_option, library_option
from cli.options.moves import parse_moves

__all__ = ["merge"]


@click.command(
    epilog="""\b
Examples:
  sightline merge /media/anna/STICK/library --dry-run
  sightline merge /media/anna/STICK/library
  sightline merge ~/laptop-library --root /home/anna/Photos=/mnt/laptop/Photos
  sightline merge ~/first --library ~/both && sightline merge ~/second --library ~/both

Pictures with their vectors and metadata, tags, ratings, albums, judgements and verdicts on near-duplicates are added to
the library. Nothing in it is removed, and OTHER is only read. No picture is embedded again for a model that both
libraries use. A folder that both have is the same folder; --root says where folders are on this machine. A sample of
the files in a folder that is here is compared first. A merge that was stopped continues when it is run again.
"""
)
@click.argument("other", type=click.Path(file_okay=False, path_type=Path))
@library_option
@click.option("--dry-run", is_flag=True, help="Only print what would be added.")
@click.option(
    "--root",
    "roots",
    multiple=True,
    callback=parse_moves,
    metavar="OLD=NEW",
    help="A folder of OTHER, and where it is now; repeatable.",
)
@click.option("--force", is_flag=True, help="Merge folders that have other files here, too.")
@json_option
def merge(other: Path, library: Path, dry_run: bool, roots: dict[Path, Path], force: bool, as_json: bool) -> None:
    """Add all that the library OTHER, a folder or a postgresql:// address, has to this one."""
    from cli.merging import merge_library

    merge_library(library, other, roots=roots, dry_run=dry_run, force=force, as_json=as_json)
