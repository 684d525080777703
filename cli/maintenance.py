"""`sightline verify`, `repair` and `forget`."""

from pathlib import Path

import click

from cli.output import print_json, print_text, say_waiting
from cli.paths import logical_path
from store import Library, check
from store.forget import forget
from store.spaces.drop import forget_space
from store.spaces.registry import named_space

__all__ = ["forget_pictures", "repair_library", "verify_library"]


def verify_library(library: Path, *, as_json: bool) -> int:
    """Print the faults of the library; return the exit code."""
    with Library.open(library) as opened:
        faults = check.verify(opened)
    for fault in faults:
        if as_json:
            print_json(vars(fault))
        else:
            print_text(f"{fault.kind}: {fault.detail}")
    if not faults and not as_json:
        print_text("No faults found.")
    return 1 if faults else 0


def repair_library(library: Path, *, as_json: bool) -> None:
    """Repair the library, and print what was done."""
    with Library.open(library) as opened, opened.exclusive(say_waiting) as writer:
        steps = check.repair(writer)
    if as_json:
        print_json({"done": steps})
        return
    for step in steps or ["Nothing to repair."]:
        print_text(step)


def forget_pictures(
    path: Path | None, space: str | None, *, library: Path, missing: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove the pictures at and below `path`, or the vectors of a space, from the library."""
    if (path is None) == (space is None) or (missing and space is not None):
        raise click.UsageError("Give either a PATH or --space.")
    with Library.open(library) as opened, opened.exclusive(say_waiting) as writer:
        if space is not None:
            number = forget_space(writer, named_space(opened, space), dry_run=dry_run)
        elif path is not None:
            number = forget(writer, logical_path(path), missing_only=missing, dry_run=dry_run)
    if as_json:
        print_json({"would_forget" if dry_run else "forgotten": number})
    else:
        print_text(
            f"{'Would forget' if dry_run else 'Forgot'} {number:,} {'pictures' if space is None else 'vectors'}."
        )
