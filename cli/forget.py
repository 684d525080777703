"""`sightline forget`: let the library forget pictures; files are never touched."""

from pathlib import Path

import click

from cli.options import from_here, json_option, library_option

__all__ = ["forget"]


@click.command(
    epilog="""\b
Examples:
  sightline forget ~/Pictures/Screenshots   a folder
  sightline forget /mnt/old-disk            a whole root
  sightline forget ~/Pictures --missing     only what is no longer there
  sightline forget --space clip-b32         a space: vectors, no picture
"""
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@library_option
@click.option("--space", metavar="NAME", help="Forget this embedding space, in place of pictures.")
@click.option("--missing", is_flag=True, help="Forget only pictures whose file is gone.")
@click.option("--dry-run", is_flag=True, help="Only say how many pictures that would be.")
@json_option
def forget(path: Path | None, library: Path, space: str | None, missing: bool, dry_run: bool, as_json: bool) -> None:
    """Let the library forget the pictures at and beneath PATH; files are never touched."""
    from cli.output import print_json, print_text, say_waiting
    from store import Library
    from store.forget import forget as run
    from store.spaces.drop import forget_space
    from store.spaces.registry import named_space

    if (path is None) == (space is None) or (missing and space is not None):
        raise click.UsageError("Name either a PATH or a --space to forget.")
    with Library.open(library) as opened, opened.writer_lock(say_waiting):
        if space is not None:
            number = forget_space(opened, named_space(opened, space), dry_run=dry_run)
        elif path is not None:
            number = run(opened, from_here(path), missing_only=missing, dry_run=dry_run)
    if as_json:
        print_json({"would_forget" if dry_run else "forgotten": number})
    else:
        print_text(
            f"{'Would forget' if dry_run else 'Forgot'} {number:,} {'pictures' if space is None else 'vectors'}."
        )
