"""`sightline distinct`: pictures that are not near-duplicates."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.output import counted, print_json, print_text, shown, warn
from cli.paths import logical_paths
from cli.results import FOUND, NOTHING_FOUND
from cli.snapshots import keep_snapshot
from cli.tagging import select_pictures
from search import Filters
from store import Library
from store.near_duplicates.verdicts import Pair, list_verdicts, pairs_among, tell_apart, withdraw_verdicts
from store.queries import load_content_records

__all__ = ["change_verdicts", "print_verdicts"]

MAX_PAIRS = 20_000
PAGE_SIZE = 1_000


def change_verdicts(paths: Sequence[Path], others: Sequence[Path], *, undo: bool, library: Path, as_json: bool) -> int:
    """Tell pictures apart, or withdraw that; return the exit code."""
    with Library.open(library) as opened:
        ids, other_ids = _contents(opened, paths), _contents(opened, others)
        pairs = pairs_among(ids, other_ids or None)
        if not pairs:
            raise click.UsageError("Name two pictures at least. Copies of one file are always duplicates.")
        if len(pairs) > MAX_PAIRS:
            raise click.UsageError(f"These are {len(pairs):,} pairs of pictures (limit: {MAX_PAIRS:,}).")
        change = withdraw_verdicts if undo else tell_apart
        changed = change(opened, pairs, lambda: warn("waiting for another program that changes the library"))
        keep_snapshot(opened)
    if as_json:
        print_json({"pairs": len(pairs), "changed": changed})
    else:
        verb = "Withdrew the verdict on" if undo else "Recorded as distinct:"
        rest = f"; {len(pairs) - changed:,} unchanged" if changed < len(pairs) else ""
        print_text(f"{verb} {counted(changed, 'pair', 'pairs')} of pictures{rest}.")
    return FOUND


def print_verdicts(*, library: Path, as_json: bool) -> int:
    """Print the pairs that are recorded as distinct; return the exit code."""
    found, last = False, (0, 0)
    with Library.open(library) as opened:
        while page := list_verdicts(opened, PAGE_SIZE, last):
            _print_pairs(opened, page, as_json=as_json)
            found, last = True, page[-1]
    if not found:
        warn("no pictures are recorded as distinct")
    return FOUND if found else NOTHING_FOUND


def _print_pairs(library: Library, pairs: Sequence[Pair], *, as_json: bool) -> None:
    records = load_content_records(library, [content_id for pair in pairs for content_id in pair])
    for pair in pairs:
        if not set(pair) <= set(records):
            continue
        paths = [records[content_id].paths[0] for content_id in pair]
        if as_json:
            print_json({"pictures": [{"id": each, "path": path} for each, path in zip(pair, paths, strict=True)]})
        else:
            print_text("  ".join(map(shown, paths)))


def _contents(library: Library, paths: Sequence[Path]) -> list[int]:
    """Return the contents of files, in the order of the paths."""
    return [
        content_id
        for path in logical_paths(paths)
        for content_id in select_pictures(library, [path], Filters(), None, 1)
    ]
