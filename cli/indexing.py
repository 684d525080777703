"""`sightline index`."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from cli.error_hints import installation_of
from cli.model_versions import unused_newer_version
from cli.output import counted, print_json, print_text, warn
from cli.passed_over import by_type
from cli.paths import logical_path
from cli.progress import ProgressBar
from cli.results import FOUND, NOTHING_FOUND
from cli.snapshots import keep_snapshot
from cli.suggestions import command
from cli.text_reading import print_text_summary, read_pictures, text_record
from core.errors import FolderNotFound
from core.object_paths import ObjectPath, object_path
from core.root_files import is_folder
from encoders import registry
from encoders.placement import Placement
from encoders.text_recognizer import load_recognizer
from indexer import IndexSettings, Summary, index
from indexer.folders import folder_to_index
from indexer.ignore import parse_patterns
from indexer.runner import Runner
from indexer.scan import ScanSettings
from indexer.texts import TextSummary
from pictures.decode import DecodeSettings
from store import Library
from store.failures import count_needed_extras
from store.spaces.registry import list_spaces
from store.spaces.space_fill import fill_states

__all__ = ["DecodeSettings", "IndexSettings", "ScanSettings", "index_folders"]


def index_folders(
    paths: Sequence[Path],
    settings: IndexSettings,
    *,
    library: Path,
    model: str | None,
    placement: Placement,
    workers: int | None,
    ray: str | None,
    with_text: bool,
    as_json: bool,
) -> int:
    """Index folders, and print a summary; return the exit code: 1 if there are files, but no pictures among them.

    `workers` and `ray`, the address of a cluster, replace those of `settings` if they are given.
    """
    try:
        parse_patterns(settings.scan.exclude)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--exclude") from exc
    if workers is not None:
        settings = replace(settings, workers=workers)
    # Check for an unknown model, missing folders and an unreachable cluster before creating a library.
    if model is not None:
        registry.load(model, placement)
    if with_text:
        load_recognizer()
    if ray is not None:
        settings = replace(settings, runner=_cluster(ray, workers, placement))
    if not library.exists() and not any(map(_exists, paths)) and not Library.exists(library):  # a server is asked last
        raise FolderNotFound(object_path(paths[0]) or paths[0])
    with Library.open(library, create=True) as opened, ProgressBar() as progress:
        summary = index(opened, map(logical_path, paths), model, settings, progress, placement=placement)
        _warn_of_filling(opened)
        newer = unused_newer_version(opened)
        needed = count_needed_extras(opened) if summary.failed else {}
        keep_snapshot(opened)
    texts = _read_texts(library) if with_text else None
    if as_json:
        texts_record = {} if texts is None else {"texts": text_record(texts)}
        print_json({**asdict(summary), "newer_version": newer and newer.newest.version, **texts_record})
    else:
        _print_summary(summary, needed)
        if newer is not None:
            print_text(f"  {newer}")
        if texts is not None:
            print_text_summary(texts)
    return NOTHING_FOUND if summary.passed_over and not summary.seen and not summary.missing else FOUND


def _exists(path: Path) -> bool:
    """Return whether there is a file or a folder at a path, or any object. Raises `FolderUnreadable`."""
    found = folder_to_index(path)
    return is_folder(found) if isinstance(found, ObjectPath) else os.path.exists(path)  # noqa: PTH110 (it never raises)


def _cluster(address: str, workers: int | None, placement: Placement) -> Runner:
    """Return the runner for a Ray cluster. Raises `ExtraMissing` and `ClusterUnreachable`."""
    from indexer.cluster import ClusterRunner, ClusterSettings

    placement = replace(placement, notify=None, announce=None)  # other machines cannot call this process
    runner = ClusterRunner(ClusterSettings(address, workers, placement))
    runner.require_available()
    return runner


def _read_texts(library: Path) -> TextSummary:
    with Library.open(library) as opened:
        return read_pictures(opened)


def _warn_of_filling(library: Library) -> None:
    """Report spaces that are being filled: index runs embed pictures only for the active space."""
    states = fill_states(library)
    for stored in [summary.stored for summary in list_spaces(library)]:
        state = states.get(stored.id)
        if state == "under way":
            warn(f"the change to {stored.space} is in progress and includes these pictures")
        elif state is not None:
            name = shlex.quote(stored.space.name)
            warn(f"the change to {stored.space} is incomplete; {command(f'models use {name}')} continues it")


def _print_summary(summary: Summary, needed_extras: Mapping[str, int]) -> None:
    names = ("new", "changed", "moved", "restored", "unchanged", "failed")
    parts = [f"{number:,} {name}" for name in names if (number := getattr(summary, name))]
    nothing = "no supported pictures" if summary.passed_over else "nothing found"
    seen = counted(summary.seen, "picture", "pictures")
    print_text(f"{seen} in {summary.seconds:.1f} s: {', '.join(parts) or nothing}")
    if summary.companions:
        one, several = "RAW file or moving part belongs", "RAW files and moving parts belong"
        print_text(f"  {counted(summary.companions, one, several)} to pictures beside them")
    if summary.duplicates:
        one, several = "is a copy of an indexed one", "are copies of indexed ones"
        print_text(f"  {summary.duplicates:,} of the new pictures {one if summary.duplicates == 1 else several}")
    if summary.metadata_updated:
        updated = counted(summary.metadata_updated, "picture has", "pictures have")
        print_text(f"  {updated} new metadata from XMP files or headers")
    if summary.missing:
        one, several = "picture was not found; its record is", "pictures were not found; their records are"
        print_text(f"  {summary.missing:,} indexed {one if summary.missing == 1 else several} kept")
    if summary.failed:
        print_text(f"  {summary.failed:,} could not be read; {command('status --failures')} lists the reasons")
    for extra, number in needed_extras.items():
        files = counted(number, "file of the library needs", "files of the library need")
        print_text(f"  {files} an extra: {installation_of(extra)}")
    if summary.passed_over:
        number = sum(summary.passed_over.values())
        files = counted(number, "file was", "files were")
        print_text(f"  {files} passed over: {by_type(summary.passed_over)}")
    for folder in summary.unreadable:
        print_text(f"  could not read the folder {folder}; its records are kept")
    for path in summary.too_long:
        print_text(f"  not indexed, because its path is longer than the database can store: {path}")
    for folder in summary.absent:
        print_text(f"  the pictures of {folder} are not there, and are kept. Is its disk mounted? If they are gone,")
        print_text("    run again with --accept-missing")
