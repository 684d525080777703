"""`sightline move-root`."""

from dataclasses import asdict
from pathlib import Path

import click

from cli.output import counted, print_json, print_text, say_waiting, shown
from cli.paths import logical_path
from cli.snapshots import keep_snapshot
from cli.suggestions import command
from search.query_language.moved_folders import with_folders_moved
from store import Library
from store.moved_roots import MovedRoot, move_roots
from store.root_places import place_root

__all__ = ["move", "note_place"]


def move(library: Path, old: Path, new: Path, *, force: bool, dry_run: bool, as_json: bool) -> None:
    """Record that a root, or all roots in a folder, were moved, and print what was found at each new place."""
    with Library.open(library) as opened:
        moved = move_roots(
            opened,
            logical_path(old),
            logical_path(new),
            force=force,
            dry_run=dry_run,
            move_paths=with_folders_moved,
            waiting=say_waiting,
        )
        if not dry_run:
            keep_snapshot(opened)
    for each in moved:
        if as_json:
            print_json({**asdict(each), "dry_run": dry_run})
        else:
            _print_moved(each, dry_run=dry_run)


def note_place(library: Path, old: Path, new: Path, *, force: bool, dry_run: bool, as_json: bool) -> None:
    """Note that this machine has a root of a library on a server at another place."""
    with Library.open(library) as opened:
        if opened.backend.name == "sqlite":
            raise click.UsageError(f"{opened.location} is a folder, which has one place for each of its folders.")
        placed = place_root(opened, logical_path(old), logical_path(new), force=force, dry_run=dry_run)
    if as_json:
        print_json({"root": placed.root, "here": placed.here, **asdict(placed.found), "dry_run": dry_run})
        return
    verb = "Would note" if dry_run else "Noted"
    found = placed.found
    files = "file is there with its size" if found.checked == 1 else "files are there with their sizes"
    print_text(f"{verb} for this machine: {shown(placed.root)} is at {shown(placed.here)}")
    print_text(f"  {found.same_size:,} of {found.checked:,} checked {files}")


def _print_moved(moved: MovedRoot, *, dry_run: bool) -> None:
    verb = "Would move" if dry_run else "Moved"
    pictures = counted(moved.pictures, "picture", "pictures")
    print_text(f"{verb} {shown(moved.old)} to {shown(moved.new)}: {pictures}")
    files = "file is there with its size" if moved.checked == 1 else "files are there with their sizes"
    print_text(f"  {moved.same_size:,} of {moved.checked:,} checked {files}, {moved.same_time:,} with the same time")
    if moved.same_time < moved.same_size:
        print_text(f"  Files with another time are read again by the next {command('index')}. Their vectors are kept.")
    if moved.albums:
        albums = "saved search follows" if moved.albums == 1 else "saved searches follow"
        print_text(f"  {moved.albums:,} {albums}")
