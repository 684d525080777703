"""`sightline index`."""

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from cli.model_versions import unused_newer_version
from cli.output import print_json, print_text, warn
from cli.paths import logical_path
from cli.progress import ProgressBar
from core.errors import FolderNotFound
from encoders import registry
from encoders.placement import Placement
from indexer import IndexSettings, Summary, index
from indexer.ignore import parse_patterns
from indexer.scan import ScanSettings
from store import Library
from store.spaces.registry import list_spaces
from store.spaces.space_fill import fill_states

__all__ = ["ScanSettings", "index_folders"]


def index_folders(
    paths: Sequence[Path],
    scan: ScanSettings,
    *,
    library: Path,
    model: str | None,
    placement: Placement,
    workers: int | None,
    full: bool,
    accept_missing: bool,
    as_json: bool,
) -> None:
    """Index folders, and print a summary."""
    try:
        parse_patterns(scan.exclude)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--exclude") from exc
    settings = IndexSettings(scan=scan, full=full, accept_missing=accept_missing)
    if workers is not None:
        settings = replace(settings, workers=workers)
    # Check for an unknown model and missing folders before creating a library.
    if model is not None:
        registry.load(model, placement)
    if not any(map(os.path.exists, paths)) and not library.exists():  # unlike Path.exists, os.path.exists never raises
        raise FolderNotFound(paths[0])
    with Library.open(library, create=True) as opened, ProgressBar() as progress:
        summary = index(opened, map(logical_path, paths), model, settings, progress, placement=placement)
        _warn_of_filling(opened)
        newer = unused_newer_version(opened)
    if as_json:
        print_json({**asdict(summary), "newer_version": newer and newer.newest.version})
    else:
        _print_summary(summary)
        if newer is not None:
            print_text(f"  {newer}")


def _warn_of_filling(library: Library) -> None:
    """Report spaces that are being filled: index runs embed pictures only for the active space."""
    states = fill_states(library)
    for stored in [summary.stored for summary in list_spaces(library)]:
        state = states.get(stored.id)
        if state == "under way":
            warn(f"the change to {stored.space} is in progress and includes these pictures")
        elif state is not None:
            warn(f"the change to {stored.space} is incomplete; `sightline models use {stored.space.name}` continues it")


def _print_summary(summary: Summary) -> None:
    names = ("new", "changed", "moved", "restored", "unchanged", "failed")
    parts = [f"{number:,} {name}" for name in names if (number := getattr(summary, name))]
    print_text(f"{summary.seen:,} pictures in {summary.seconds:.1f} s: {', '.join(parts) or 'nothing found'}")
    if summary.duplicates:
        print_text(f"  {summary.duplicates:,} of the new pictures are copies of indexed ones")
    if summary.metadata_updated:
        print_text(f"  {summary.metadata_updated:,} pictures have new metadata from XMP files or headers")
    if summary.missing:
        print_text(f"  {summary.missing:,} indexed pictures were not found; their records are kept")
    if summary.failed:
        print_text(f"  {summary.failed:,} could not be read; `sightline status --failures` lists the reasons")
    for folder in summary.unreadable:
        print_text(f"  could not read the folder {folder}; its records are kept")
