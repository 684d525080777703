"""Kept counts are those of the catalogue, after any changes."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, func, insert, select, text, update

from core.errors import LibraryBusy
from store import Library
from store.catalog.tables import (
    Content,
    ContentBlock,
    ContentPlace,
    ContentTag,
    KeptCounts,
    PersonRow,
    Picture,
    PictureTag,
    PlaceRow,
    Root,
    Tag,
)
from store.kept_counts import by_date, keeping, selected
from store.kept_counts.block_columns import COLUMNS_KIND, BlockColumns, read_columns
from store.kept_counts.block_counts import KIND, BlockCounts, FolderCount
from store.kept_counts.by_date import contents_by_date
from store.kept_counts.keeping import count_everything, keep_counts, wrong_counts
from store.kept_counts.selected import count_selected
from tests.support.counted_changes import CHANGES, CHOSEN, CONTENTS, Change, apply, insert_content, set_fact


@pytest.fixture
def filled(library: Library) -> Library:
    """A library with two roots and a collection, three tags, two places, and a file of each content."""
    with library.transaction() as connection:
        for number, (path, kind) in enumerate([(b"/a", "folder"), (b"/b", "folder"), (b"imported:x", "collection")], 1):
            connection.execute(insert(Root).values(id=number, path=path, added_at=func.now(), kind=kind))
        connection.execute(
            insert(Tag), [{"id": number, "key": str(number), "name": str(number)} for number in (1, 2, 3)]
        )
        for number in (1, 2):
            connection.execute(insert(PlaceRow).values(id=number, city=f"C{number}", country="N", country_code="NO"))
        for content in CONTENTS:
            insert_content(connection, content)
    return library


def counted_in_python(connection: Connection, chosen: Sequence[int] = CONTENTS) -> BlockCounts:
    """All counts of some contents, from the rows of all tables."""
    counts = BlockCounts()
    rows = connection.execute(select(Picture.__table__))
    files = [row for row in rows if row.state == "present" and row.content_id in chosen]
    present = {row.content_id for row in files}
    kinds = {row.id: row.kind for row in connection.execute(select(Root.__table__))}
    for row in connection.execute(select(Content.__table__)):
        if row.id not in chosen:
            continue
        if row.id not in present:
            counts.absent += 1
            continue
        counts.contents += 1
        facts = {
            "camera": row.camera,
            "lens": row.lens,
            "format": row.format,
            "orientation": "landscape",
            "month": row.taken_at and f"{row.taken_at:%Y-%m}",
        }
        for name, value in {**facts, "city": row.city, "country": row.country}.items():
            counts.facts[name][value] += 1
        place = select(ContentPlace.place_id).where(ContentPlace.content_id == row.id)
        found = connection.scalar(place)
        if found is not None and row.city is None and row.country is None:
            counts.places[found] += 1
    people = [row for row in connection.execute(select(PersonRow.__table__)) if row.content_id in present]
    counts.people = Counter(row.key for row in people)
    counts.people_names = {key: min(row.name for row in people if row.key == key) for key in counts.people}
    tagged = {(row.tag_id, row.content_id) for row in connection.execute(select(ContentTag.__table__))}
    of_file = {row.id: row.content_id for row in files}
    tagged |= {(row.tag_id, of_file.get(row.picture_id)) for row in connection.execute(select(PictureTag.__table__))}
    counts.tags = Counter(tag for tag, content in tagged if content in present)
    for row in files:
        folder = row.root_id, os.path.dirname(row.relpath) if kinds[row.root_id] == "folder" else b""  # noqa: PTH120 (bytes)
        files_of, cover = counts.folders.get(folder, FolderCount(0, 0))
        counts.folders[folder] = FolderCount(files_of + 1, max(cover, row.content_id))
    return counts


def change_and_keep(library: Library, number: int, batch: list[Change]) -> None:
    """Apply changes. Every second time, a process that knows nothing then counts, and stores that."""
    with library.transaction() as connection:
        for change in batch:
            apply(connection, change)
    if number % 2:
        keeping._memories.clear()
        keep_counts(library)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.lists(CHANGES, max_size=4), max_size=5))
def test_counts_follow_any_changes(filled: Library, changes: list[list[Change]]) -> None:
    """Also the stored ones."""
    for number, batch in enumerate(changes):
        change_and_keep(filled, number, batch)
        with filled.read() as connection:
            assert count_everything(filled) == counted_in_python(connection)
            assert wrong_counts(connection) == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.lists(CHANGES, max_size=4), max_size=4),
    chosen=st.lists(CHOSEN, unique=True).map(sorted),
)
def test_counts_of_some_contents_follow_any_changes(
    filled: Library, changes: list[list[Change]], chosen: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selected, "MIN_EACH", 0)
        for number, batch in enumerate(changes):
            change_and_keep(filled, number, batch)
            with filled.read() as connection:
                expected = counted_in_python(connection, chosen)
                expected.absent = 0
                assert count_selected(filled, connection, np.array(chosen, np.int64)) == expected


DATES = st.sampled_from(
    [datetime(2020, 5, 5, 10), datetime(2020, 5, 5, 10, 0, 0, 1), datetime(1899, 1, 1), None]  # noqa: DTZ001
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.lists(st.one_of(CHANGES, st.tuples(st.just(set_fact), CHOSEN, st.just("taken_at"), DATES)), max_size=4),
        max_size=6,
    ),
    share=st.sampled_from([0, 1]),
)
def test_contents_by_date_follow_any_changes(filled: Library, changes: list[list[Change]], share: int) -> None:
    """Those of blocks that have changed are merged with the others, or all are sorted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_date, "MAX_CHANGED", share)
        for batch in changes:
            with filled.transaction() as connection:
                for change in batch:
                    apply(connection, change)
            with filled.read() as connection:
                found = contents_by_date(filled, connection)
                is_present = select(Picture.id).where(Picture.content_id == Content.id, Picture.state == "present")
                order = (Content.taken_at.desc().nulls_last(), Content.id.desc())
                rows = connection.execute(select(Content.id).where(is_present.exists()).order_by(*order))
                assert found.ids.tolist() == list(rows.scalars())
                assert len(found.times) == len(found.shapes) == len(found.ids)


