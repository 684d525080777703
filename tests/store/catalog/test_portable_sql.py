"""Each expression means the same on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    literal,
    not_,
    select,
)
from sqlalchemy.exc import IntegrityError

from store.catalog.bulk_insert import insert_new, load_rows
from store.catalog.geography import distance
from store.catalog.id_sets import among, read_ids
from store.catalog.portable_sql import (
    DAY_LENGTH,
    MONTH_LENGTH,
    character,
    date_text,
    greater_of,
    hex_digits,
    index_of,
    joined,
    lesser_of,
    metres_between,
    quotient,
)
from store.catalog.postgresql.watched_connection import WatchedConnection
from store.catalog.sql_functions import register_functions
from store.catalog.tables import Tag
from store.catalog.text_search import text_in, text_like

METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger),
    Column("name", String),
    Column("path", LargeBinary),
    Column("moment", DateTime),
    Column("latitude", Float),
    Column("longitude", Float),
)
ROWS: list[tuple[Any, ...]] = [
    (1, 7, "Straße", b"a/\xff.jpg", "2026-11-29T23:59:59.999999", 48.2, 16.37),
    (2, -7, "it's", b"a/b.jpg", "0099-01-02", -33.9, 151.2),
    (3, None, None, None, None, None, None),
    (4, 0, "%_", "ä/日.jpg".encode(), "2000-02-29T12:00:00", 0.0, -179.9),
]
FILES = Table(
    "files",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String),
    Column("path", LargeBinary),
    Column("share", Float),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    if request.param == "sqlite":
        engine = create_engine("sqlite://")
        event.listen(engine, "connect", lambda driver, _record: register_functions(driver))
    else:
        url: str = request.getfixturevalue("postgres_url")
        engine = create_engine("postgresql+psycopg://", creator=partial(WatchedConnection.connect, url))
    with engine.begin() as opened:
        METADATA.create_all(opened)
        opened.execute(insert(THINGS), [dict(zip(THINGS.c.keys(), with_moment(row), strict=True)) for row in ROWS])
        yield opened
    engine.dispose()


def with_moment(row: tuple[Any, ...]) -> list[Any]:
    return [datetime.fromisoformat(each) if column == 4 and each else each for column, each in enumerate(row)]


def by_id(connection: Connection, value: Any) -> list[Any]:
    return list(connection.execute(select(value).order_by(THINGS.c.id)).scalars())


def ids_where(connection: Connection, condition: Any) -> list[int]:
    return list(connection.execute(select(THINGS.c.id).where(condition).order_by(THINGS.c.id)).scalars())


def test_loaded_rows_are_read_as_they_were(connection: Connection) -> None:
    """Bytes that are no UTF-8, NULL, and characters that mean something in a text format."""
    rows = [
        (1, 'tab\t\\N "new\nline"', b"\x00\\x\t\n\xff", 1e-300),
        (2**62, None, None, None),
        (-5, "", b"", -0.1),
    ]
    load_rows(connection, FILES, rows)
    load_rows(connection, FILES, [])
    assert sorted(tuple(row) for row in connection.execute(select(FILES))) == sorted(rows)


def test_values_are_joined_without_null(connection: Connection) -> None:
    ordered = select(THINGS.c.number, THINGS.c.name).order_by(THINGS.c.id.desc()).subquery()
    assert connection.scalar(select(joined(ordered.c.number))) == "0,-7,7"
    assert connection.scalar(select(joined(ordered.c.name, "'"))) == "%_'it's'Straße"
    assert connection.scalar(select(joined(ordered.c.name, ""))) == "%_it'sStraße"
    assert connection.scalar(select(joined(THINGS.c.id)).where(THINGS.c.id > 9)) is None


def test_extremes_of_two_values_are_null_if_one_is(connection: Connection) -> None:
    assert by_id(connection, lesser_of(THINGS.c.number, 3)) == [3, -7, None, 0]
    assert by_id(connection, lesser_of(3, THINGS.c.number)) == [3, -7, None, 0]
    assert by_id(connection, greater_of(THINGS.c.number, 3)) == [7, 3, None, 3]
    assert by_id(connection, greater_of(7, THINGS.c.number)) == [7, 7, None, 7]


def test_quotients_are_rounded_towards_zero(connection: Connection) -> None:
    assert by_id(connection, quotient(THINGS.c.number, 2)) == [3, -3, None, 0]
    assert by_id(connection, quotient(15 + THINGS.c.id, THINGS.c.number)) == [2, -2, None, None]


def test_characters_have_code_points(connection: Connection) -> None:
    assert by_id(connection, character(THINGS.c.id + 65)) == ["B", "C", "D", "E"]
    assert connection.scalar(select(character(literal(0x65E5)))) == "日"


def test_bytes_become_hexadecimal_digits(connection: Connection) -> None:
    assert by_id(connection, func.coalesce(hex_digits(THINGS.c.path), "-"))[:2] == ["612FFF2E6A7067", "612F622E6A7067"]
    assert connection.scalar(select(func.length(THINGS.c.path)).where(THINGS.c.id == 4)) == len("ä/日.jpg".encode())


def test_parts_of_texts_are_found_with_their_case(connection: Connection) -> None:
    assert by_id(connection, index_of(THINGS.c.name, "ß")) == [5, 0, None, 0]
    assert by_id(connection, index_of(THINGS.c.name, "s")) == [0, 4, None, 0]
    assert by_id(connection, index_of(THINGS.c.name, "_")) == [0, 0, None, 2]


def test_dates_are_cut_to_months_and_days(connection: Connection) -> None:
    assert by_id(connection, date_text(THINGS.c.moment, DAY_LENGTH)) == ["2026-11-29", "0099-01-02", None, "2000-02-29"]
    assert by_id(connection, date_text(THINGS.c.moment, MONTH_LENGTH)) == ["2026-11", "0099-01", None, "2000-02"]


def test_distances_are_those_of_python(connection: Connection) -> None:
    found = by_id(connection, metres_between(48, 16, THINGS.c.latitude, THINGS.c.longitude))
    assert found[2] is None
    expected = [distance(48, 16, row[5], row[6]) for row in ROWS if row[5] is not None]
    assert [found[0], found[1], found[3]] == pytest.approx(expected, rel=1e-14)


def test_sums_of_integers_are_integers(connection: Connection) -> None:
    total = connection.scalar(select(func.sum(THINGS.c.id)))
    assert (total, type(total)) == (10, int)


def test_distinct_ids_are_read_in_ascending_order(connection: Connection) -> None:
    every = select(THINGS.c.id).where(THINGS.c.id.not_in([2]))
    twice = every.union_all(every).subquery()
    assert read_ids(connection, select(twice.c.id).order_by(twice.c.id.desc())).tolist() == [1, 3, 4]
    assert read_ids(connection, select(THINGS.c.number)).tolist() == [-7, 0, 7]
    assert read_ids(connection, every.where(THINGS.c.id > 9)).tolist() == []


def test_values_are_among_any_number_of_others(connection: Connection) -> None:
    assert ids_where(connection, among(THINGS.c.id, [4, 1, 1, *range(100, 50_000)])) == [1, 4]
    assert ids_where(connection, not_(among(THINGS.c.id, [4, 1]))) == [2, 3]
    assert ids_where(connection, among(THINGS.c.number, [])) == []
    assert ids_where(connection, ~among(THINGS.c.number, [0])) == [1, 2]
    assert ids_where(connection, among(THINGS.c.name, ["%_", "it's", '"']) & among(THINGS.c.id, [2])) == [2]
    assert ids_where(connection, among(THINGS.c.path, [b"a/b.jpg", "ä/日.jpg".encode()])) == [2, 4]
    assert by_id(connection, func.coalesce(among(THINGS.c.number, [7]), False)) == [True, False, False, False]


def test_a_statement_is_compiled_once_for_values_of_each_type(connection: Connection) -> None:
    """A cached statement keeps the type of its variable."""
    for _ in range(2):
        assert ids_where(connection, among(THINGS.c.number, [7])) == [1]
        assert ids_where(connection, among(THINGS.c.name, ["it's"])) == [2]
        assert ids_where(connection, among(THINGS.c.path, [b"a/b.jpg"])) == [2]


def test_texts_are_compared_like_names(connection: Connection) -> None:
    """Case is ignored also outside ASCII, and patterns are not those of LIKE."""
    rows = ["STRASSE", "Cafe\u0301", "café", "K-\u212a", "a[b]\\c%", "line\nbreak", ""]
    connection.execute(insert(FILES), [{"id": number, "name": name} for number, name in enumerate(rows)])

    def found(condition: ColumnElement[bool]) -> list[str | None]:
        return list(connection.execute(select(FILES.c.name).where(condition).order_by(FILES.c.id)).scalars())

    assert found(text_in(connection, FILES.c.name, ["straße", "CAFÉ"])) == ["STRASSE", "Cafe\u0301", "café"]
    assert found(text_in(connection, FILES.c.name, ["k-k", "cafe", ""])) == ["K-\u212a", ""]
    assert found(text_in(connection, FILES.c.name, [])) == []
    assert found(text_like(connection, FILES.c.name, "*É")) == ["Cafe\u0301", "café"]
    assert found(text_like(connection, FILES.c.name, "?-?")) == ["K-\u212a"]
    assert found(text_like(connection, FILES.c.name, "A[?]\\C%")) == ["a[b]\\c%"]
    assert found(text_like(connection, FILES.c.name, "a[_]*")) == []
    assert found(text_like(connection, FILES.c.name, "L*K")) == ["line\nbreak"]
    assert found(text_like(connection, FILES.c.name, "")) == [""]
    both = func.coalesce(THINGS.c.name, literal("STRASSE"))
    assert ids_where(connection, text_in(connection, both, ["Strasse"])) == [1, 3]
    assert ids_where(connection, not_(func.coalesce(text_like(connection, THINGS.c.name, "*s*"), False))) == [3, 4]
    for compared in (text_like(connection, THINGS.c.name, "*s*"), text_in(connection, THINGS.c.name, ["it's"])):
        assert by_id(connection, compared)[2] is None  # NULL


def test_rows_that_exist_are_not_inserted_again(connection: Connection) -> None:
    Tag.__table__.create(connection)  # type: ignore[attr-defined]
    rows = [{"key": "sea", "name": "Sea"}, {"key": "sky", "name": "Sky"}]
    connection.execute(insert(Tag), rows[:1])
    connection.execute(insert_new(Tag), [{"key": "sea", "name": "SEA"}, rows[1], rows[1]])
    from_select = select(Tag.id, Tag.key + "s", Tag.name).where(Tag.key == "sea")
    connection.execute(insert_new(Tag).from_select(["id", "key", "name"], from_select))  # the ID exists
    connection.execute(insert_new(Tag).values(rows[0]))
    names = connection.execute(select(Tag.key, Tag.name).order_by(Tag.key)).all()
    assert [tuple(row) for row in names] == [("sea", "Sea"), ("sky", "Sky")]


@pytest.mark.parametrize("row", [{"key": "sea", "name": None}, {"key": None, "name": "Sea"}])
def test_rows_that_break_another_rule_are_not_left_out(connection: Connection, row: dict[str, str | None]) -> None:
    Tag.__table__.create(connection)  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(insert_new(Tag), row)
    assert connection.scalar(select(func.count()).select_from(Tag)) == 0
