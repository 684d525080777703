"""`sightline album save`, `list` and `show`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from cli.options import FilterOptions, OutputOptions
from cli.output import print_text, warn
from cli.paths import logical_path
from cli.query_building import add_condition, build_filters, query_line
from cli.results import print_hits
from cli.snapshots import keep_snapshot
from core.files import absolute
from search import Filters, ImageInput, Searcher, SearchOptions
from search import browse as browsing
from search.album_order import browse_album
from search.filters import where_term
from search.filters.signs import quoted
from search.query_language import ParsedQuery, line_that_reads_as, parse, query_notices
from search.query_language.moved_folders import with_folders_moved
from search.results import ListedImage
from store import Library
from store.albums.records import AlbumRecord, find_album
from store.albums.saved import save_album as save
from store.filters.selection import check_condition

__all__ = ["save_album", "show_album"]


def save_album(name: str, words: Sequence[str], filters: FilterOptions, top: int, *, library: Path) -> None:
    """Save a query with its filters as the album `name`."""
    line = _with_absolute_paths(query_line(words)).strip()
    parsed = parse(line) if line else None
    query = parsed.query if parsed else None
    given = build_filters(filters)
    given = replace(given, within=tuple(map(absolute, given.within)))
    all_filters = add_condition(given, parsed.where if parsed else None)
    if query is None and not all_filters:
        raise click.UsageError("Give the album a query: words, or filters such as camera:x100.")
    condition = all_filters.condition()
    description = _description(ParsedQuery(query, condition), line, _filter_terms(filters))
    with Library.open(library) as opened:
        if condition is not None:
            check_condition(opened, condition)
        record = AlbumRecord(name, description, condition, min(top, browsing.MAX_PAGE_SIZE), query is not None)
        is_replaced = save(opened, record, with_folders_moved)
        keep_snapshot(opened)
    print_text(f"{'Replaced' if is_replaced else 'Saved'} the album {name}: {description}")
    for notice in query_notices(line):
        warn(str(notice))


def show_album(name: str, top: int | None, output: OutputOptions, *, library: Path) -> int:
    """Print the pictures of the album `name`: in its order, or what its query finds now; return the exit code."""
    with Library.open(library) as opened:
        album = find_album(opened, name)
        filters = Filters(where=album.condition)
        query = parse(album.query).query if album.is_ranked else None
        pictures: Sequence[ListedImage]
        if album.by_hand:
            pictures = browse_album(opened, album.name, top or browsing.MAX_PAGE_SIZE).pictures
        elif query is not None:
            pictures = Searcher(opened).search(query, SearchOptions(k=top or album.top, filters=filters)).hits
        else:
            pictures = browsing.browse(opened, top or browsing.MAX_PAGE_SIZE, filters).pictures
        return print_hits(album.name, pictures, output, ["these filters"] if filters else ())


_RELATIVE = re.compile(r'(?<![^\s":])(?:\./|(?=\.\./))')
"""Matches the start of a path relative to the working directory."""


def _with_absolute_paths(line: str) -> str:
    """Return a query with absolute paths of pictures, so that it means the same from every folder."""
    here = logical_path(Path()).absolute()
    result = _RELATIVE.sub(lambda _: f"{here}/", line)
    if _pictures(result, here) != _pictures(line, here):
        raise click.UsageError("Put the paths of pictures in the query in quotation marks, or use absolute paths.")
    return result


def _pictures(line: str, here: Path) -> list[Path]:
    """Return the absolute paths of the pictures in a query."""
    query = parse(line).query if line.strip() else None
    parts = query.parts if query else ()
    return [absolute(here / part.source.path) for part in parts if isinstance(part.source, ImageInput)]


def _description(meant: ParsedQuery, line: str, terms: Sequence[str]) -> str:
    """Return the query and the filters of the options as one line of the query language."""
    candidates = (" ".join([line, *terms]).strip(), " ".join([*terms, line]))
    description = line_that_reads_as(meant, candidates)
    if description is None:
        raise click.UsageError("Write the filters into the query, in place of the options.")
    return description


def _filter_terms(options: FilterOptions) -> list[str]:
    """Return the filter options in the query language."""
    folders = [f"in:{quoted(str(absolute(logical_path(path))))}" for path in options.within]
    within = [f"({' or '.join(folders)})"] if len(folders) > 1 else folders
    dates = {"after": options.after, "before": options.before}
    return [
        *within,
        *(f"{name}:{quoted(value)}" for name, value in dates.items() if value),
        *map(where_term, options.conditions),
    ]
