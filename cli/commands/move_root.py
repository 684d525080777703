"""`sightline move-root`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["move_root"]


@click.command(
    epilog="""\b
Examples:
  sightline move-root ~/Pictures /mnt/disk/Pictures
  sightline move-root /media/anna/STICK/Photos /media/ben/STICK/Photos --library /media/ben/STICK/library
  sightline move-root /media/anna/STICK /media/ben/STICK --library /media/ben/STICK/library
  sightline move-root ~/Pictures ~/Photos --dry-run
  sightline move-root /srv/photos /mnt/nas/photos --here --library postgresql://db.example.org/photos

Move or copy the files yourself, with their times (mv, cp -a, rsync -a), then run this command. Nothing is read again;
tags, albums and vectors stay, and saved searches in these folders follow. A sample of the files is compared first.
If OLD contains several folders of the library, all of them are moved. With --here, OLD is at NEW on this machine
only: the machines of a library in PostgreSQL may have the same folder at different places (docs/postgresql.md).
`sightline status` lists the folders of the library.
"""
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@library_option
@click.option("--here", is_flag=True, help="Only this machine has OLD at NEW; for libraries in PostgreSQL.")
@click.option("--force", is_flag=True, help="Do it even if NEW contains other files than expected.")
@click.option("--dry-run", is_flag=True, help="Only compare a sample of the files.")
@json_option
def move_root(old: Path, new: Path, library: Path, here: bool, force: bool, dry_run: bool, as_json: bool) -> None:
    """Record that the folder OLD of the library, or all its folders in OLD, are at NEW now."""
    from cli.moving import move, note_place

    if here:
        note_place(library, old, new, force=force, dry_run=dry_run, as_json=as_json)
        return
    move(library, old, new, force=force, dry_run=dry_run, as_json=as_json)
