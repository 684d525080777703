"""`sightline facets` and `sightline duplicates`: counts and groups of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from cli.options import FilterOptions
from cli.output import counted, in_utf8, print_json, print_paths, print_text, shown, warn
from cli.paths import logical_path
from cli.query_building import add_condition, build_filters, query_line
from cli.results import FOUND, NOTHING_FOUND, write_table
from cli.suggestions import command
from search.near_duplicates import DuplicateGroup, count_ungrouped, find_duplicates
from search.query_language import parse
from search.results import ListedImage, escape_formula
from store import Library
from store.filters.facets import Facet, count_facets

__all__ = ["DuplicateFiles", "print_duplicates", "print_facets"]


def print_facets(
    words: Sequence[str], filters: FilterOptions, names: Sequence[str], top: int, *, library: Path, as_json: bool
) -> int:
    """Print how often the most frequent values of each facet occur; return the exit code."""
    parsed_filters = build_filters(filters)
    if words:
        parsed = parse(query_line(words))
        if parsed.query is not None:
            raise click.UsageError("Facets take only filters, such as camera:x100; words rank pictures.")
        parsed_filters = add_condition(parsed_filters, parsed.where)
    with Library.open(library) as opened:
        facets = count_facets(opened, parsed_filters.condition(), names)
    if as_json:
        for name, counts in facets.counts.items():
            for count in counts[:top]:
                print_json({"facet": name, "value": count.value, "pictures": count.pictures})
    else:
        print_text(counted(facets.pictures, "picture", "pictures"))
        for name, counts in facets.counts.items():
            if counts:
                _print_facet(name, counts, top)
    return FOUND if facets.pictures else NOTHING_FOUND


def _print_facet(name: str, counts: Sequence[Facet], top: int) -> None:
    print_text(f"\n{name}")
    for count in counts[:top]:
        print_text(f"{count.pictures:>10,}  {'-' if count.value is None else shown(count.value)}")
    if len(counts) > top:
        print_text(f"{'':>10}  and {len(counts) - top:,} more")


@dataclass(frozen=True)
class DuplicateFiles:
    """The files that `sightline duplicates` writes."""

    sheet: Path | None = None
    csv: Path | None = None
    csv_bom: bool = False


def print_duplicates(
    within: Sequence[Path],
    threshold: int | None,
    files: DuplicateFiles,
    *,
    library: Path,
    paths: bool,
    print0: bool,
    as_json: bool,
) -> int:
    """Print the groups of near-duplicates; return the exit code."""
    with Library.open(library) as opened:
        groups = find_duplicates(opened, [logical_path(folder) for folder in within], threshold)
        ungrouped = count_ungrouped(opened)
    if files.sheet is not None:
        _write_sheet(files.sheet, groups)
    if files.csv is not None:
        _write_csv(files.csv, groups, bom=files.csv_bom)
    if as_json:
        for group in groups:
            print_json(_group_record(group))
    elif paths or print0:
        print_paths([path for group in groups for path in group.others], end=b"\0" if print0 else b"\n")
    else:
        _print_groups(groups)
    if not groups:
        warn("no near-duplicates were found")
    if ungrouped:
        warn(f"{ungrouped:,} pictures have not been compared yet; {command('index')} compares them")
    return FOUND if groups else NOTHING_FOUND


def _group_record(group: DuplicateGroup) -> dict[str, object]:
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
                "date_source": record.date_source,
            }
            for path, record in group.files
        ],
        "bytes": group.spare,
    }


def _print_groups(groups: Sequence[DuplicateGroup]) -> None:
    for group in groups:
        print_text(f"{len(group.files)} files, {_megabytes(group.spare)} redundant; best: {group.why}")
        for position, (path, record) in enumerate(group.files):
            details = f"{record.width}×{record.height}, {record.format}, {_megabytes(record.size)}"
            print_text(f"  {' ' if position else '*'} {shown(path)}  ({details})")
    if groups:
        spare, files = sum(group.spare for group in groups), sum(len(group.files) for group in groups)
        noun = "group" if len(groups) == 1 else "groups"
        print_text(f"{len(groups):,} {noun} of {files:,} files; all but the best of each take {_megabytes(spare)}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"


def _write_csv(file: Path, groups: Sequence[DuplicateGroup], *, bom: bool) -> None:
    """Write a table of all files but the best of each group."""
    rows = [
        [
            number,
            escape_formula(in_utf8(path)),
            escape_formula(in_utf8(group.best)),
            record.id,
            record.width,
            record.height,
            record.format,
            record.size,
            record.taken_at and record.taken_at.isoformat(),
        ]
        for number, group in enumerate(groups, start=1)
        for path, record in group.files[1:]
    ]
    columns = ["group", "path", "best", "id", "width", "height", "format", "size", "taken_at"]
    write_table(file, columns, rows, bom=bom)


def _write_sheet(file: Path, groups: Sequence[DuplicateGroup]) -> None:
    from cli.sheets import SheetSection, write_sheet

    sections = []
    for number, group in enumerate(groups, start=1):
        hits = [ListedImage(rank, replace(record, paths=(path,))) for rank, (path, record) in enumerate(group.files, 1)]
        captions = [
            f"{'best: ' + group.why if position == 0 else ''} {record.width}×{record.height} {record.format} "
            f"{_megabytes(record.size)}".strip()
            for position, (_, record) in enumerate(group.files)
        ]
        title = f"Group {number}: {len(group.files)} files, {_megabytes(group.spare)} redundant"
        sections.append(SheetSection(title, hits, captions))
    write_sheet(file, sections)