def test_columns_are_the_same_after_storing(filled: Library) -> None:
    with filled.transaction() as connection:
        row = {"content_id": 1, "key": "anna", "name": "Anna"}
        connection.execute(insert(PersonRow).values(row))
        connection.execute(insert(ContentTag).values(tag_id=2, content_id=1, source="user"))
    with filled.read() as connection:
        columns = read_columns(connection, 0)
    again = BlockColumns.from_bytes(columns.to_bytes())
    assert again.count() == columns.count()
    assert columns.count().people_names == {"anna": "Anna"}
    assert again.to_bytes() == columns.to_bytes()


def test_columns_of_an_empty_block() -> None:
    empty = BlockColumns(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8), 7)
    assert empty.count() == BlockCounts(absent=7)


def test_wrong_columns_are_found(filled: Library) -> None:
    keep_counts(filled)
    with filled.read() as connection:
        columns = replace(read_columns(connection, 0), absent=5)
    with filled.transaction() as connection:
        is_chosen = (KeptCounts.number == 0) & (KeptCounts.kind == COLUMNS_KIND)
        connection.execute(update(KeptCounts).where(is_chosen).values(counts=columns.to_bytes()))
    with filled.read() as connection:
        assert wrong_counts(connection) == [0]


@pytest.fixture
def read_tables(filled: Library) -> Iterator[list[str]]:
    """The statements that read contents."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM contents" in statement:
            asked.append(statement)

    event.listen(filled.backend.engine, "before_cursor_execute", note)
    yield asked
    event.remove(filled.backend.engine, "before_cursor_execute", note)


def test_unchanged_blocks_are_not_counted_again(filled: Library, read_tables: list[str]) -> None:
    keep_counts(filled)
    read_tables.clear()
    assert count_everything(filled).contents == len(CONTENTS)
    assert count_everything(filled).contents == len(CONTENTS)
    assert read_tables == []
    with filled.transaction() as connection:
        connection.execute(update(Content).where(Content.id == 1).values(camera="New"))
    assert count_everything(filled).facts["camera"]["New"] == 1
    of_one_block = len(read_tables)
    assert 0 < of_one_block <= 4
    count_everything(filled)
    assert len(read_tables) == of_one_block  # this process remembers


def test_damaged_counts_are_counted_again(filled: Library) -> None:
    keep_counts(filled)
    keeping._memories.clear()
    for damage in (b"", b"no zlib", b"x\x9cK\xad\x05\x00\x01\x85\x00\xf3"):
        with filled.transaction() as connection:
            connection.execute(update(KeptCounts).values(counts=damage))
        keeping._memories.clear()
        assert count_everything(filled).contents == len(CONTENTS)


def test_counts_of_an_earlier_version_are_not_stored_over_a_later_one(filled: Library) -> None:
    """A slow reader stores what it counted, after the block has changed."""
    with filled.read() as connection:
        version = connection.scalar(select(ContentBlock.version).where(ContentBlock.number == 0))
    assert version is not None
    with filled.transaction() as connection:
        connection.execute(delete(Picture).where(Picture.content_id == 1))
    keeping._keep(filled, {0: (version, {KIND: BlockCounts(contents=99).to_bytes()})})
    assert count_everything(filled).contents == len(CONTENTS) - 1


@pytest.mark.sqlite("its pragmas")
def test_a_reader_does_not_wait_to_store_counts(filled: Library) -> None:
    with filled.transaction() as connection:  # another program is writing
        connection.execute(update(Content).where(Content.id == 1).values(camera="New"))
        keep_counts(filled)
    with filled.read() as connection:
        assert connection.scalar(select(func.count()).select_from(KeptCounts)) == 0
        timeout = connection.execute(text("PRAGMA busy_timeout")).scalar_one()
    assert timeout > 1_000
    assert count_everything(filled).facts["camera"]["New"] == 1


def test_counts_are_returned_if_no_connection_is_free_to_store_them(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MIN_STORED", 1)
    monkeypatch.setattr(filled.backend.engine.pool, "_timeout", 0.01)
    with ExitStack() as readers:
        held = list[Connection]()
        with suppress(LibraryBusy):
            while True:
                held.append(readers.enter_context(filled.connect()))
        held[0].close()
        assert count_everything(filled).contents == len(CONTENTS)
        assert len(held) > 1


def test_a_library_without_write_access_is_counted(filled: Library, tmp_path: Path) -> None:
    path = filled.path
    filled.close()
    with Library.open_to_read(path) as library:
        assert count_everything(library).contents == len(CONTENTS)


@pytest.mark.parametrize("batch", [1, 2, 3, 64])
def test_a_reader_that_counts_much_stores_it_and_does_not_hold_it(
    filled: Library, monkeypatch: pytest.MonkeyPatch, read_tables: list[str], batch: int
) -> None:
    monkeypatch.setattr(keeping, "MIN_STORED", 1)
    monkeypatch.setattr(keeping, "BATCH_BLOCKS", batch)
    assert count_everything(filled).contents == len(CONTENTS)
    assert keeping._memories[filled].blocks == {}
    keeping._memories.clear()
    read_tables.clear()
    assert count_everything(filled).contents == len(CONTENTS)
    assert read_tables == []


@pytest.mark.parametrize("batch", [1, 2, 3, 64])
def test_all_changed_blocks_are_kept_in_batches(filled: Library, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(keeping, "BATCH_BLOCKS", batch)
    keep_counts(filled)
    keep_counts(filled)  # nothing has changed
    with filled.read() as connection:
        kept = connection.execute(select(KeptCounts.number, KeptCounts.kind)).all()
        blocks = connection.execute(select(ContentBlock.number)).scalars().all()
    assert len(kept) == 2 * len(blocks) == 6
