"""`sightline index`: take folders of pictures in, or bring the library up to date with them."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import from_here, json_option, library_option, placement_options

if TYPE_CHECKING:
    from encoders.placement import Placement
    from indexer import Summary
    from store import Library

__all__ = ["index"]


@click.command(
    epilog="""\b
Examples:
  sightline index ~/Pictures
  sightline index ~/Pictures /mnt/archive --exclude 'Screenshots/' --exclude '*.gif'
  sightline index .   only this part of an indexed folder

Run it again whenever pictures have changed, from cron if you like: only what is new is read. Stop it at
any time; what is settled stays. Folders and patterns listed in a .sightlineignore file (gitignore grammar)
are passed over.
"""
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@library_option
@click.option("--model", help="Model to embed with: a name, or a folder  [default: the library's, or mini]")
@placement_options
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Pass over what matches (gitignore grammar); repeatable."
)
@click.option("--include-hidden", is_flag=True, help="Also take files and folders whose name begins with a dot.")
@click.option("--follow-links", is_flag=True, help="Also go into folders that are symbolic links.")
@click.option(
    "--workers",
    type=click.IntRange(min=1, max=64),
    help="Threads that read and decode  [default: one a core, at most 8]",
)
@click.option("--full", is_flag=True, help="Read every file again, even if its size and time have not changed.")
@click.option("--accept-missing", is_flag=True, help="Believe that a folder is empty although it was full before.")
@json_option
def index(
    paths: tuple[Path, ...],
    library: Path,
    model: str | None,
    placement: "Placement",
    exclude: tuple[str, ...],
    include_hidden: bool,
    follow_links: bool,
    workers: int | None,
    full: bool,
    accept_missing: bool,
    as_json: bool,
) -> None:
    """Take folders of pictures into the library, or bring it up to date with them."""
    from cli.progress import ShownProgress
    from core.errors import FolderNotFound
    from encoders import registry
    from indexer import IndexSettings
    from indexer import index as run
    from indexer.ignore import parse_patterns
    from indexer.scan import ScanSettings
    from store import Library
    from store.spaces.registry import model_space

    try:
        parse_patterns(exclude)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--exclude") from exc
    scan = ScanSettings(exclude=exclude, include_hidden=include_hidden, follow_links=follow_links)
    settings = IndexSettings(scan=scan, full=full, accept_missing=accept_missing)
    if workers is not None:
        settings = replace(settings, workers=workers)
    # Found out before an empty library is left behind: a model that does not exist, nothing to index.
    if model is not None:
        registry.load(model, placement)
    if not any(map(os.path.exists, paths)) and not library.exists():  # unlike Path.exists, never raises
        raise FolderNotFound(paths[0])
    with Library.open(library, create=True) as opened, ShownProgress() as progress:
        known = model_space(opened)
        if model is None and known is not None:
            encoder = registry.load_for_space(known.space, placement)
        else:
            encoder = registry.load(model or registry.DEFAULT_MODEL, placement)
        summary = run(opened, map(from_here, paths), encoder, settings, progress)
        _say_filling(opened)
    _report(summary, as_json)


def _say_filling(library: "Library") -> None:
    """To standard error: pictures go into the space that answers, and another one is to answer some day."""
    from store.spaces.registry import list_spaces
    from store.spaces.space_fill import fillings

    filling = fillings(library)
    for stored in [summary.stored for summary in list_spaces(library)]:
        if state := filling.get(stored.id):
            what = "is under way, and takes in these too" if state == "under way" else "was stopped halfway"
            goes_on = "" if state == "under way" else f"; `sightline models use {stored.space.model}` goes on"
            click.echo(f"sightline: the change to {stored.space} {what}{goes_on}", err=True)


def _report(summary: "Summary", as_json: bool) -> None:
    from cli.output import print_json, print_text

    if as_json:
        print_json(asdict(summary))
        return
    print_text(f"{summary.seen:,} pictures in {summary.seconds:.1f} s: " + _in_words(summary))
    if summary.duplicates:
        print_text(f"  {summary.duplicates:,} of the new ones are copies of pictures the library knows")
    if summary.metadata_updated:
        print_text(f"  {summary.metadata_updated:,} XMP files beside pictures, or headers of known ones, were read")
    if summary.missing:
        print_text(f"  {summary.missing:,} known before were not seen; what is known of them is kept")
    if summary.failed:
        print_text(f"  {summary.failed:,} could not be read; `sightline status --failures` says why")
    for folder in summary.unreadable:
        print_text(f"  could not look into {folder}; what was known there is kept")


def _in_words(summary: "Summary") -> str:
    names = ("new", "changed", "moved", "restored", "unchanged", "failed")
    parts = [f"{number:,} {name}" for name in names if (number := getattr(summary, name))]
    return ", ".join(parts) or "nothing found"
