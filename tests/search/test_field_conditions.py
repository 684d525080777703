"""The conditions of filter values, and the errors for invalid values."""
# ruff: noqa: DTZ001

import re
from datetime import datetime
from pathlib import Path

import pytest

from core.errors import InvalidQuery
from search.filters import FIELD_NAMES, field_condition, parse_where
from store import Library
from store.catalog.geography import box_around, distance
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or
from store.filters.selection import check_condition, matching_ids

PAGE = Path(__file__).parents[2] / "docs" / "filters.md"


def at_least(field: str, value: float | datetime) -> FieldTest:
    return FieldTest(field, Op.GE, value)


def since(moment: datetime) -> FieldTest:
    return at_least("taken_at", moment)


def until(moment: datetime) -> FieldTest:
    return below("taken_at", moment)


def below(field: str, value: float | datetime) -> FieldTest:
    return FieldTest(field, Op.LT, value)


@pytest.mark.parametrize(
    ("name", "value", "condition"),
    [
        ("date", "2023", And((since(datetime(2023, 1, 1)), until(datetime(2024, 1, 1))))),
        ("date", "2023-12", And((since(datetime(2023, 12, 1)), until(datetime(2024, 1, 1))))),
        ("date", "2021..2022-02", And((since(datetime(2021, 1, 1)), until(datetime(2022, 3, 1))))),
        ("date", ">2023", since(datetime(2024, 1, 1))),
        ("date", "..2023-06-30", until(datetime(2023, 7, 1))),
        ("date", "9999", And((since(datetime(9999, 1, 1)), until(datetime.max)))),  # noqa: DTZ901
        ("after", "2023-6", since(datetime(2023, 6, 1))),
        ("time", "18", And((at_least("minute", 1080), below("minute", 1140)))),
        ("time", "22..5", Or((at_least("minute", 1320), below("minute", 300)))),
        ("iso", "800", FieldTest("iso", Op.EQ, 800.0)),
        ("iso", ">=800", at_least("iso", 800.0)),
        ("size", "<1.5MB", below("bytes", 1_500_000.0)),
        ("exposure", ">=1/250", at_least("exposure", 0.004)),
        ("mp", ">=12", at_least("pixels", 12e6)),
        ("near", "1,-2,3km", FieldTest("position", Op.IN, (Circle(1, -2, 3000),))),
        ("near", "1, -2", FieldTest("position", Op.IN, (Circle(1, -2, 1000),))),
        ("box", "1,179,2,-179", FieldTest("position", Op.IN, (Box(1, 179, 2, -179),))),
        ("camera", "100%_", FieldTest("camera", Op.LIKE, "*100%_*")),
        ("camera", "=X100", FieldTest("camera", Op.EQ, "X100")),
        ("TAG", "a, b/", FieldTest("tag", Op.EQ, "a, b")),
        ("tag", "a*", FieldTest("tag", Op.LIKE, "a*")),
        ("in", "holidays", FieldTest("path", Op.LIKE, "*/holidays/*")),
        ("in", "/a/b", FieldTest("folder", Op.EQ, Path("/a/b"))),
        ("path", "2023/*", FieldTest("path", Op.LIKE, "*/2023/*")),
        ("format", "PNG, jpg", FieldTest("format", Op.IN, ("PNG", "JPEG", "MPO"))),
        ("has", "gps", FieldTest("position", Op.EXISTS)),
    ],
)  # fmt: skip
def test_field_condition(name: str, value: str, condition: Condition) -> None:
    assert field_condition(name, value) == condition


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cammera", "x", "Did you mean camera"),
        ("speed", "x", "Choose from: in, path"),
        ("iso", " ", "needs a value"),
        ("iso", "many", "is not a number"),
        ("iso", "NaN", "is not a number"),
        ("iso", "1/0", "not a finite number"),
        ("iso", "..", "A number is missing"),
        ("size", "10 parsecs", "Units: b, kb"),
        ("date", "0000:00:00", "is not a date"),
        ("date", "2023-02-30", "is not a date"),
        ("date", "2021..yesterday", "is not a date"),
        ("time", "25", "not a time of day"),
        ("month", "13", "Use a number from 1 to 12"),
        ("season", "monsoon", "Unknown season"),
        ("near", "48", "Invalid place"),
        ("near", "91,0", "is not a place"),
        ("near", "1,2,-3km", "must not be negative"),
        ("box", "1,2,3", "Invalid box"),
        ("box", "3,0,1,0", "larger than the north"),
        ("orientation", "diagonal", "Choose from: landscape"),
        ("format", "docx", "Choose from: jpeg"),
        ("has", "soul", "Choose from: gps"),
    ],
)
def test_invalid_field_condition_raises(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        field_condition(name, value)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("iso>800", field_condition("iso", ">800")),
        ("iso = 800", field_condition("iso", "800")),
        ("camera=X100", FieldTest("camera", Op.EQ, "X100")),
        ("camera:X100", FieldTest("camera", Op.LIKE, "*X100*")),
        ("tag!=a", Not(FieldTest("tag", Op.EQ, "a"))),
        ("date<=2023", until(datetime(2024, 1, 1))),
        ("path:a:b=c", FieldTest("path", Op.LIKE, "*/a:b=c")),
    ],
)
def test_parse_where(text: str, condition: Condition) -> None:
    assert parse_where(text) == condition


