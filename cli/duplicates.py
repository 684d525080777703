"""`sightline duplicates`: groups of near-duplicates, with the best of each; nothing is ever deleted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import from_here, json_option, library_option

if TYPE_CHECKING:
    from search.duplicate_groups import Group

__all__ = ["duplicates"]


@click.command(
    epilog="""\b
Examples:
  sightline duplicates                        every group, the largest first
  sightline duplicates --in ~/Pictures/2023 --sheet alike.html
  sightline duplicates --threshold 16         nearly the same only
  sightline duplicates --json | jq .bytes
  sightline duplicates --paths > others.txt   all but the best of each group

Two pictures are near-duplicates if few of the 256 bits of their perceptual hashes differ (docs/duplicates.md). The
best has most pixels; among equals the largest file, a lossless format, the earliest date. Files are never touched.
Exit code 1 means that there are no groups.
"""
)
@click.option(
    "--in", "within", multiple=True, type=click.Path(path_type=Path), help="Only files in this folder; repeatable."
)
@click.option(
    "--threshold",
    type=click.IntRange(0, 128),
    metavar="BITS",
    help="How many of 256 bits may differ; compares every picture again  [default: 40].",
)
@click.option("--paths", is_flag=True, help="Print the paths of all but the best of each group, one a line.")
@click.option("-0", "--print0", is_flag=True, help="The same, each ended by a NUL byte (for xargs -0).")
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a contact sheet, a group a section: FILE.png or FILE.html.",
)
@library_option
@json_option
@click.pass_context
def duplicates(
    ctx: click.Context,
    library: Path,
    within: tuple[Path, ...],
    threshold: int | None,
    paths: bool,
    print0: bool,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """List groups of near-duplicates and exact copies, the best of each first."""
    from cli.output import print_json, print_paths
    from search.duplicate_groups import alike, count_unseen
    from store import Library

    with Library.open(library) as opened:
        groups = alike(opened, [from_here(folder) for folder in within], threshold)
        unseen = count_unseen(opened)
    if sheet is not None:
        _write_sheet(sheet, groups)
    if as_json:
        for group in groups:
            print_json(_record(group))
    elif paths or print0:
        print_paths([path for group in groups for path in group.others], end=b"\0" if print0 else b"\n")
    else:
        _print(groups)
    if unseen:
        click.echo(f"sightline: {unseen:,} pictures were not compared yet; `sightline index` does that", err=True)
    ctx.exit(0 if groups else 1)


def _record(group: "Group") -> dict[str, object]:
    return {
        "best": {"path": group.best},
        "why": group.why,
        "files": [
            {
                "path": path,
                "id": record.id,
                "width": record.width,
                "height": record.height,
                "format": record.format,
                "size": record.size,
                "taken_at": record.taken_at,
            }
            for path, record in group.files
        ],
        "bytes": group.spare,
    }


def _print(groups: Sequence["Group"]) -> None:
    from cli.output import print_text, shown

    for group in groups:
        print_text(f"{len(group.files)} files, {_size(group.spare)} more than one needs; best: {group.why}")
        for number, (path, record) in enumerate(group.files):
            known = f"{record.width}×{record.height}, {record.format}, {_size(record.size)}"
            print_text(f"  {' ' if number else '*'} {shown(path)}  ({known})")
    if groups:
        spare, files = sum(group.spare for group in groups), sum(len(group.files) for group in groups)
        many = "group" if len(groups) == 1 else "groups"
        print_text(f"{len(groups):,} {many} of {files:,} files; all but the best of each take {_size(spare)}")


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"


def _write_sheet(file: Path, groups: Sequence["Group"]) -> None:
    from cli.sheet import Section, write_sheet
    from search.hits import Listed

    sections = []
    for number, group in enumerate(groups, start=1):
        hits = [Listed(place, replace(record, paths=(path,))) for place, (path, record) in enumerate(group.files, 1)]
        captions = [
            f"{'best: ' + group.why if place == 0 else ''} {record.width}×{record.height} {record.format} "
            f"{_size(record.size)}".strip()
            for place, (_, record) in enumerate(group.files)
        ]
        title = f"Group {number}: {len(group.files)} files, {_size(group.spare)} more than one needs"
        sections.append(Section(title, hits, captions))
    write_sheet(file, sections)
