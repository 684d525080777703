"""`sightline merge`."""

import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from cli.backups import SUBJECTS, report_counts
from cli.output import counted, print_json, print_text, shown
from cli.progress import ProgressBar
from cli.snapshots import keep_snapshot
from cli.suggestions import command
from core.errors import LibraryUnusable
from core.files import absolute
from core.foreign_paths import absolute_path
from core.root_files import is_folder
from search.evaluate.kept_judgements import merge_judgements, read_judgements
from search.query_language.moved_folders import with_folders_moved
from store import Library
from store.backup.outcomes import Outcome
from store.catalog.postgresql.address import is_server_url
from store.merge.loading import count_contents
from store.merge.merging import MergeHooks, MergeReport, MergeSettings, merge, require_places
from store.merge.placing import MergedRoot, RootRelation
from store.merge.spaces import SpaceRelation
from store.spaces.approximation import update_approximation
from store.spaces.registry import active_space

__all__ = ["merge_library"]

RELATIONS: Mapping[RootRelation, str] = {
    RootRelation.SAME: "is in both libraries",
    RootRelation.INSIDE: "is in the folder {root} of this library",
    RootRelation.AROUND: "takes in the folders of this library below it",
    RootRelation.NEW: "is new",
}


def merge_library(
    library: Path, other: Path, *, roots: Mapping[Path, Path], dry_run: bool, force: bool, as_json: bool
) -> None:
    """Merge the library at `other`, a folder or a URL, into `library`, and print what came from it."""
    settings = MergeSettings({absolute_path(old): absolute(new) for old, new in roots.items()}, dry_run, force)
    with ExitStack() as stack:
        # The other one comes first: without it, and its folders, no library is created.
        place = other if is_server_url(str(other)) else absolute(other)
        opened = stack.enter_context(Library.open_to_read(place))
        if not dry_run and not Library.exists(library):
            require_places(opened, settings)
        here = stack.enter_context(Library.open(library, create=not dry_run))
        progress = stack.enter_context(ProgressBar("Merging"))
        if not dry_run:
            keep_snapshot(here)
        progress.begin(count_contents(opened))
        hooks = MergeHooks(partial(merge_judgements, here), with_folders_moved, progress.advance, progress.waiting)
        report = merge(here, opened, settings, read_judgements(opened), hooks)
        if not dry_run:
            _finish(here, progress)
    if as_json:
        print_json(_record(report, dry_run=dry_run))
    else:
        _print(report, dry_run=dry_run)


def _finish(library: Library, progress: ProgressBar) -> None:
    keep_snapshot(library)
    active = active_space(library)
    try:
        if active is not None:
            update_approximation(library, active)
    except LibraryUnusable as exc:  # the libraries have been merged
        progress.warn(str(exc))


def _record(report: MergeReport, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "folders": [vars(root) for root in report.roots],
        "contents": report.contents,
        "pictures": {name: report.pictures[name] for name in ("new", "present", "taken", "kept")},
        "spaces": [
            {
                "name": each.other.space.name,
                "fingerprint": each.other.space.fingerprint,
                "relation": each.relation,
                "vectors": report.vectors[each.other.id],
            }
            for each in report.spaces
        ],
        "without_vector": None if dry_run else report.without_vector,
        "said": report_counts(report.said),
        "conflicts": report.said.conflicts,
    }


def _print(report: MergeReport, *, dry_run: bool) -> None:
    number = report.pictures
    verb = "Would add" if dry_run else "Added"
    known = f"{number['present']:,} {'is' if number['present'] == 1 else 'are'} here already"
    print_text(f"{verb} {counted(number['new'], 'picture', 'pictures')}; {known}")
    for root in report.roots:
        print_text(f"  Folder {shown(root.other)}{_moved(root)} {_relation(root)}")
        if not is_folder(root.path):
            move = command(f"move-root {shlex.quote(shown(root.path))} NEW")
            place = "--root OLD=NEW says" if dry_run else f"{move} says"
            print_text(f"    It is not there now. If it is at another place, {place} where.")
    if number["taken"]:
        one, several = "file had", "files had"
        files = counted(number["taken"], one, several)
        print_text(f"  {files} changed since it was indexed here; the record of the other library counts")
    if number["kept"]:
        one, several = "file has another content", "files have other contents"
        print_text(f"  {counted(number['kept'], one, several)} in the other library; kept as they are here")
    for each in report.spaces:
        vectors = counted(report.vectors[each.other.id], "vector", "vectors")
        match each.relation:
            case SpaceRelation.SAME:
                print_text(f"  {each.other.space}: {vectors} added")
            case SpaceRelation.CARRIED:
                print_text(f"  {each.other.space}: a new space here, with {vectors}")
            case SpaceRelation.NAME_TAKEN:
                print_text(f"  {each.other.space} was left out: another imported space has this name here.")
                print_text("    Export it from the other library, and import it under another name.")
    _print_said(report, dry_run=dry_run)
    if report.without_vector:
        pictures = counted(report.without_vector, "picture has", "pictures have")
        print_text(f"  {pictures} no vector of the active model; {command('index')} on the folders embeds them.")


def _print_said(report: MergeReport, *, dry_run: bool) -> None:
    texts = {
        Outcome.RESTORED: "would be added" if dry_run else "added",
        Outcome.PRESENT: "here already",
        Outcome.KEPT: "kept as they are here",
        Outcome.UNKNOWN: "without a picture here",
    }
    for subject, name in SUBJECTS.items():
        counts = report.said.counts[subject]
        parts = [f"{counts[outcome]:,} {text}" for outcome, text in texts.items() if counts[outcome]]
        if parts:
            print_text(f"  {name}: {', '.join(parts)}")
    for album in report.said.conflicts:
        kinds = "one is a saved search, the other was put together by hand"
        print_text(f"  The album {album} was left out: {kinds}. Rename the one here, and merge again.")


def _moved(root: MergedRoot) -> str:
    return f", now {shown(root.path)}," if root.path != root.other else ""


def _relation(root: MergedRoot) -> str:
    return RELATIONS[root.relation].format(root=shown(root.root))
