"""`sightline restore`."""

from pathlib import Path

import click

from cli.options import json_option, library_option
from cli.options.moves import parse_moves

__all__ = ["restore"]


@click.command(
    epilog="""\b
Examples:
  sightline restore snapshot.jsonl.gz --dry-run
  sightline restore snapshot.jsonl.gz
  sightline restore snapshot.jsonl.gz --root /home/anna/Pictures=/mnt/Pictures
  sightline restore snapshot.jsonl.gz --library ~/new

The tags, ratings, albums and judgements of the snapshot are added to those of the library; nothing is removed. Pictures
are recognised by their content, then by their path. Those that are not in the library are left out: index them, then
run the command again. `sightline backup --list` lists snapshots.
"""
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@library_option
@click.option("--dry-run", is_flag=True, help="Only print what would come back.")
@click.option("--replace", is_flag=True, help="Where the library has another value, take that of the snapshot.")
@click.option("--exact", is_flag=True, help="Recognise pictures by their content only, not by their path.")
@click.option(
    "--root",
    "roots",
    multiple=True,
    callback=parse_moves,
    metavar="OLD=NEW",
    help="A folder of the snapshot, and where it is now; repeatable.",
)
@json_option
@click.pass_context
def restore(
    ctx: click.Context,
    /,
    file: Path,
    library: Path,
    dry_run: bool,
    replace: bool,
    exact: bool,
    roots: dict[Path, Path],
    as_json: bool,
) -> None:
    """Restore tags, ratings, albums and judgements from a snapshot FILE."""
    from cli.backups import restore_backup

    ctx.exit(restore_backup(library, file, dry_run=dry_run, replace=replace, exact=exact, roots=roots, as_json=as_json))
