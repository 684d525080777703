"""`sightline album create`, `add`, `remove`, `order` and `cover`: albums put together by hand."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.options import PictureSelection
from cli.output import counted, print_json, print_text
from cli.paths import logical_path, logical_paths
from cli.query_building import build_filters
from cli.results import FOUND, NOTHING_FOUND
from cli.snapshots import keep_snapshot
from cli.tagging import select_pictures
from search import Filters
from store import Library
from store.albums.by_hand import (
    add_to_album,
    contents_of_album,
    create_album,
    move_in_album,
    remove_from_album,
)
from store.albums.records import find_album, set_cover

__all__ = ["add", "create", "order", "remove", "set_album_cover"]


def create(name: str, selection: PictureSelection, *, library: Path, as_json: bool) -> int:
    """Create an album with the selected pictures, or an empty one; return the exit code."""
    with Library.open(library) as opened:
        is_empty = not (selection.pictures or selection.query or build_filters(selection.filters))
        ids = [] if is_empty else _select(opened, selection)
        number = create_album(opened, name, ids)
        keep_snapshot(opened)
        name = find_album(opened, name).name
    return _report(f"Created the album {name} with", name, number, as_json=as_json, code=FOUND)


def add(name: str, selection: PictureSelection, *, library: Path, as_json: bool) -> int:
    """Append the selected pictures to an album; return the exit code."""
    with Library.open(library) as opened:
        name = find_album(opened, name).name
        ids = _select(opened, selection)
        number = add_to_album(opened, name, ids)
        keep_snapshot(opened)
    return _report(f"Added to the album {name}:", name, number, as_json=as_json, code=FOUND if ids else NOTHING_FOUND)


def remove(name: str, selection: PictureSelection, *, library: Path, as_json: bool) -> int:
    """Remove the selected pictures from an album; return the exit code."""
    with Library.open(library) as opened:
        name = find_album(opened, name).name
        number = remove_from_album(opened, name, _select(opened, selection))
        keep_snapshot(opened)
    code = FOUND if number else NOTHING_FOUND
    return _report(f"Removed from the album {name}:", name, number, as_json=as_json, code=code)


def order(name: str, paths: Sequence[Path], before: Path | None, *, to_end: bool, library: Path, as_json: bool) -> int:
    """Move pictures of an album to its beginning or end, or in front of another picture; return the exit code."""
    if before is not None and to_end:
        raise click.UsageError("Use either --before or --last.")
    with Library.open(library) as opened:
        name = find_album(opened, name).name
        ids = _at_paths(opened, paths)
        target = None
        if before is not None:
            target = _one(opened, before)
        elif not to_end:
            target = _first(opened, name)
        move_in_album(opened, name, ids, target)
        keep_snapshot(opened)
    return _report(f"Moved in the album {name}:", name, len(ids), as_json=as_json, code=FOUND)


def set_album_cover(name: str, path: Path | None, *, library: Path) -> int:
    """Choose the picture at `path` as the cover of an album, or its first one without a path; return the exit code."""
    with Library.open(library) as opened:
        name = find_album(opened, name).name
        set_cover(opened, name, None if path is None else _one(opened, path))
        keep_snapshot(opened)
    what = "its first picture" if path is None else str(path)
    print_text(f"The album {name} shows {what}.")
    return FOUND


def _select(library: Library, selection: PictureSelection) -> list[int]:
    """Return the selected pictures, those of each path in the order of the paths."""
    filters, paths = build_filters(selection.filters), selection.pictures
    if selection.query is not None or not paths:
        return select_pictures(library, logical_paths(paths), filters, selection.query, selection.top)
    return _at_paths(library, paths, filters)


def _at_paths(library: Library, paths: Sequence[Path], filters: Filters | None = None) -> list[int]:
    ids = dict[int, None]()
    for path in logical_paths(paths):
        ids.update(dict.fromkeys(select_pictures(library, [path], filters or Filters(), None, 1)))
    return list(ids)


def _one(library: Library, path: Path) -> int:
    ids = select_pictures(library, [logical_path(path)], Filters(), None, 1)
    if len(ids) != 1:
        raise click.UsageError(f"Name one picture: there are {len(ids):,} at {path}.")
    return ids[0]


def _first(library: Library, name: str) -> int | None:
    return next(iter(contents_of_album(library, name)), None)


def _report(text: str, name: str, number: int, *, as_json: bool, code: int) -> int:
    if as_json:
        print_json({"album": name, "changed": number})
    else:
        print_text(f"{text} {counted(number, 'picture', 'pictures')}.")
    return code
