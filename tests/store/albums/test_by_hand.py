"""Albums put together by hand: their pictures, order, covers and counts, and use as filters."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from core.errors import AlbumExists, AlbumIsSearch, InvalidTag, NotInAlbum, UnknownAlbum
from store import Library
from store.albums.by_hand import (
    add_to_album,
    albums_with,
    contents_of_album,
    create_album,
    move_in_album,
    remove_from_album,
)
from store.albums.listing import contents_in_order, list_album_summaries, position_in_album, summarize_album
from store.albums.records import AlbumRecord, drop_album, find_album, rename_album, set_cover
from store.albums.saved import save_album
from store.catalog.tables import AlbumContent, Content, Picture, PictureState
from store.filters.conditions import And, FieldTest, Not, Op, Or
from store.filters.selection import matching_ids, selected_ids
from store.forget import forget
from store.spaces.registry import StoredSpace

Put = Callable[..., list[int]]


def in_album(name: str) -> FieldTest:
    return FieldTest("album", Op.EQ, name)


def unchanged(query: str, _old: str, _new: str) -> str:
    return query


def set_state(library: Library, content_id: int, state: PictureState) -> None:
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id == content_id).values(state=state))


def test_pictures_are_appended_once_and_in_order(library: Library, put: Put) -> None:
    one, two, three = put(1, 2, 3)
    assert create_album(library, " Rome  ", [three, one, three, 999]) == 2
    assert add_to_album(library, "ROME", [one, two]) == 1
    assert contents_of_album(library, "rome") == [three, one, two]
    assert find_album(library, "rome") == AlbumRecord("Rome", by_hand=True)
    assert remove_from_album(library, "rome", [one, one, 999]) == 1
    assert add_to_album(library, "rome", [one]) == 1
    assert contents_of_album(library, "rome") == [three, two, one]
    assert (albums_with(library, one), albums_with(library, 999)) == (["Rome"], [])


def test_names_are_unique_over_both_kinds(library: Library) -> None:
    create_album(library, "Été")
    save_album(library, AlbumRecord("Saved", "name:a", FieldTest("rating", Op.EXISTS)))
    for name in ("été", "SAVED"):
        with pytest.raises(AlbumExists):
            create_album(library, name)
    with pytest.raises(AlbumExists, match="Saved"):
        rename_album(library, "été", "saved", unchanged)
    with pytest.raises(InvalidTag):
        rename_album(library, "été", " / ", unchanged)
    rename_album(library, "été", "ÉTÉ", unchanged)
    assert [summary.album.name for summary in list_album_summaries(library)] == ["Saved", "ÉTÉ"]


def test_saved_search_has_no_pictures_to_edit(library: Library, put: Put) -> None:
    (one,) = put(1)
    save_album(library, AlbumRecord("a", "x", FieldTest("rating", Op.EXISTS)))
    for change in (add_to_album, remove_from_album, move_in_album):
        with pytest.raises(AlbumIsSearch, match="saved search"):
            change(library, "a", [one])
        with pytest.raises(UnknownAlbum):
            change(library, "b", [one])
    with pytest.raises(AlbumIsSearch):
        contents_in_order(library, "a", None, 10)


@pytest.mark.parametrize(
    ("moved", "before", "order"),
    [
        ([3], 1, [3, 1, 2, 4]),
        ([1], None, [2, 3, 4, 1]),
        ([4, 2], 1, [4, 2, 1, 3]),
        ([2, 1], 2, [2, 1, 3, 4]),
        ([1, 2], 3, [1, 2, 3, 4]),
        ([3, 4], 3, [1, 2, 3, 4]),
    ],
)
def test_moving(library: Library, put: Put, moved: list[int], before: int | None, order: list[int]) -> None:
    ids = dict(zip((1, 2, 3, 4), put(1, 2, 3, 4), strict=True))
    create_album(library, "a", ids.values())
    move_in_album(library, "a", [ids[each] for each in moved], None if before is None else ids[before])
    assert contents_of_album(library, "a") == [ids[each] for each in order]


def test_only_pictures_of_the_album_are_moved_or_its_cover(library: Library, put: Put) -> None:
    one, two = put(1, 2)
    create_album(library, "a", [one])
    with pytest.raises(NotInAlbum):
        move_in_album(library, "a", [two])
    with pytest.raises(NotInAlbum):
        move_in_album(library, "a", [one], two)
    with pytest.raises(NotInAlbum):
        set_cover(library, "a", two)
    assert contents_of_album(library, "a") == [one]


def test_cover_is_the_chosen_or_the_first_present_picture(library: Library, put: Put) -> None:
    one, two, three = put(1, 2, 3)
    create_album(library, "a", [one, two, three])

    def cover() -> int | None:
        (summary,) = list_album_summaries(library)
        assert summary == summarize_album(library, "a")
        return summary.cover

    assert cover() == one
    set_cover(library, "a", three)
    assert cover() == three
    set_state(library, three, PictureState.MISSING)
    assert cover() == one
    set_state(library, three, PictureState.PRESENT)
    assert cover() == three
    remove_from_album(library, "a", [three])
    assert (cover(), find_album(library, "a").cover) == (one, None)
    set_cover(library, "a", two)
    set_cover(library, "a", None)
    assert cover() == one


def test_missing_files_stay_in_the_album_until_they_are_forgotten(library: Library, put: Put) -> None:
    one, two = put(1, 2)
    create_album(library, "a", [one, two])
    set_state(library, one, PictureState.MISSING)
    (summary,) = list_album_summaries(library)
    assert (summary.pictures, summary.missing) == (1, 1)
    assert matching_ids(library, in_album("a")) == [two]
    set_state(library, one, PictureState.PRESENT)
    assert contents_of_album(library, "a") == [one, two]
    forget(library, library.path.parent / "photos" / "0001.png")
    assert contents_of_album(library, "a") == [two]


def test_saved_searches_are_counted_when_asked(library: Library, put: Put) -> None:
    one, two = put(1, 2)
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == one).values(rating=5))
    save_album(library, AlbumRecord("best", "rating:5", FieldTest("rating", Op.EQ, 5)))
    save_album(library, AlbumRecord("words", "a beach", None, 100, is_ranked=True))
    assert [summary.pictures for summary in list_album_summaries(library)] == [None, None]
    summary = summarize_album(library, "best")
    assert (summary.pictures, summary.cover) == (1, one)
    set_cover(library, "words", two)
    summary = summarize_album(library, "words")
    assert (summary.pictures, summary.cover) == (None, two)
    drop_album(library, "words")
    assert [each.album.name for each in list_album_summaries(library)] == ["best"]


def test_albums_by_hand_as_filters(library: Library, put: Put, stored: StoredSpace) -> None:
    one, two, three = put(1, 2, 3)
    create_album(library, "a", [one, two])
    create_album(library, "b", [two, three])
    save_album(library, AlbumRecord("not a", "-album:a", Not(in_album("a"))))
    for condition, ids in (
        (in_album("A"), [one, two]),
        (Not(in_album("a")), [three]),
        (And((in_album("a"), in_album("b"))), [two]),
        (Or((in_album("a"), in_album("b"))), [one, two, three]),
        (in_album("not A"), [three]),
    ):
        assert selected_ids(library, stored, condition).tolist() == ids


def test_pages_follow_the_order_of_the_album(library: Library, put: Put) -> None:
    one, two, three, four = put(1, 2, 3, 4)
    create_album(library, "a", [four, two, three, one])
    set_state(library, two, PictureState.MISSING)
    first = contents_in_order(library, "a", None, 2)
    assert ([record.id for record in first.records], first.has_more, first.total) == ([four, three], True, 3)
    rest = contents_in_order(library, "a", None, 2, position_in_album(library, "a", three))
    assert ([record.id for record in rest.records], rest.has_more, rest.total) == ([one], False, 3)
    filtered = contents_in_order(library, "a", Not(FieldTest("id", Op.EQ, four)), 9)
    assert [record.id for record in filtered.records] == [three, one]


EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, 9), max_size=4)),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 9), max_size=4)),
        st.tuples(st.just("move"), st.lists(st.integers(0, 9), max_size=4), st.none() | st.integers(0, 9)),
        st.tuples(st.just("hide"), st.integers(0, 9)),
        st.tuples(st.just("show"), st.integers(0, 9)),
        st.tuples(st.just("cover"), st.integers(0, 9)),
    ),
    max_size=12,
)


class Model:
    """What an album should be: a list, without a database."""

    def __init__(self, ids: list[int]) -> None:
        self.ids, self.order, self.hidden = ids, list[int](), set[int]()
        self.cover: int | None = None

    def add(self, library: Library, numbers: list[int]) -> None:
        ids = [self.ids[number] for number in numbers]
        new = [each for each in dict.fromkeys(ids) if each not in self.order]
        assert add_to_album(library, "a", ids) == len(new)
        self.order += new

    def remove(self, library: Library, numbers: list[int]) -> None:
        ids = {self.ids[number] for number in numbers}
        assert remove_from_album(library, "a", ids) == len(ids & set(self.order))
        self.order = [each for each in self.order if each not in ids]
        self.cover = None if self.cover in ids else self.cover

    def move(self, library: Library, numbers: list[int], before: int | None) -> None:
        ids = list(dict.fromkeys(self.ids[number] for number in numbers))
        target = None if before is None else self.ids[before]
        if not {*ids, *(() if target is None else (target,))} <= set(self.order):
            with pytest.raises(NotInAlbum):
                move_in_album(library, "a", ids, target)
            return
        move_in_album(library, "a", ids, target)
        marker = -1
        marked = [*self.order]
        marked.insert(len(marked) if target is None else marked.index(target), marker)
        rest = [each for each in marked if each not in ids]
        place = rest.index(marker)
        self.order = [*rest[:place], *ids, *rest[place + 1 :]]

    def hide(self, library: Library, number: int) -> None:
        self.hidden.add(self.ids[number])
        set_state(library, self.ids[number], PictureState.MISSING)

    def show(self, library: Library, number: int) -> None:
        self.hidden.discard(self.ids[number])
        set_state(library, self.ids[number], PictureState.PRESENT)

    def choose_cover(self, library: Library, number: int) -> None:
        if self.ids[number] in self.order:
            set_cover(library, "a", self.ids[number])
            self.cover = self.ids[number]


@given(edits=EDITS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_edits_keeps_order_and_counts(library: Library, put: Put, edits: list[tuple[str, ...]]) -> None:
    with library.read() as connection:
        ids = sorted(connection.execute(select(Content.id)).scalars()) or put(*range(10))
    for summary in list_album_summaries(library):
        drop_album(library, summary.album.name)
    for number in range(10):
        set_state(library, ids[number], PictureState.PRESENT)
    create_album(library, "a")
    model = Model(ids)
    for name, *arguments in edits:
        getattr(model, "choose_cover" if name == "cover" else name)(library, *arguments)
    assert contents_of_album(library, "a") == model.order
    shown = [each for each in model.order if each not in model.hidden]
    summary = summarize_album(library, "a")
    assert (summary.pictures, summary.missing) == (len(shown), len(model.order) - len(shown))
    first = shown[0] if shown else None
    assert summary.cover == (model.cover if model.cover is not None and model.cover not in model.hidden else first)
    assert [record.id for record in contents_in_order(library, "a", None, 99).records] == shown
    with library.read() as connection:
        positions = list(connection.execute(select(AlbumContent.position)).scalars())
    assert len(set(positions)) == len(positions) == len(model.order)
