"""`sightline tag`, `untag` and `tags`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from cli.options import PictureSelection
from cli.output import counted, print_json, print_text, shown, warn
from cli.paths import logical_path, logical_paths
from cli.query_building import add_condition, build_filters
from cli.results import FOUND, NOTHING_FOUND
from cli.snapshots import keep_snapshot
from core.errors import PathNotIndexed
from search import Filters, Searcher, SearchOptions
from search.filters import And, FieldTest, Op
from search.query_language import parse
from store import Library
from store.filters.selection import matching_ids
from store.tags import Tagging, TagRecord, add_tags, list_tags, remove_tags, tag_name, tags_of

__all__ = ["add_tag", "change_pictures", "print_tags", "remove_tag", "select_pictures"]


def add_tag(name: str, selection: PictureSelection, *, library: Path, as_json: bool) -> int:
    """Tag the selected pictures with `name`; return the exit code."""
    name = tag_name(name)

    def add(library: Library, ids: list[int]) -> int:
        return add_tags(library, [Tagging(content_id, name) for content_id in ids])

    ids, changed = change_pictures(selection, library, add)
    return _report("Tagged", name, ids, changed, as_json=as_json)


def remove_tag(name: str, selection: PictureSelection, *, library: Path, as_json: bool) -> int:
    """Remove the tag `name` from the selected pictures; return the exit code."""
    name = tag_name(name)

    ids, changed = change_pictures(selection, library, lambda library, ids: remove_tags(library, ids, [name]))
    return _report("Untagged", name, ids, changed, as_json=as_json)


def print_tags(paths: Sequence[Path], *, library: Path, as_json: bool) -> int:
    """Print the tags of the library, or those of the pictures at `paths`; return the exit code."""
    with Library.open(library) as opened:
        if not paths:
            return _print_counts(opened, as_json=as_json)
        found = False
        for path in map(logical_path, paths):
            ids = select_pictures(opened, [path], Filters(), None, 1)
            records = {record for tags in tags_of(opened, ids).values() for record in tags}
            found = found or bool(records)
            for record in sorted(records, key=_sort_key):
                _print_tag(path, record, as_json=as_json)
    return FOUND if found else NOTHING_FOUND


def select_pictures(
    library: Library, paths: Sequence[Path], filters: Filters, query: str | None, top: int
) -> list[int]:
    """Return the content IDs at or below `paths`, if any, that match the filters; for a query only the `top` best.

    Raises `PathNotIndexed` for a path without present pictures.
    """
    if not paths and not filters and query is None:
        raise click.UsageError("Name pictures, or select some with --query, --in, --where and others.")
    if paths:
        ids = set[int]()
        for path in paths:
            at_path = matching_ids(library, FieldTest("folder", Op.EQ, path))
            if not at_path:
                raise PathNotIndexed(path)
            ids.update(at_path)
        filters = add_condition(filters, FieldTest("id", Op.IN, tuple(sorted(ids))))
    if query is None:
        return matching_ids(library, filters.condition() or And(()))
    parsed = parse(query)
    if parsed.query is None:
        raise click.UsageError("--query requires words; use --where for filters alone.")
    options = SearchOptions(k=top, filters=add_condition(filters, parsed.where))
    return [hit.id for hit in Searcher(library).search(parsed.query, options)]


def change_pictures(
    selection: PictureSelection, library: Path, change: Callable[[Library, list[int]], int]
) -> tuple[list[int], int]:
    """Call `change` with the IDs of the selected pictures; return them, and how many it has changed."""
    filters = build_filters(selection.filters)
    with Library.open(library) as opened:
        ids = select_pictures(opened, logical_paths(selection.pictures), filters, selection.query, selection.top)
        changed = change(opened, ids)
        keep_snapshot(opened)
    return ids, changed


def _report(verb: str, name: str, ids: list[int], changed: int, *, as_json: bool) -> int:
    if as_json:
        print_json({"tag": name, "pictures": len(ids), "changed": changed})
    else:
        unchanged = len(ids) - changed
        rest = f"; {unchanged:,} unchanged" if unchanged else ""
        print_text(f"{verb} {counted(changed, 'picture', 'pictures')}: {name}{rest}.")
    return FOUND if ids else NOTHING_FOUND


def _print_counts(library: Library, *, as_json: bool) -> int:
    counts = list_tags(library)
    for count in counts:
        if as_json:
            print_json({"tag": count.name, "pictures": count.pictures, "sources": count.by_source})
        else:
            print_text(f"{count.pictures:>8,}  {count.name}  ({', '.join(sorted(count.by_source))})")
    if not counts:
        warn("there are no tags")
    return FOUND if counts else NOTHING_FOUND


def _print_tag(path: Path, record: TagRecord, *, as_json: bool) -> None:
    if as_json:
        print_json({"path": path, "tag": record.name, "source": record.source, "probability": record.probability})
    else:
        probability = "" if record.probability is None else f" {record.probability:.0%}"
        print_text(f"{shown(path)}  {record.name}  ({record.source}{probability})")


def _sort_key(record: TagRecord) -> tuple[str, str, float]:
    return record.name, record.source, record.probability or 0.0
