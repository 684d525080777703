"""Records of contents: batches, pages and counts."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import update

from store import Library
from store.catalog import id_sets
from store.catalog.tables import Content, PictureState
from store.filters.conditions import FieldTest, Op
from store.queries import count_contents, load_content_record, load_content_records, newest_contents

Put = Callable[..., list[int]]


@pytest.mark.parametrize("batch_size", [2, 5_000])
def test_records_list_the_present_files_of_each_content(
    library: Library, put: Put, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    monkeypatch.setattr(id_sets, "MAX_VARIABLES", batch_size)
    ids = put(*range(5))
    (gone,) = put(9, state=PictureState.MISSING)
    records = load_content_records(library, [*ids, gone, 999])
    assert load_content_records(library, []) == {}
    assert load_content_record(library, gone) is None
    assert set(records) == set(ids)
    assert records[ids[3]].paths == (library.path.parent / "photos" / "0003.png",)
    assert (records[ids[3]].width, records[ids[3]].format) == (8, "PNG")


def test_pages_list_the_newest_contents_first_and_undated_ones_last(library: Library, put: Put) -> None:
    ids = put(1, 2, 3, 4, 5)
    put(9, state=PictureState.MISSING)
    with library.transaction() as connection:
        for content_id, year in zip(ids[:3], (2021, 2023, 2021), strict=True):
            taken_at = datetime(year, 1, 1)  # noqa: DTZ001 (cameras know no time zone)
            connection.execute(update(Content).where(Content.id == content_id).values(taken_at=taken_at))
    expected = [ids[1], ids[2], ids[0], ids[4], ids[3]]
    listed: list[int] = []
    after = None
    while True:
        page = newest_contents(library, None, 2, after)
        assert page.total == 5
        listed += [record.id for record in page.records]
        if not page.has_more:
            break
        after = (page.records[-1].id, page.records[-1].taken_at)
    assert listed == expected
    in_2021 = FieldTest("year", Op.EQ, 2021)
    assert [record.id for record in newest_contents(library, in_2021, 9).records] == [ids[2], ids[0]]
    assert (count_contents(library), count_contents(library, in_2021)) == (5, 2)
