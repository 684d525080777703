"""What facets, folders and the timeline show of each content of one block, as columns.

Reading and counting rows of the catalogue takes about 7 µs for each content, and columns a twentieth of that. They can
be counted for any of the contents, and sorted by date.
"""

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Executable, and_, case, func, not_, select, union_all

from store.catalog.id_sets import Ids
from store.catalog.portable_sql import mostly
from store.catalog.tables import (
    BLOCK_SIZE,
    Content,
    ContentPlace,
    ContentTag,
    PersonRow,
    Picture,
    PictureState,
    PictureTag,
    Root,
    RootKind,
)
from store.filters.fields import FIELDS
from store.filters.people_and_places import has_own_place
from store.kept_counts.block_counts import FACTS, BlockCounts, FolderCount
from store.kept_counts.shapes import shape_code
from store.roots import in_finished_root

__all__ = ["COLUMNS_KIND", "FACT_COLUMNS", "UNDATED", "BlockColumns", "read_columns"]

COLUMNS_KIND = "columns-1"
"""Raise the number when the columns change."""

FACT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "camera": Content.camera.expression,
    "lens": Content.lens.expression,
    "format": FIELDS["format"].value,  # type: ignore[dict-item]
    "orientation": FIELDS["orientation"].value,  # type: ignore[dict-item]
    "country": Content.country.expression,
    "city": Content.city.expression,
}
"""The values of `store.kept_counts.block_counts.FACTS` except the month."""

UNDATED = np.iinfo(np.int64).min
"""The time of a content without a date: before all others."""

_PRESENT = mostly(Picture.state, PictureState.PRESENT)

_Value = TypeVar("_Value")


class _Coded(NamedTuple, Generic[_Value]):
    """A value for each of n rows: `values[codes]`."""

    values: list[_Value]
    codes: NDArray[np.unsignedinteger[Any]]

    def counted(self, rows: NDArray[np.bool_] | None) -> list[tuple[_Value, int]]:
        """Return how often each value occurs in some of the rows (n,), without those that do not."""
        chosen = self.codes if rows is None else self.codes[rows]
        numbers = np.bincount(chosen, minlength=len(self.values)).tolist()
        return [(value, number) for value, number in zip(self.values, numbers, strict=True) if number]


