"""Saving albums, and using them as filters."""
# ruff: noqa: DTZ001

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from core.errors import AlbumExists, AlbumIsRanked, InvalidQuery, InvalidTag, UnknownAlbum
from store import Library
from store.albums.by_hand import create_album
from store.albums.expansion import expand_albums
from store.albums.records import AlbumRecord, drop_album, find_album, rename_album, set_cover
from store.albums.saved import save_album
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or
from store.filters.selection import selected_ids
from store.spaces.registry import StoredSpace
from tests.support.albums import list_albums

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


def test_saved_albums_are_found_by_any_spelling_of_their_name(library: Library) -> None:
    assert not save_album(library, album("Été"))
    assert save_album(library, album("ÉTÉ"))
    assert find_album(library, " e\u0301te\u0301 ") == album("ÉTÉ")
    save_album(library, album("b", None, is_ranked=True))
    assert list_albums(library) == [album("b", None, is_ranked=True), album("ÉTÉ")]
    drop_album(library, "été")
    with pytest.raises(UnknownAlbum, match="b"):
        find_album(library, "été")
    with pytest.raises(UnknownAlbum):
        drop_album(library, "été")
    with pytest.raises(InvalidTag):
        save_album(library, album(" "))


def test_albums_as_filters(library: Library, put: Callable[..., list[int]], stored: StoredSpace) -> None:
    one, two = put(1, 2)
    save_album(library, album("one", FieldTest("id", Op.EQ, one)))
    save_album(library, album("other", Not(FieldTest("album", Op.EQ, "ONE"))))
    selected = [selected_ids(library, stored, FieldTest("album", Op.EQ, name)).tolist() for name in ("one", "other")]
    assert selected == [[one], [two]]


def test_ranked_and_recursive_albums_are_rejected_as_filters(library: Library) -> None:
    save_album(library, album("a", FieldTest("album", Op.EQ, "b")))
    save_album(library, album("b", Or((FieldTest("album", Op.EQ, "a"),))))
    save_album(library, album("words", is_ranked=True))
    with library.read() as connection:
        with pytest.raises(InvalidQuery, match="contains itself"):
            expand_albums(connection, FieldTest("album", Op.EQ, "a"))
        with pytest.raises(AlbumIsRanked):
            expand_albums(connection, FieldTest("album", Op.EQ, "words"))
        with pytest.raises(UnknownAlbum):
            expand_albums(connection, Not(FieldTest("album", Op.EQ, "c")))


def test_albums_can_be_saved_while_another_process_writes(library: Library) -> None:
    with Library.open(library.path) as other, other.exclusive():
        save_album(library, album("mine"))
        drop_album(library, "mine")
    assert list_albums(library) == []


def test_replaced_search_keeps_its_cover(library: Library, put: Callable[..., list[int]]) -> None:
    (one,) = put(1)
    save_album(library, album("a"))
    set_cover(library, "A", one)
    save_album(library, album("a", None, is_ranked=True))
    assert find_album(library, "a").cover == one


def test_name_of_an_album_by_hand_cannot_be_saved(library: Library) -> None:
    create_album(library, "Été")
    with pytest.raises(AlbumExists, match="Été"):
        save_album(library, album("été"))
    assert find_album(library, "été").by_hand


def test_saved_searches_follow_a_renamed_album(library: Library, put: Callable[..., list[int]]) -> None:
    one, two = put(1, 2)
    create_album(library, "a b", [one])
    uses = And((Not(FieldTest("album", Op.EQ, "A  B")), FieldTest("has", Op.EXISTS)))
    save_album(library, AlbumRecord("other", '-album:"A  b" x:y', uses))
    save_album(library, AlbumRecord("rest", "album:other", FieldTest("album", Op.EQ, "other")))
    rename_album(library, "A b", 'New "name"', lambda *changed: " | ".join(changed))
    renamed = find_album(library, "other")
    assert renamed.query == '-album:"A  b" x:y | a b | New "name"'
    assert renamed.condition == And((Not(FieldTest("album", Op.EQ, 'New "name"')), FieldTest("has", Op.EXISTS)))
    assert find_album(library, "rest").query == "album:other"
    assert two
