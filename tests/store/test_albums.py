"""Albums: what is saved comes back, and stands in the place of its name."""
# ruff: noqa: DTZ001

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from core.errors import InvalidQuery, InvalidTag, UnknownAlbum
from store import Library
from store.albums import AlbumRecord, drop_album, expanded, find_album, list_albums, save_album
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or
from store.filters.selection import selected_ids
from store.spaces.registry import StoredSpace

EVERYTHING = And(
    (
        FieldTest("taken_at", Op.GE, datetime(2023, 6, 1, 12, 30, 0, 5)),
        Or(
            (FieldTest("folder", Op.IN, (Path("/a b"), Path("/é"))), FieldTest("position", Op.IN, (Box(1, 2, 3, 4.5),)))
        ),
        Not(FieldTest("position", Op.IN, (Circle(1.5, 2, 3e3),))),
        FieldTest("tag", Op.EQ, 'a"b, %_'),
        FieldTest("iso", Op.IN, ()),
        FieldTest("rating", Op.EXISTS),
    )
)


def album(name: str, condition: Condition | None = EVERYTHING, *, is_ranked: bool = False) -> AlbumRecord:
    return AlbumRecord(name, "a beach iso:>800", condition, 100, is_ranked)


def test_what_is_saved_comes_back(library: Library) -> None:
    with library.write() as connection:
        assert not save_album(connection, album("Été"))
        assert save_album(connection, album("ÉTÉ"))
        assert find_album(connection, " e\u0301te\u0301 ") == album("ÉTÉ")
        save_album(connection, album("b", None, is_ranked=True))
        assert list_albums(connection) == [album("b", None, is_ranked=True), album("ÉTÉ")]
        drop_album(connection, "été")
        with pytest.raises(UnknownAlbum, match="there are: b"):
            find_album(connection, "été")
        with pytest.raises(UnknownAlbum):
            drop_album(connection, "été")
        with pytest.raises(InvalidTag):
            save_album(connection, album(" "))


def test_a_name_stands_for_its_filters(library: Library, put: Callable[..., list[int]], stored: StoredSpace) -> None:
    one, two = put(1, 2)
    with library.write() as connection:
        save_album(connection, album("one", FieldTest("id", Op.EQ, one)))
        save_album(connection, album("other", Not(FieldTest("album", Op.EQ, "ONE"))))
        found = [
            selected_ids(connection, stored, FieldTest("album", Op.EQ, name)).tolist() for name in ("one", "other")
        ]
        assert found == [[one], [two]]


def test_what_no_filter_can_be(library: Library) -> None:
    with library.write() as connection:
        save_album(connection, album("a", FieldTest("album", Op.EQ, "b")))
        save_album(connection, album("b", Or((FieldTest("album", Op.EQ, "a"),))))
        save_album(connection, album("words", is_ranked=True))
        for name, message in (("a", "holds itself"), ("words", "ranked by words")):
            with pytest.raises(InvalidQuery, match=message):
                expanded(connection, FieldTest("album", Op.EQ, name))
        with pytest.raises(UnknownAlbum):
            expanded(connection, Not(FieldTest("album", Op.EQ, "c")))
