"""`sightline backup`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["backup"]


@click.command(
    epilog="""\b
Examples:
  sightline backup                          into the library's own folder
  sightline backup --to /media/stick        into another folder, and remove old ones there
  sightline backup ~/snapshot.jsonl.gz      into this file
  sightline backup --list                   the snapshots that are there

A snapshot contains tags, ratings, albums, judgements and verdicts on near-duplicates, but neither pictures nor
vectors, which can be computed again. Commands that change any of these write one by themselves. SIGHTLINE_SNAPSHOTS
names another folder for these. The last ones, and one for each hour, day, week and month, are kept (docs/backup.md).
"""
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a snapshot into this folder, if anything changed since the last one there.",
)
@click.option("--list", "list_only", is_flag=True, help="List the snapshots, the newest first, and check them.")
@library_option
@json_option
@click.pass_context
def backup(
    ctx: click.Context, file: Path | None, folder: Path | None, list_only: bool, library: Path, as_json: bool
) -> None:
    """Write a snapshot of tags, ratings, albums, judgements and verdicts on near-duplicates."""
    if (file is not None) + (folder is not None) > 1 or (file is not None and list_only):
        raise click.UsageError("Give either a FILE, or --to FOLDER, or --list.")
    from cli import backups

    if list_only:
        ctx.exit(backups.print_snapshots(library, folder, as_json=as_json))
    backups.write_backup(library, file, folder, as_json=as_json)
