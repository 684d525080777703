"""User data of another library, as a snapshot of it that names the files of this one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from os import fsdecode, fsencode
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from sqlalchemy import Connection

from core.object_paths import as_path
from store.albums.moved_folders import MovePaths, moved_condition, moved_path
from store.backup.collecting import collect, count_records, list_snapshot_roots
from store.backup.records import (
    AlbumPicture,
    FilePlace,
    Judgement,
    PictureName,
    PictureRecord,
    Record,
    SavedAlbum,
    TellApart,
)
from store.backup.snapshot_file import Snapshot, SnapshotHeader, SnapshotRoot, open_snapshot, write_snapshot
from store.library import Library
from store.merge.placing import MergedRoot
from store.root_places import common_names
from store.roots import RootLocation

__all__ = ["snapshot_of"]

MovePlace: TypeAlias = Callable[[FilePlace], FilePlace]


@contextmanager
def snapshot_of(
    other: Library,
    roots: Sequence[MergedRoot],
    locations: Mapping[Path, RootLocation],
    judgements: Sequence[Judgement],
    move_paths: MovePaths,
) -> Iterator[Snapshot]:
    """Yield a snapshot of the other library, with the paths that its files have here; it is deleted afterwards.

    `locations` are the places of its roots here, by their paths in the other library. All of it is written, and
    checked, before any of it is used: the other library may change while it is read.
    """
    with TemporaryDirectory(prefix="sightline-merge-") as folder:
        path = Path(folder) / "said.jsonl"
        places = {root.other: root.path for root in roots}
        # Saved searches have the paths that all machines of the other library know.
        named = {name: places[here] for here, name in common_names(other).items() if here in places}
        moves = {old: new for old, new in (named | places).items() if old != new}
        with other.read() as connection:
            headed, move = _roots_here(connection, locations)
            counts = count_records(connection) | {"judgement": len(judgements)}
            header = SnapshotHeader("0" * 16, datetime.now(UTC).replace(tzinfo=None), headed, counts=counts)
            said = (_moved(record, move, moves, move_paths) for record in collect(connection))
            write_snapshot(path, header, chain(said, (_judgement(each, moves) for each in judgements)))
        yield open_snapshot(path)


def _roots_here(
    connection: Connection, locations: Mapping[Path, RootLocation]
) -> tuple[tuple[SnapshotRoot, ...], MovePlace]:
    """Return the roots of the snapshot, and a function that changes a place in the other library to one here."""
    roots = list(list_snapshot_roots(connection).values())
    places = [locations.get(as_path(root.path)) for root in roots]
    headed = tuple(
        root if place is None else SnapshotRoot(fsencode(place.root), root.kind)
        for root, place in zip(roots, places, strict=True)
    )

    def move(place: FilePlace) -> FilePlace:
        location = places[place.root]
        is_below = location is not None and location.beneath
        return replace(place, relpath=location.beneath + b"/" + place.relpath) if location and is_below else place

    return headed, move


def _moved(record: Record, move: MovePlace, moves: Mapping[Path, Path], move_paths: MovePaths) -> Record:
    def here(name: PictureName) -> PictureName:
        return replace(name, places=tuple(map(move, name.places)))

    match record:
        case PictureRecord() | AlbumPicture():
            return replace(record, picture=here(record.picture))
        case TellApart():
            return TellApart(here(record.first), here(record.second))
        case SavedAlbum():
            cover = None if record.cover is None else here(record.cover)
            query = move_paths(record.query, moves) if moves else record.query
            return replace(record, query=query, condition=moved_condition(record.condition, moves), cover=cover)
        case Judgement():
            return _judgement(record, moves)


def _judgement(record: Judgement, moves: Mapping[Path, Path]) -> Judgement:
    """Return a judgement with the path that its picture has here."""
    path = moved_path(Path("/", fsdecode(record.path)), moves)
    return replace(record, path=fsencode(path).lstrip(b"/"))