@pytest.mark.parametrize("text", ["", "iso", ">800", "800>iso", "iso~3"])
def test_invalid_where_raises(text: str) -> None:
    with pytest.raises(InvalidQuery):
        parse_where(text)


def test_documented_fields_and_examples_work(library: Library) -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert documented == set(FIELD_NAMES)
    examples = [each for row in rows for each in re.findall(r"`-?(\w+):([^`]+)`", row.split("|")[2])]
    assert len(examples) > 40
    for name, value in examples:
        condition = field_condition(name, value.strip('"'))
        if name not in ("album", "in"):
            matching_ids(library, condition)


@pytest.mark.parametrize(
    "condition",
    [
        FieldTest("nothing", Op.EQ, 1),
        FieldTest("iso", Op.EQ, "800"),
        FieldTest("iso", Op.EQ, True),
        FieldTest("iso", Op.EQ, 10**30),
        FieldTest("iso", Op.EQ, float("nan")),
        FieldTest("iso", Op.LIKE, 800),
        FieldTest("iso", Op.EXISTS, 1),
        FieldTest("camera", Op.LT, "x"),
        FieldTest("tag", Op.GT, "x"),
        FieldTest("taken_at", Op.EQ, "2023"),
        FieldTest("position", Op.IN, (Circle(float("nan"), 0, 1),)),
        FieldTest("format", Op.LIKE, "*"),
        FieldTest("title", Op.EQ, 5),
        FieldTest("path", Op.EQ, 5),
        FieldTest("name", Op.EQ, None),
        FieldTest("tag", Op.EQ, 5),
        FieldTest("tag", Op.WORDS, "x"),
        FieldTest("folder", Op.EXISTS),
        FieldTest("id", Op.EXISTS),
        And((FieldTest("iso", Op.EXISTS),) * 100_000),
        Or((FieldTest("iso", Op.EXISTS),) * 201),
    ],
)
def test_invalid_condition_raises(library: Library, condition: Condition) -> None:
    with pytest.raises(InvalidQuery):
        check_condition(library, condition)


def test_deeply_nested_condition_raises_invalid_query(library: Library) -> None:
    deep: Condition = FieldTest("iso", Op.EXISTS)
    for _ in range(100_000):
        deep = Not(deep)
    with pytest.raises(InvalidQuery, match="too large"):
        check_condition(library, deep)
    while isinstance(deep, Not):  # taken apart by hand: Python, too, would go down all the way
        deep = deep.condition


def test_largest_allowed_condition_works(library: Library) -> None:
    here = tuple(FieldTest("position", Op.IN, (Circle(number, 0, 1e6),)) for number in range(90))
    tags = tuple(FieldTest("tag", Op.EQ, str(number)) for number in range(190))
    members = FieldTest("tag", Op.IN, tuple(map(str, range(199))))
    for condition in (Or(here), And(here), Not(And(tags)), Or(tags), members):
        assert matching_ids(library, condition) == []
        assert matching_ids(library, FieldTest("id", Op.IN, tuple(range(10_000)))) == []


def test_distance_between_places() -> None:
    """Munich to Sydney, and a degree of a meridian: the radius times the angle."""
    assert distance(48.137, 11.575, -33.868, 151.209) == pytest.approx(16_300_000, rel=0.01)
    assert distance(0, 0, 1, 0) == pytest.approx(6_371_008.8 * 3.141592653589793 / 180)
    assert distance(0, 179.9, 0, -179.9) == pytest.approx(distance(0, 0, 0, 0.2))
    assert box_around(Circle(0, 179.95, 11_119.5)).east == pytest.approx(-179.95, abs=1e-4)
    assert box_around(Circle(89.99, 0, 5_000)).west == -180