class _Pairs(NamedTuple, Generic[_Value]):
    """Pairs of a content and a value. `places` (m,) are the places of the contents in the block, ascending."""

    places: NDArray[np.uint16]
    coded: "_Coded[_Value]"

    def rows(self, kept: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Return the pairs (m,) of the contents (n,) that are kept."""
        return None if kept is None else kept[self.places]


@dataclass(frozen=True, eq=False)
class BlockColumns:
    """The contents (n,) of a block that have a present file, by ID. Documents of an unfinished import have none."""

    ids: Ids
    times: NDArray[np.int64]
    """Microseconds since 1970 by the camera's clock, or `UNDATED`."""
    shapes: NDArray[np.uint8]
    """Character codes, see `store.kept_counts.shapes`."""
    absent: int
    """The number of contents without a present file."""
    facts: dict[str, _Coded[str | None]] = field(default_factory=dict)
    gazetteer: _Pairs[int] = field(default_factory=lambda: _pairs([]))
    """The places that a gazetteer knows, of contents whose file names none."""
    people: _Pairs[tuple[str, str]] = field(default_factory=lambda: _pairs([]))
    """The comparable forms of names, and the names."""
    tags: _Pairs[int] = field(default_factory=lambda: _pairs([]))
    folders: _Pairs[tuple[int, bytes]] = field(default_factory=lambda: _pairs([]))
    """One for each present file: the root, and the path relative to it. It is empty for documents of a collection."""

    def count(self, kept: NDArray[np.bool_] | None = None) -> BlockCounts:
        """Count all contents (n,), or those that are kept. Contents without a file are counted with all only."""
        counts = BlockCounts(contents=len(self.ids) if kept is None else int(np.count_nonzero(kept)))
        counts.absent = self.absent if kept is None else 0
        for name, coded in self.facts.items():
            counts.facts[name] = Counter(dict(coded.counted(kept)))
        counts.places = Counter(dict(self.gazetteer.coded.counted(self.gazetteer.rows(kept))))
        counts.tags = Counter(dict(self.tags.coded.counted(self.tags.rows(kept))))
        for (key, name), number in self.people.coded.counted(self.people.rows(kept)):
            counts.people[key] += number
            counts.people_names[key] = min(name, counts.people_names.get(key, name))
        covers = self._covers(kept)
        for folder, number in self.folders.coded.counted(self.folders.rows(kept)):
            counts.folders[folder] = FolderCount(number, covers[folder])
        return counts

    def _covers(self, kept: NDArray[np.bool_] | None) -> dict[tuple[int, bytes], int]:
        """Return the last of the kept contents in each folder."""
        rows = self.folders.rows(kept)
        places, codes = self.folders.places, self.folders.coded.codes
        last = np.full(len(self.folders.coded.values), -1, np.int64)
        ids = self.ids[places]
        np.maximum.at(last, codes if rows is None else codes[rows], ids if rows is None else ids[rows])
        return dict(zip(self.folders.coded.values, last.tolist(), strict=True))

    def to_bytes(self) -> bytes:
        """Return the columns in the form that is stored."""
        first = int(self.ids[0]) if len(self.ids) else 0
        coded = {**self.facts, **{name: getattr(self, name).coded for name in _PAIRS}}
        arrays: dict[str, NDArray[Any]] = {
            "ids": (self.ids - first).astype(np.uint16),
            "times": self.times,
            "shapes": self.shapes,
        }
        arrays |= {f"codes {name}": each.codes for name, each in coded.items()}
        arrays |= {f"places {name}": getattr(self, name).places for name in _PAIRS}
        values: dict[str, list[Any]] = {name: each.values for name, each in coded.items()}
        values["folders"] = [(root, path.decode("latin-1")) for root, path in self.folders.coded.values]
        head: dict[str, Any] = {"first": first, "absent": self.absent, "values": values}
        head["arrays"] = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
        text = json.dumps(head, separators=(",", ":")).encode()
        data = [len(text).to_bytes(4, "little"), text, *(array.tobytes() for array in arrays.values())]
        return zlib.compress(b"".join(data), 1)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "BlockColumns":
        """Return what `to_bytes` has stored."""
        data = zlib.decompress(stored)
        start = 4 + int.from_bytes(data[:4], "little")
        head, arrays = json.loads(data[4:start]), dict[str, NDArray[Any]]()
        for name, kind, number in head["arrays"]:
            arrays[name] = np.frombuffer(data, np.dtype(kind), number, start)
            start += arrays[name].nbytes
        values = head["values"]
        values["people"] = [(key, name) for key, name in values["people"]]
        values["folders"] = [(root, path.encode("latin-1")) for root, path in values["folders"]]
        coded = {name: _Coded(values[name], arrays[f"codes {name}"]) for name in values}
        pairs = {name: _Pairs(arrays[f"places {name}"], coded[name]) for name in _PAIRS}
        return cls(
            ids=arrays["ids"].astype(np.int64) + head["first"],
            times=arrays["times"],
            shapes=arrays["shapes"],
            absent=head["absent"],
            facts={name: coded[name] for name in FACTS},
            **pairs,
        )


_PAIRS = ("gazetteer", "people", "tags", "folders")


def read_columns(connection: Connection, number: int) -> BlockColumns:
    """Read the columns of a block from the catalogue."""
    in_block, is_shown = _in_block(Content.id, number), and_(_PRESENT, *in_finished_root(connection))
    columns = (Content.id, Content.taken_at, shape_code(), *FACT_COLUMNS.values())
    statement = select(*columns).where(in_block, _has_file(is_shown))
    rows = _plain_rows(connection, statement.order_by(Content.id))
    every = connection.scalar(select(func.count()).select_from(Content).where(in_block)) or 0
    ids, times, shapes, *facts = zip(*rows, strict=True) if rows else [()] * len(columns)
    of_ids, of_times = np.array(ids, np.int64), np.array(times, "M8[us]")

    def pairs(statement: Executable) -> _Pairs[Any]:
        return _placed(of_ids, _plain_rows(connection, statement))

    return BlockColumns(
        ids=of_ids,
        times=of_times.astype(np.int64),  # None is the least number, as `UNDATED` is
        shapes=np.frombuffer("".join(shapes).encode("ascii"), np.uint8),
        absent=every - len(rows),
        facts={"month": _months(of_times)}
        | {name: _coded(each) for name, each in zip(FACT_COLUMNS, facts, strict=True)},
        gazetteer=pairs(_gazetteer(number)),
        people=pairs(
            select(PersonRow.content_id, PersonRow.key, PersonRow.name).where(_in_block(PersonRow.content_id, number))
        ),
        tags=pairs(_tags(number, is_shown)),
        folders=pairs(_folders(number, is_shown)),
    )


def _placed(ids: Ids, rows: list[tuple[Any, ...]]) -> _Pairs[Any]:
    """Return pairs of rows with a content and one or several values, without contents that are not in `ids`."""
    rows.sort()  # what is stored does not depend on the order in which the database answers
    contents = np.array([row[0] for row in rows], np.int64)
    places = np.searchsorted(ids, contents)
    is_there = places < len(ids)
    is_there[is_there] = ids[places[is_there]] == contents[is_there]
    values = [rows[row][1] if len(rows[row]) == 2 else rows[row][1:] for row in np.flatnonzero(is_there).tolist()]
    return _Pairs(places[is_there].astype(np.uint16), _coded(values))


def _months(times: NDArray[np.datetime64]) -> _Coded[str | None]:
    months, codes = np.unique(times.astype("M8[M]"), return_inverse=True)
    values = [None if np.isnat(month) else str(month) for month in months]
    return _Coded(values, codes.astype(np.uint8 if len(values) <= 1 << 8 else np.uint32))


def _pairs(values: list[Any]) -> _Pairs[Any]:
    return _Pairs(np.empty(0, np.uint16), _coded(values))


def _coded(values: Sequence[Any]) -> _Coded[Any]:
    """Number the distinct values in the order in which they occur first."""
    numbers: defaultdict[Any, int] = defaultdict(count().__next__)
    codes = np.fromiter(map(numbers.__getitem__, values), np.uint32, len(values))
    return _Coded(list(numbers), codes.astype(np.uint8 if len(numbers) <= 1 << 8 else np.uint32))


def _plain_rows(connection: Connection, statement: Executable) -> list[tuple[Any, ...]]:
    """Return rows as the driver has them, in half the time."""
    cursor = connection.execute(statement).cursor
    return [] if cursor is None else list(cursor.fetchall())


def _has_file(is_shown: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Picture.id).where(Picture.content_id == Content.id, is_shown).exists()


def _in_block(column: Any, number: int) -> ColumnElement[bool]:
    return and_(column >= number * BLOCK_SIZE, column < (number + 1) * BLOCK_SIZE)


def _gazetteer(number: int) -> Executable:
    return (
        select(ContentPlace.content_id, ContentPlace.place_id)
        .join(Content, Content.id == ContentPlace.content_id)
        .where(_in_block(ContentPlace.content_id, number), ContentPlace.place_id.is_not(None), not_(has_own_place()))
    )


def _tags(number: int, is_shown: ColumnElement[bool]) -> Executable:
    of_contents = select(ContentTag.content_id, ContentTag.tag_id).where(_in_block(ContentTag.content_id, number))
    of_files = (
        select(Picture.content_id, PictureTag.tag_id)
        .join(Picture, Picture.id == PictureTag.picture_id)
        .where(is_shown, _in_block(Picture.content_id, number))
    )
    tagged = union_all(of_contents, of_files).subquery()
    return select(tagged.c.content_id, tagged.c.tag_id).distinct()


def _folders(number: int, is_shown: ColumnElement[bool]) -> Executable:
    # The ID of a document is no path.
    folder = case((Root.kind == RootKind.FOLDER, Picture.folder), else_=b"")
    statement = select(Picture.content_id, Picture.root_id, folder)
    return statement.join(Root, Root.id == Picture.root_id).where(_in_block(Picture.content_id, number), is_shown)
