"""`sightline restore`."""

from pathlib import Path

import click

from cli.options import json_option, library_option
from cli.options.moves import parse_moves

__all__ = ["restore"]


@click.command(
    epilog="""\b
Examples:
  sightline restore said.jsonl.gz --dry-run
  sightline restore said.jsonl.gz
  sightline restore said.jsonl.gz --root /home/anna/Pictures=/mnt/Pictures
  sightline restore said.jsonl.gz --library ~/new

What the snapshot says is added to what is there; nothing is removed. Pictures are recognised by their content, then by
their path. What is said about pictures that are not in the library is left out: index them, then run the command again.
`sightline backup --list` lists snapshots.
"""
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@library_option
@click.option("--dry-run", is_flag=True, help="Only print what would come back.")
@click.option("--replace", is_flag=True, help="Where the library says something else, take what the snapshot says.")
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
