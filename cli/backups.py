"""`sightline backup` and `sightline restore`, and the snapshots that other commands write."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cli.output import counted, in_units, print_json, print_text, say_waiting, shown, warn
from cli.results import FOUND, NOTHING_FOUND
from cli.snapshots import keep_snapshot
from core.errors import SnapshotError
from core.files import absolute
from core.foreign_paths import absolute_path, is_same_path
from core.object_paths import as_path
from search.evaluate.kept_judgements import merge_judgements, read_judgements
from search.query_language.moved_folders import with_folders_moved
from store import Library
from store.backup import taking
from store.backup.outcomes import Outcome, RestoreReport, Statement
from store.backup.restore_context import RestoreSettings
from store.backup.restoring import restore
from store.backup.snapshot_file import Snapshot, open_snapshot
from store.backup.snapshot_folder import SNAPSHOTS_FOLDER, list_snapshots
from store.backup.taking import TakenSnapshot
from store.catalog.tables import RootKind

__all__ = ["SUBJECTS", "print_snapshots", "report_counts", "restore_backup", "write_backup"]

RECORDS: Mapping[str, tuple[str, str]] = {
    "picture": ("picture with tags or a rating", "pictures with tags or ratings"),
    "album": ("album", "albums"),
    "album_picture": ("picture in albums", "pictures in albums"),
    "distinct": ("verdict on near-duplicates", "verdicts on near-duplicates"),
    "judgement": ("judgement", "judgements"),
}
"""Type of record -> what it is called, for one and for several."""

SUBJECTS: Mapping[Statement, str] = {
    Statement.TAGS: "tags",
    Statement.RATINGS: "ratings",
    Statement.ALBUMS: "albums",
    Statement.ALBUM_PICTURES: "pictures in albums",
    Statement.COVERS: "covers",
    Statement.VERDICTS: "verdicts on near-duplicates",
    Statement.JUDGEMENTS: "judgements",
}


def write_backup(library: Path, file: Path | None, folder: Path | None, *, as_json: bool) -> None:
    """Write a snapshot to a file, into a folder, or where automatic ones are kept; print where it is."""
    with Library.open(library) as opened:
        judgements = partial(read_judgements, opened)
        if file is not None:
            taken = [taking.save_snapshot(opened, absolute(file), judgements)]
        elif folder is not None:
            taken = [taking.take_snapshot(opened, absolute(folder), judgements)]
        else:
            taken = taking.take_snapshots(opened, judgements)
    for each in taken:
        if as_json:
            print_json({"snapshot": str(each.path), "new": each.is_new, "counts": each.counts})
        else:
            _print_taken(each)


def print_snapshots(library: Path, folder: Path | None, *, as_json: bool) -> int:
    """Print the snapshots in a folder, or in that of the library; return the exit code."""
    place = absolute(folder if folder else Library.folder_at(library) / SNAPSHOTS_FOLDER)
    files = list_snapshots(place)
    for file in files:
        snapshot, fault = _opened(file.path)
        counts = snapshot.header.counts if snapshot else {}
        if as_json:
            facts = {"created": file.created_at.isoformat() + "Z", "bytes": file.size, "counts": counts}
            print_json({"snapshot": str(file.path), **facts, "fault": fault})
        else:
            print_text(f"{file.path}  {in_units(file.size)}  {fault or _contents(counts)}")
    if not files:
        warn(f"there are no snapshots in {shown(place)}")
    return FOUND if files else NOTHING_FOUND


def restore_backup(
    library: Path,
    file: Path,
    *,
    dry_run: bool,
    replace: bool,
    exact: bool,
    roots: Mapping[Path, Path],
    as_json: bool,
) -> int:
    """Restore a snapshot, and print what became of it; return 1 if pictures are missing for some of it."""
    snapshot = open_snapshot(absolute(file))
    moved = {absolute_path(old): absolute(new) for old, new in roots.items()}
    _warn_of_other_folders(snapshot, moved)
    settings = RestoreSettings(replace, exact, moved, dry_run)
    with Library.open(library, create=not dry_run) as opened:
        if not dry_run:
            keep_snapshot(opened, always=replace)
        merge = partial(merge_judgements, opened)
        report = restore(opened, snapshot, settings, merge, with_folders_moved, say_waiting)
        if not dry_run:
            keep_snapshot(opened)
    if as_json:
        print_json(_report_record(report, dry_run=dry_run))
    else:
        _print_report(report, snapshot, dry_run=dry_run)
    return NOTHING_FOUND if report.unknown_pictures else FOUND


def _warn_of_other_folders(snapshot: Snapshot, moved: Mapping[Path, Path]) -> None:
    """Warn of folders of `--root` that the snapshot does not have: pictures are not looked for by these."""
    folders = [as_path(root.path) for root in snapshot.header.roots if root.kind == RootKind.FOLDER]
    for old in moved:
        if any(is_same_path(os.fspath(old), os.fspath(folder)) for folder in folders):
            continue
        names = ", ".join(map(shown, folders)) or "none"
        warn(f"{shown(old)} is not one of the folders of the snapshot. Its folders are: {names}")


def _opened(path: Path) -> tuple[Snapshot | None, str | None]:
    try:
        return open_snapshot(path), None
    except SnapshotError as exc:
        return None, str(exc)


def _print_taken(taken: TakenSnapshot) -> None:
    verb = "Wrote" if taken.is_new else "Nothing has changed since"
    print_text(f"{verb} {taken.path}: {_contents(taken.counts)}")


def _contents(counts: Mapping[str, int]) -> str:
    parts = [
        counted(number, one, several) for kind, (one, several) in RECORDS.items() if (number := counts.get(kind, 0))
    ]
    return ", ".join(parts) or "no tags, ratings, albums or judgements yet"


def report_counts(report: RestoreReport) -> dict[str, dict[str, int]]:
    """Return the number of statements by subject and outcome."""
    return {
        subject.value: {outcome.value: report.counts[subject][outcome] for outcome in Outcome}
        for subject in SUBJECTS
        if report.counts[subject]
    }


def _report_record(report: RestoreReport, *, dry_run: bool) -> dict[str, object]:
    pictures = {"found_by_path": report.found_by_path, "unknown_pictures": report.unknown_pictures}
    return {"dry_run": dry_run, "counts": report_counts(report), **pictures, "conflicts": report.conflicts}


def _print_report(report: RestoreReport, snapshot: Snapshot, *, dry_run: bool) -> None:
    would = "would come back" if dry_run else "restored"
    texts = {Outcome.RESTORED: would, Outcome.PRESENT: "here already", Outcome.KEPT: "kept as they are here"}
    texts |= {Outcome.UNKNOWN: "without a picture here"}
    print_text(f"Snapshot of {snapshot.header.created_at:%Y-%m-%d %H:%M} UTC")
    for subject, name in SUBJECTS.items():
        counts = report.counts[subject]
        parts = [f"{counts[outcome]:,} {text}" for outcome, text in texts.items() if counts[outcome]]
        if parts:
            print_text(f"  {name}: {', '.join(parts)}")
    if report.found_by_path:
        number = _pictures(report.found_by_path)
        print_text(f"  {number} with another content than in the snapshot were recognised by their paths")
    for name in report.conflicts:
        kinds = "one is a saved search, the other was put together by hand"
        print_text(f"  The album {name} was left out: {kinds}. Rename the one here, and restore again.")
    if report.total(Outcome.KEPT) > len(report.conflicts):
        print_text("  Something else is here in some cases and was kept; --replace takes what the snapshot says.")
    if report.unknown_pictures:
        print_text(
            f"  {_pictures(report.unknown_pictures)} of the snapshot are not in this library. "
            "Index them, then restore again."
        )


def _pictures(number: int) -> str:
    return counted(number, "picture", "pictures")
