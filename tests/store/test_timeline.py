"""The timeline: days and shapes computed by hand, in the order of the listing by date."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from sqlalchemy import delete, update

from store import Library, timeline
from store.catalog.tables import Content, Picture, PictureState
from store.filters.conditions import FieldTest, Op
from store.kept_counts import by_date
from store.queries import newest_contents
from store.timeline import DayCount, load_days, load_from_day

# ruff: noqa: DTZ001 (cameras know no time zone)

Put = Callable[..., list[int]]


@pytest.fixture(params=["rows", "columns"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days are counted in the database, or from kept columns, as in a large library."""
    if request.param == "columns":
        monkeypatch.setattr(by_date, "MIN_BLOCKS", 0)
        monkeypatch.setattr(timeline, "MIN_PICTURES", 0)


SHAPES = (
    (4, 3, 6),  # 4/3 = 1 + 6/18
    (3, 2, 9),
    (16, 9, 14),
    (2, 1, 18),
    (9, 16, -14),
    (100, 101, 0),  # 1.01 is nearest to 1
    (99, 100, 0),
    (103, 100, 1),  # 1.03 = 1 + 0.54/18
    (9000, 100, 36),  # three times as wide as high is the widest shape
    (100, 9000, -36),
    (0, 0, 0),  # a document has no size
)


def fill(library: Library, ids: list[int], values: list[dict[str, object]]) -> None:
    with library.transaction() as connection:
        for content_id, columns in zip(ids, values, strict=True):
            connection.execute(update(Content).where(Content.id == content_id).values(columns))


def test_contents_without_a_file_are_left_out(library: Library, put: Put) -> None:
    """Their files were removed from the catalogue, or are all missing."""
    ids = put(*range(4))
    fill(library, ids, [{"taken_at": datetime(2024, 1, 1 + number)} for number in range(4)])
    with library.transaction() as connection:
        connection.execute(delete(Picture).where(Picture.content_id == ids[1]))
        connection.execute(update(Picture).where(Picture.content_id == ids[2]).values(state=PictureState.MISSING))
    assert load_days(library, None).days == (DayCount(date(2024, 1, 4), 1), DayCount(date(2024, 1, 1), 1))


def test_shapes_are_rounded_to_eighteenths(library: Library, put: Put) -> None:
    ids = put(*range(len(SHAPES)))
    fill(library, ids, [{"width": width, "height": height} for width, height, _ in SHAPES])
    newest_last = load_days(library, None).shapes[::-1]  # equal dates: by descending ID
    assert [ord(letter) - 71 for letter in newest_last] == [code for *_, code in SHAPES]


def dated(library: Library, put: Put) -> list[int]:
    """Insert eight pictures of three days, two of them undated, and one whose file is missing."""
    ids = put(*range(8))
    (gone,) = put(9, state=PictureState.MISSING)
    times: list[datetime | None] = [
        datetime(2024, 2, 29, 23, 59, 59, 999_999),
        datetime(2024, 3, 1),
        datetime(2024, 2, 29),
        None,
        datetime(2024, 3, 1),
        datetime(1999, 12, 31, 12),
        None,
        datetime(2024, 2, 29, 12),
    ]
    fill(library, [*ids, gone], [{"taken_at": moment} for moment in [*times, datetime(2024, 3, 1)]])
    fill(library, ids[:1], [{"width": 2}])  # 2:8
    return ids


def test_days_are_counted_newest_first_and_undated_ones_last(library: Library, put: Put) -> None:
    dated(library, put)
    found = load_days(library, None)
    assert found.days == (
        DayCount(date(2024, 3, 1), 2),
        DayCount(date(2024, 2, 29), 3),
        DayCount(date(1999, 12, 31), 1),
        DayCount(None, 2),
    )
    assert found.count == 8
    assert found.shapes == "GG#GGGGG"  # the last of 29 February is 4 times as high as wide


def test_empty_library_has_no_days(library: Library) -> None:
    assert load_days(library, None) == load_days(library, FieldTest("year", Op.EQ, 2024))
    assert load_days(library, None).days == ()
    assert load_from_day(library, None, None, 0, 10) == []


def test_filters_apply_to_days_and_pictures(library: Library, put: Put) -> None:
    ids = dated(library, put)
    condition = FieldTest("year", Op.EQ, 2024)
    assert [each.count for each in load_days(library, condition).days] == [2, 3]
    assert [record.id for record in load_from_day(library, condition, date.max, 0, 10)] == [
        ids[number] for number in (4, 1, 0, 7, 2)
    ]


def test_every_part_of_the_timeline_is_that_of_the_listing_by_date(library: Library, put: Put) -> None:
    ids = dated(library, put)
    listed = [record.id for record in newest_contents(library, None, 100).records]
    assert listed == [ids[number] for number in (4, 1, 0, 7, 2, 5, 6, 3)]
    found = load_days(library, None)
    start = 0
    for each in found.days:
        for offset in range(each.count):
            for limit in (1, 2, 100):
                part = load_from_day(library, None, each.day, offset, limit)
                assert [record.id for record in part] == listed[start + offset :][:limit]
        start += each.count
    # An offset beyond the day goes on with older days, and ends with the last picture.
    assert [record.id for record in load_from_day(library, None, date(1999, 12, 31), 2, 5)] == [ids[3]]
    assert load_from_day(library, None, date(1999, 12, 31), 3, 5) == []
    assert [record.id for record in load_from_day(library, None, date(2030, 1, 1), 0, 1)] == [ids[4]]
