"""`sightline forget`: let the library forget pictures; files are never touched."""

from pathlib import Path

import click

from cli.options import from_here, json_option, library_option

__all__ = ["forget"]


@click.command(
    epilog="""\b
Examples:
  sightline forget ~/Pictures/Screenshots              a folder; list it in .sightlineignore to keep it out
  sightline forget /mnt/old-disk                       a whole root, with everything beneath it
  sightline forget ~/Pictures --missing                only what is no longer there
"""
)
@click.argument("path", type=click.Path(path_type=Path))
@library_option
@click.option("--missing", is_flag=True, help="Forget only pictures whose file is gone.")
@click.option("--dry-run", is_flag=True, help="Only say how many pictures that would be.")
@json_option
def forget(path: Path, library: Path, missing: bool, dry_run: bool, as_json: bool) -> None:
    """Let the library forget the pictures at and beneath PATH; files are never touched."""
    from cli.output import print_json, print_text, say_waiting
    from store import Library
    from store.forget import forget as run

    with Library.open(library) as opened, opened.writer_lock(say_waiting):
        number = run(opened, from_here(path), missing_only=missing, dry_run=dry_run)
    if as_json:
        print_json({"would_forget" if dry_run else "forgotten": number})
    else:
        print_text(f"{'Would forget' if dry_run else 'Forgot'} {number:,} pictures.")
