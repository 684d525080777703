"""Look-alike signs in filters: full-width forms, typographic quotation marks, dashes and digits of other scripts."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidQuery
from search.filters import And, FieldTest, Not, Op, field_condition, parse_where
from search.filters.signs import CLOSING, plain_signs, range_reading, unquoted

FULL_WIDTH = str.maketrans({char: chr(ord(char) + 0xFEE0) for char in string.printable if "!" <= char <= "~"})
ARABIC = str.maketrans("0123456789.,", "٠١٢٣٤٥٦٧٨٩٫،")

VALUES = (
    ("date", "2023-06"), ("date", "2021..2023"), ("date", ">2020"), ("after", "2023-06-15"), ("month", "6..8"),
    ("time", "18:30..21"), ("season", "summer"), ("iso", ">=800"), ("iso", "100..800"), ("aperture", "f/2.8"),
    ("exposure", "1/250"), ("focal", "24..70"), ("size", ">10MB"), ("near", "48.137,11.575,10km"),
    ("box", "47.2,10.9,48.3,12.0"), ("rating", ">=4"), ("rating", "-1"), ("has", "gps"), ("format", "png,webp"),
    ("orientation", "landscape,square"),
)  # fmt: skip


@given(st.text())
def test_plain_signs_are_idempotent(text: str) -> None:
    once = plain_signs(text)
    assert plain_signs(once) == once


@given(st.text(st.characters(codec="ascii")) | st.text(st.characters(categories=["L", "M", "S"], min_codepoint=0xC0)))
def test_text_without_look_alikes_is_unchanged(text: str) -> None:
    if not any(0xFE50 <= ord(char) < 0xFF5F or char in "ƒ≠≥≤⩾⩽∕⁄−∶⋯＋" for char in text):
        assert plain_signs(text) == text


@pytest.mark.parametrize(("field", "value"), VALUES)
def test_full_width_forms_equal_plain_ones(field: str, value: str) -> None:
    wanted = field_condition(field, value)
    assert field_condition(field.translate(FULL_WIDTH), value.translate(FULL_WIDTH)) == wanted
    assert field_condition(field, value.replace(" ", "\u3000")) == wanted
    assert field_condition(field, value.replace("-", "\u2212").replace("..", "…")) == wanted
    assert field_condition(field, value.translate(ARABIC)) == wanted
    assert field_condition(field, value.replace(">=", "≥").replace("<=", "≤").replace("..", "...")) == wanted


@pytest.mark.parametrize(
    ("field", "typed", "plain"),
    [
        ("date", "2021–2023", "2021..2023"),
        ("date", "2021 — 2023", "2021..2023"),
        ("date", "2023–06", "2023-06"),
        ("date", "2023–06–15", "2023-06-15"),
        ("date", "2023/06..2023.08", "2023-06..2023-08"),
        ("date", "20230615", "2023-06-15"),
        ("focal", "24–70mm", "24..70mm"),
        ("iso", "100～800", "100..800"),
        ("iso", "=>800", ">=800"),
        ("iso", "=800", "800"),
        ("time", "22–5", "22..5"),
        ("time", "6pm", "18"),
        ("time", "12am..6:30AM", "0..6:30"),
        ("time", "18h30", "18:30"),
        ("time", "18:30:59", "18:30"),
        ("month", "June..aug", "6..8"),
        ("aperture", "2,8", "2.8"),
        ("aperture", "ƒ2.8", "f/2.8"),
        ("aperture", "F/2,8", "2.8"),
        ("size", ">1,5MB", ">1.5MB"),
        ("width", "320px", "320"),
        ("near", "48,137;11,575;2,5km", "48.137,11.575,2.5km"),
        ("near", "48.137N,11.575E", "48.137,11.575"),
        ("near", "11.575°E, 48.137°N", "48.137,11.575"),
        ("near", "S33.9,W151.2", "-33.9,-151.2"),
        ("near", "48°30'N,11°15'36\"E", "48.5,11.26"),
        ("near", "48° 30′ N, 11° 15′ 36″ E", "48.5,11.26"),
        ("near", "–33.9,151.2", "-33.9,151.2"),
        ("rating", "★★★", "3"),
        ("rating", "★★★☆☆", "3"),
        ("rating", "⭐️⭐️", "2"),
        ("rating", "****", "4"),
        ("rating", "rejected", "-1"),
        ("rating", "unrated", "0"),
        ("format", "png、webp", "png,webp"),
    ],
)
def test_other_spellings_of_values(field: str, typed: str, plain: str) -> None:
    assert field_condition(field, typed) == field_condition(field, plain)


def test_unrated_pictures_have_no_rating() -> None:
    assert field_condition("rating", "0") == Not(FieldTest("rating", Op.EXISTS))


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("date", "2023..2021", "ends before it begins. Write 2021..2023"),
        ("date", "2023-06..2023-05", "Write 2023-05..2023-06"),
        ("iso", "800..100", "Write 100..800"),
        ("iso", "800–100", "Write 100..800"),
        ("rating", "5..3", "Write 3..5"),
        ("time", "18:30..18:30", "ends when it begins. Write 18:30"),
        ("iso", ">100..800", "both a comparison and a range"),
        ("iso", "35-70", "A range is written 35..70"),
        ("iso", "100,200,400", "Join several values with or"),
        ("iso", "1,600", "can be read in two ways. Write 1600 or 1.600"),
        ("iso", ">", "A number is missing"),
        ("iso", "-1", "is negative"),
        ("rating", "6", "Use 1 to 5 stars"),
        ("rating", "*", "has:rating"),
        ("date", "15.06.2023", "Write the year first: 2023-06-15."),
        ("date", "06/15/2023", "Write the year first: 2023-06-15."),
        ("date", "03/04/2023", "Write the year first: 2023-04-03 or 2023-03-04."),
        ("date", "23-06", "with four digits"),
        ("date", "June", "month:6 selects"),
        ("date", "June 2023", "Write 2023-06."),
        ("date", "2023-W24", "Write the days of a week: 2023-06-12..2023-06-18."),
        ("date", "2023-W60", "The year 2023 has no week 60"),
        ("date", "2023,2024", "Join several with or: date:2023 or date:2024"),
        ("date", "2023-02-30", "February 2023 has no day 30"),
        ("date", "2023-13", "there is no month 13"),
        ("date", "0000", "years begin at 0001"),
        ("after", "2023-06-15T18:00", "Write the day alone, 2023-06-15; time:18"),
        ("after", "2023..", "is a range, and one date is expected here"),
        ("after", ">2023", "needs no sign"),
        ("near", "48,137,11,575", "separate by ; as in 48,1;11,5"),
        ("near", "48.1,", "A place with blanks needs quotation marks"),
        ("near", "48.1N,11.5N", "not a latitude and a longitude"),
        ("near", "48°70'N,11E", "minutes and seconds are less than 60"),
        ("box", "48,10,47,11", "Write 47,10,48,11"),
        ("format", ",", "The value is empty"),
        ("in", "*", "matches every folder. A folder with this name is given by its path: in:./*"),
    ],
)
def test_errors_name_what_to_write(field: str, value: str, remedy: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        field_condition(field, value)
    assert remedy in str(caught.value)


def test_months_may_go_over_the_new_year() -> None:
    winter = field_condition("month", "11..2")
    assert winter == field_condition("month", "nov–feb")
    assert not isinstance(winter, And)


@given(st.text(), st.sampled_from(sorted(CLOSING)), st.data())
def test_marks_around_a_value_are_removed(text: str, opening: str, data: st.DataObject) -> None:
    closing = data.draw(st.sampled_from(sorted(CLOSING[opening])))
    assert unquoted(f"{opening}{text}{closing}") == text.strip()
    assert unquoted(f"{text}x") == f"{text}x"


def test_conditions_of_the_command_line_take_look_alikes() -> None:
    assert parse_where("iso＞＝８００") == parse_where("iso>=800") == parse_where("iso≥800")
    assert parse_where("–camera：“X 100”") == parse_where('-camera:"X 100"') == parse_where("-camera:X 100")
    assert parse_where("format≠png") == parse_where("format!=png")
    assert parse_where("tag=a*") == FieldTest("tag", Op.EQ, "a*")


@pytest.mark.parametrize("name", ["~tmp", "~someone", "~root/x", "[a]", "a|b", "^2", "100%", "'90s", "=x"])
def test_names_with_signs_are_names(name: str) -> None:
    assert field_condition("in", name) == FieldTest("path", Op.LIKE, f"*/{name}/*")


@pytest.mark.parametrize("text", ["2023", "a", "–2", "2..3", ""])
def test_only_a_sign_between_values_is_a_range(text: str) -> None:
    assert range_reading(text) is None
