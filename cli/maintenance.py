"""`sightline verify`, `repair` and `forget`."""

from functools import partial
from pathlib import Path

import click

from cli.error_hints import describe_error
from cli.output import print_json, print_text, say_waiting, warn
from cli.paths import logical_path
from cli.snapshots import keep_snapshot
from core.errors import ExtraMissing, IndexEngineUnavailable, LibraryUnusable
from search.evaluate.kept_judgements import merge_judgements
from search.query_language.moved_folders import with_folders_moved
from store import Library, check
from store.backup.outcomes import Outcome
from store.backup.restoring import restore
from store.backup.snapshot_folder import newest_intact_snapshot
from store.exchange import remove_replaced_spaces
from store.forget import forget
from store.recovery import describe, recover
from store.spaces.approximation import update_approximation
from store.spaces.drop import forget_space
from store.spaces.registry import list_spaces, named_space
from store.spaces.server_engines.leftovers import remove_leftovers
from store.spaces.server_engines.updating import repair_engine

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
    recovery = recover(library, say_waiting)
    steps = [] if recovery is None else describe(recovery)
    with Library.open(library) as opened:
        steps += check.repair(opened, keep_contents=recovery is not None, waiting=say_waiting)
        steps += [
            f"removed what was left of a replaced space {name}" for name in remove_replaced_spaces(opened, say_waiting)
        ]
        steps += _renew_indexes(opened)
    if recovery is not None and recovery.lost_words:
        steps += _restore_newest_snapshot(library)
    if as_json:
        print_json({"done": steps})
        return
    for step in steps or ["Nothing to repair."]:
        print_text(step)


def _renew_indexes(library: Library) -> list[str]:
    """Bring the indexes of all spaces up to date with the repaired catalogue; return what was done."""
    steps, is_away = list[str](), False
    for summary in list_spaces(library):
        try:
            if repair_engine(library, summary.stored):
                steps.append(f"copied all vectors of {summary.stored.space} to the index engine again")
            elif update_approximation(library, summary.stored):
                steps.append(f"renewed the approximate index of {summary.stored.space}")
        except LibraryUnusable as exc:  # what was repaired must be printed
            warn(str(exc))
            is_away = True
    return steps if is_away else steps + _clear_engine(library)


def _clear_engine(library: Library) -> list[str]:
    """Delete what the index engine has of spaces that were dropped while it could not be reached."""
    try:
        return [f"removed {storage}* of a dropped space from the index engine" for storage in remove_leftovers(library)]
    except (IndexEngineUnavailable, ExtraMissing) as exc:
        warn(str(exc))
        return []


def _restore_newest_snapshot(library: Path) -> list[str]:
    """Add the user data of the newest snapshot; return what was done."""
    with Library.open(library) as opened:
        snapshot = newest_intact_snapshot(opened.path)
        if snapshot is None:
            return ["there is no snapshot of tags, ratings and albums to restore"]
        report = restore(opened, snapshot, None, partial(merge_judgements, opened), with_folders_moved, say_waiting)
    restored, unknown = report.total(Outcome.RESTORED), report.unknown_pictures
    step = f"restored {restored:,} tags, ratings and entries of albums from {snapshot.path}"
    if restored:
        step += "; what was removed since then may be back"
    if unknown:
        step += f"; {unknown:,} of its pictures are not in the library: index their folders, then restore it again"
    return [step]


def forget_pictures(
    path: Path | None, space: str | None, *, library: Path, missing: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove the pictures at and below `path`, or the vectors of a space, from the library."""
    if (path is None) == (space is None) or (missing and space is not None):
        raise click.UsageError("Give either a PATH or --space.")
    with Library.open(library) as opened:
        if space is not None:
            stored = named_space(opened, space, unfinished=True)
            number = forget_space(
                opened, stored, dry_run=dry_run, waiting=say_waiting, left=lambda exc: warn(describe_error(exc))
            )
        elif path is not None:
            number = _forget_at(opened, logical_path(path), missing=missing, dry_run=dry_run)
    if as_json:
        print_json({"would_forget" if dry_run else "forgotten": number})
    else:
        print_text(
            f"{'Would forget' if dry_run else 'Forgot'} {number:,} {'pictures' if space is None else 'vectors'}."
        )


def _forget_at(library: Library, path: Path, *, missing: bool, dry_run: bool) -> int:
    if not dry_run:
        keep_snapshot(library, always=True)  # user data of these pictures can then come back
    return forget(library, path, missing_only=missing, dry_run=dry_run, waiting=say_waiting)
