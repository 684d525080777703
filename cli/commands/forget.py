"""`sightline forget`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["forget"]


@click.command(
    epilog="""\b
Examples:
  sightline forget ~/Pictures/Screenshots   a folder
  sightline forget /mnt/old-disk            a whole root
  sightline forget ~/Pictures --missing     only pictures without a file
  sightline forget --space clip-b32         the vectors of a space
"""
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@library_option
@click.option("--space", metavar="NAME", help="Remove this embedding space instead of pictures.")
@click.option("--missing", is_flag=True, help="Remove only pictures whose files are gone.")
@click.option("--dry-run", is_flag=True, help="Only print how many would be removed.")
@json_option
def forget(path: Path | None, library: Path, space: str | None, missing: bool, dry_run: bool, as_json: bool) -> None:
    """Remove the pictures at and below PATH from the library, but never their files."""
    from cli.maintenance import forget_pictures

    forget_pictures(path, space, library=library, missing=missing, dry_run=dry_run, as_json=as_json)
