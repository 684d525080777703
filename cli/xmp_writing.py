"""`sightline write-xmp`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from cli.options import PictureSelection
from cli.output import counted, print_json, print_text, shown, warn
from cli.paths import logical_path, logical_paths
from cli.query_building import build_filters
from cli.rating import rating_title
from cli.results import FOUND, NOTHING_FOUND
from cli.tagging import select_pictures
from core.files import absolute
from indexer.xmp_writing import SidecarOutcome, SidecarResult, WriteSettings, write_sidecars
from store import Library
from store.written_sidecars import SaidFile, said_files

__all__ = ["write_selected"]


def write_selected(
    selection: PictureSelection, *, library: Path, dry_run: bool, replace_ratings: bool, as_json: bool
) -> int:
    """Write tags and ratings of the selected pictures into their sidecars; return the exit code."""
    filters = build_filters(selection.filters)
    paths = logical_paths(selection.pictures)
    with Library.open(library) as opened:
        ids = select_pictures(opened, paths, filters, selection.query, selection.top)
        files = [file for file in said_files(opened, ids) if _is_within(file, paths)]
        files = [file for file in files if _is_within(file, tuple(map(logical_path, selection.filters.within)))]
        settings = WriteSettings(dry_run=dry_run, replace_ratings=replace_ratings)
        counts = _print_outcomes(write_sidecars(opened, files, settings), as_json=as_json)
    if not as_json:
        _print_summary(counts, len(ids), dry_run=dry_run)
    has_faults = counts[SidecarResult.REFUSED] or counts["unwritable"]
    return NOTHING_FOUND if has_faults or not files else FOUND


def _is_within(file: SaidFile, paths: Sequence[Path]) -> bool:
    """Return whether a file is at or below one of `paths`, if any are given: copies elsewhere were not named."""
    return not paths or any(file.path.is_relative_to(absolute(path)) for path in paths)


def _print_outcomes(outcomes: Iterable[SidecarOutcome], *, as_json: bool) -> Counter[str]:
    counts = Counter[str]()
    for outcome in outcomes:
        counts[outcome.result] += 1
        counts["unwritable"] += len(outcome.unwritable)
        counts["backups"] += outcome.backup is not None
        counts["other ratings"] += outcome.other_rating is not None
        if as_json:
            print_json({"path": outcome.picture, **_json(outcome)})
        elif outcome.result is SidecarResult.REFUSED:
            warn(f"{shown(outcome.sidecar or outcome.picture)} is left as it is: {outcome.reason}.")
        else:
            _print_outcome(outcome)
    return counts


def _json(outcome: SidecarOutcome) -> dict[str, object]:
    record = asdict(outcome)
    del record["picture"]
    return record


def _print_outcome(outcome: SidecarOutcome) -> None:
    changes = [f"+{keyword}" for keyword in outcome.added] + [f"-{keyword}" for keyword in outcome.removed]
    if outcome.rating != outcome.rating_before:
        changes.append("no rating" if outcome.rating is None else rating_title(outcome.rating))
    if outcome.result is not SidecarResult.UNCHANGED:
        print_text("  ".join((shown(outcome.sidecar or outcome.picture), *changes)))
    if outcome.other_rating is not None:
        there = rating_title(outcome.other_rating)
        warn(f"{shown(outcome.sidecar or outcome.picture)} keeps the rating of another program: {there}.")
    for tag in outcome.unwritable:
        warn(f"The tag {tag!a} of {shown(outcome.picture)} has a character that XML does not allow.")


def _print_summary(counts: Counter[str], selected: int, *, dry_run: bool) -> None:
    created, changed = counts[SidecarResult.CREATED], counts[SidecarResult.CHANGED]
    unchanged, refused = counts[SidecarResult.UNCHANGED], counts[SidecarResult.REFUSED]
    if not created + changed + unchanged + refused:
        print_text(f"Nothing to write: none of the {selected:,} selected pictures has a tag or a rating of yours.")
        return
    verb = "Would write" if dry_run else "Wrote"
    parts = [f"{created:,} new, {changed:,} changed", f"{unchanged:,} unchanged" if unchanged else ""]
    parts.append(f"{refused:,} left as they are" if refused else "")
    total = created + changed
    print_text(f"{verb} {counted(total, 'sidecar', 'sidecars')}: {', '.join(filter(None, parts))}.")
    if counts["backups"]:
        print_text("What other programs wrote is kept beside it: NAME.xmp.bak.")
    if counts["other ratings"]:
        print_text("--replace-ratings replaces the ratings of other programs by yours.")
