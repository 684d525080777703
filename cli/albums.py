"""`sightline album save` and `show`."""

import re
from collections.abc import Sequence
from pathlib import Path

import click

from cli.options import FilterOptions, OutputOptions
from cli.output import print_text, warn
from cli.paths import logical_path
from cli.query_building import add_condition, build_filters, query_line
from cli.results import print_hits
from core.files import absolute
from search import Filters, ImageInput, Searcher, SearchOptions
from search import browse as browsing
from search.query_language import misspelt_filters, parse
from search.results import ListedImage
from store import Library
from store import albums as store
from store.filters.selection import check_condition

__all__ = ["save_album", "show_album"]


def save_album(name: str, words: Sequence[str], filters: FilterOptions, top: int, *, library: Path) -> None:
    """Save a query with its filters as the album `name`."""
    line = _with_absolute_paths(query_line(words)).strip()
    parsed = parse(line) if line else None
    query = parsed.query if parsed else None
    all_filters = add_condition(build_filters(filters), parsed.where if parsed else None)
    if query is None and not all_filters:
        raise click.UsageError("Give the album a query: words, or filters such as camera:x100.")
    condition = all_filters.condition()
    description = " ".join([line, *_filter_terms(filters)]).strip()
    with Library.open(library) as opened:
        if condition is not None:
            check_condition(opened, condition)
        record = store.AlbumRecord(
            name, line if query else description, condition, min(top, browsing.MAX_PAGE_SIZE), query is not None
        )
        is_replaced = store.save_album(opened, record)
    print_text(f"{'Replaced' if is_replaced else 'Saved'} the album {name}: {description}")
    if query is not None:
        for note in misspelt_filters(query):
            warn(note)


def show_album(name: str, top: int | None, output: OutputOptions, *, library: Path) -> int:
    """Print the pictures that the album `name` finds now; return the exit code."""
    with Library.open(library) as opened:
        album = store.find_album(opened, name)
        filters = Filters(where=album.condition)
        query = parse(album.query).query if album.is_ranked else None
        pictures: Sequence[ListedImage]
        if query is not None:
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


def _filter_terms(options: FilterOptions) -> list[str]:
    """Return the filter options in the query language."""
    dates = [f"{name}:{value}" for name, value in (("after", options.after), ("before", options.before)) if value]
    return [*(f'in:"{path}"' for path in options.within), *dates, *options.conditions]
