"""Write the pictures of a batch, and decide between two records of one file.

Of a file that both libraries have with different contents, the record counts that has the size and the modification
time of the file now. If neither has, or the file is not there, this library keeps its own.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from core.object_paths import as_path
from core.root_files import file_status
from store.catalog.id_sets import batch_slices
from store.catalog.path_keys import path_columns
from store.catalog.tables import Base, Failure, Picture, PictureState, PictureTag, Sidecar, WrittenSidecar
from store.ingest.metadata import mark_sidecar_contents
from store.ingest.replaced_contents import Replacement, record_replaced
from store.merge.loading import PictureBatch, Row
from store.merge.placing import relpath_here
from store.roots import RootLocation
from store.tags import set_picture_tags

__all__ = ["PicturePlan", "RootPlace", "plan_pictures", "write_pictures"]

PATHS_PER_STATEMENT = 5_000

FILE_IDENTITY = ("ctime_ns", "inode")
"""Columns that mean nothing at another path."""


@dataclass(frozen=True)
class RootPlace:
    """Where a root of the other library is here."""

    location: RootLocation
    is_moved: bool
    """Its path differs, so that times of change and inode numbers mean nothing."""
    is_collection: bool = False
    """It has documents, which are not counted among the pictures."""


@dataclass(frozen=True)
class PicturePlan:
    """What to do with the pictures of a batch."""

    added: Sequence[tuple[Row, RootPlace]]
    taken: Sequence[tuple[Row, RootPlace, Row]]
    """Pictures whose record in the other library counts, with the row here."""
    found: Sequence[tuple[Row, RootPlace, Row]]
    """Pictures that were missing here, and whose file is there with the same content, with the row here."""
    counts: Counter[str]
    """Number of pictures that are `new` or were found, `present` here with the same content, `taken` and `kept`."""

    def contents(self) -> set[int]:
        """Return the contents that are needed here, by their IDs in the other library."""
        return {row["content_id"] for row, _ in self.added} | {row["content_id"] for row, _, _ in self.taken}


def plan_pictures(
    connection: Connection, batch: PictureBatch, places: Mapping[int, RootPlace], known: Mapping[int, int]
) -> PicturePlan:
    """Compare the pictures of a batch with those of this library. `known` are the contents that both have."""
    here = _rows_here(connection, batch, places)
    added = list[tuple[Row, RootPlace]]()
    taken, found = list[tuple[Row, RootPlace, Row]](), list[tuple[Row, RootPlace, Row]]()
    counts = Counter[str]()
    planned = set[tuple[int, bytes]]()
    for row in batch.pictures:
        place = places.get(row["root_id"])
        if place is None:
            continue
        key = (place.location.root_id, relpath_here(place.location, row["relpath"]))
        mine = here.get(key)
        if key in planned:
            continue
        planned.add(key)
        outcome = "kept"
        if mine is None:
            added.append((row, place))
            outcome = "new"
        elif _is_same(mine, row, known):
            outcome = "present"
            if _is_found(mine, row, place):
                found.append((row, place, mine))
                outcome = "new"
        elif _takes(mine, row, place):
            taken.append((row, place, mine))
            outcome = "taken"
        counts[outcome] += not place.is_collection
    return PicturePlan(added, taken, found, counts)


def write_pictures(
    connection: Connection, batch: PictureBatch, plan: PicturePlan, ids: Mapping[int, int], new: Mapping[int, int]
) -> None:
    """Write what was planned. `ids` are all contents of the batch, by their ID in the other library.

    Those that are not `new` may get other dates and places from the names and sidecars of their further files.
    """
    made = _insert(connection, plan, ids)
    for row, place, mine in plan.found:
        values = {name: row[name] for name in ("state", "mtime_ns", *(() if place.is_moved else FILE_IDENTITY))}
        connection.execute(update(Picture).where(Picture.id == mine["id"]).values(values))
    replaced = [mine["id"] for _, _, mine in plan.taken]
    _mark_sidecar_contents(connection, replaced)
    for row, place, mine in plan.taken:
        values = _values(row, place, ids)
        connection.execute(update(Picture).where(Picture.id == mine["id"]).values(values))
        for table in (Failure, Sidecar, PictureTag, WrittenSidecar):
            column = table.__table__.c["picture_id"]
            connection.execute(delete(table).where(column == mine["id"]))
        if mine["content_id"] is not None and values["content_id"] is not None:
            # User data of the content before stays with the file, once an index run has looked at it.
            replacement = Replacement(mine["content_id"], values["content_id"])
            record_replaced(connection, place.location, [replacement])
        made[row["id"]] = mine["id"]
    _insert_of_pictures(connection, Failure, batch.failures, made)
    _insert_of_pictures(connection, WrittenSidecar, batch.written, made)
    content_of = {row["id"]: row["content_id"] for row in batch.pictures}
    sidecars = [
        {**row, "content_id": ids.get(row["content_id"])}
        for row in batch.sidecars
        if row["content_id"] is None or row["content_id"] == content_of.get(row["picture_id"])
    ]
    _insert_of_pictures(connection, Sidecar, sidecars, made)
    names = defaultdict[int, list[str]](list)
    for row in batch.tags:
        if row["picture_id"] in made:
            names[made[row["picture_id"]]].append(row["name"])
    for picture_id, listed in names.items():
        set_picture_tags(connection, picture_id, listed)
    shared = [made[row["id"]] for row in batch.pictures if row["id"] in made and row["content_id"] not in new]
    _mark_sidecar_contents(connection, shared)


def _mark_sidecar_contents(connection: Connection, pictures: Sequence[int]) -> None:
    for batch in batch_slices(len(pictures)):  # a content may have any number of copies
        mark_sidecar_contents(connection, select(Picture.id).where(Picture.id.in_(pictures[batch])))


def _rows_here(
    connection: Connection, batch: PictureBatch, places: Mapping[int, RootPlace]
) -> dict[tuple[int, bytes], Row]:
    """Return the pictures of this library at the paths of the batch, by root and path."""
    paths = defaultdict[int, set[bytes]](set)
    for row in batch.pictures:
        if (place := places.get(row["root_id"])) is not None:
            paths[place.location.root_id].add(relpath_here(place.location, row["relpath"]))
    found: dict[tuple[int, bytes], Row] = {}
    for root_id, relpaths in paths.items():
        listed = sorted(relpaths)
        for start in range(0, len(listed), PATHS_PER_STATEMENT):
            chosen = Picture.relpath.in_(listed[start : start + PATHS_PER_STATEMENT])
            statement = select(Picture.__table__).where(Picture.root_id == root_id, chosen)
            found |= {(root_id, row.relpath): dict(row._mapping) for row in connection.execute(statement)}
    return found


def _is_same(mine: Row, theirs: Row, known: Mapping[int, int]) -> bool:
    """Return whether both records have the same content, or the other library has none: it could not read the file."""
    if theirs["content_id"] is None:
        return True
    if mine["content_id"] is None:
        return False
    return bool(known.get(theirs["content_id"]) == mine["content_id"])


def _takes(mine: Row, theirs: Row, place: RootPlace) -> bool:
    """Return whether the record of the other library counts."""
    if theirs["state"] != PictureState.PRESENT:
        return False
    now = _size_and_time(theirs, place)
    if now is None:
        return mine["content_id"] is None
    return _fits(theirs, now) and (not _fits(mine, now) or mine["content_id"] is None)


def _is_found(mine: Row, theirs: Row, place: RootPlace) -> bool:
    """Return whether a file that was missing here is there, as the other library has it."""
    is_found = mine["state"] == PictureState.MISSING and theirs["state"] == PictureState.PRESENT
    return is_found and _fits(theirs, _size_and_time(theirs, place))


def _size_and_time(theirs: Row, place: RootPlace) -> tuple[int, int] | None:
    """Return the size and the modification time of a file now; None if it is not there."""
    try:
        status = file_status(as_path(_path(place.location, theirs["relpath"])))
    except OSError:
        return None
    return status.size, status.mtime_ns


def _fits(row: Row, now: tuple[int, int] | None) -> bool:
    return now == (row["size"], row["mtime_ns"])


def _path(location: RootLocation, relpath: bytes) -> bytes:
    return os.path.join(os.fsencode(location.root), relpath_here(location, relpath))  # noqa: PTH118 (bytes)


def _values(row: Row, place: RootPlace, ids: Mapping[int, int]) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name != "id"}
    values["root_id"] = place.location.root_id
    values["relpath"] = relpath_here(place.location, row["relpath"])
    values |= path_columns(values["relpath"])
    values["content_id"] = None if row["content_id"] is None else ids[row["content_id"]]
    return {**values, **dict.fromkeys(FILE_IDENTITY)} if place.is_moved else values


def _insert(connection: Connection, plan: PicturePlan, ids: Mapping[int, int]) -> dict[int, int]:
    """Insert the new pictures in their order; return the ID that each got, by its ID in the other library."""
    rows = [_values(row, place, ids) for row, place in plan.added]
    if not rows:
        return {}
    made = connection.execute(
        insert(Picture).returning(Picture.root_id, Picture.relpath, Picture.id, sort_by_parameter_order=True), rows
    )
    by_path = {(row.root_id, row.relpath): row.id for row in made}
    return {
        row["id"]: by_path[values["root_id"], values["relpath"]]
        for (row, _), values in zip(plan.added, rows, strict=True)
    }


def _insert_of_pictures(
    connection: Connection, table: type[Base], rows: Sequence[Row], made: Mapping[int, int]
) -> None:
    kept = [{**row, "picture_id": made[row["picture_id"]]} for row in rows if row["picture_id"] in made]
    if kept:
        connection.execute(insert(table), kept)
