"""Look-alikes of the signs of the query language, and the notices about what may be read otherwise than meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidQuery, QuerySyntax
from search.filters import FIELD_NAMES
from search.filters.signs import APOSTROPHES, CLOSING, COLONS, MINUSES, PLUSES
from search.query import Query
from search.query_language import ParsedQuery, filter_text, parse, query_notices

PAIRS = ("“”", "„“", "„”", "””", "‟”", "«»", "»«", "‹›", "「」", "『』", "＂＂", "‘’", "‚‘", "’’", "''", '“"', '"”')
SIGNS = "".join([*CLOSING, COLONS, MINUSES, PLUSES, "—（）～…，＊*?~|^.:#[]()/\\\"' \t\u3000\u00a0"])
WORDS = st.sampled_from([*FIELD_NAMES, "or", "like", "a", "2023", "0.5", "海滩", "./a.jpg", "people"])


@given(st.lists(WORDS | st.text(st.sampled_from(SIGNS), max_size=3) | st.text(max_size=3), max_size=12).map("".join))
def test_every_line_is_a_query_or_an_invalid_query(line: str) -> None:
    try:
        parsed = parse(line)
    except InvalidQuery:
        return
    assert isinstance(parsed, ParsedQuery)
    assert all(map(str, query_notices(line)))
    filter_text(line)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("blank", ["", " ", "\u00a0"])
def test_typographic_marks_around_a_value(pair: str, blank: str) -> None:
    opening, closing = pair[0], pair[1]
    wanted = parse('a beach in:"My Pictures" at night')
    inner = blank if opening != '"' else ""
    assert parse(f"a beach in:{opening}{inner}My Pictures{inner}{closing} at night") == wanted
    assert parse(f"(in:{opening}My Pictures{closing} or tag:x)") == parse('(in:"My Pictures" or tag:x)')


@pytest.mark.parametrize("opening", sorted(set(CLOSING) - set(APOSTROPHES)))
def test_mark_that_is_not_closed_is_named(opening: str) -> None:
    with pytest.raises(QuerySyntax, match=f"The quotation mark {opening} is not closed") as caught:
        parse(f"a beach in:{opening}My Pictures")
    assert caught.value.position == len("a beach in:")


@pytest.mark.parametrize("sign", APOSTROPHES)
def test_apostrophe_is_part_of_a_name(sign: str) -> None:
    assert parse(f"a dog tag:{sign}90s") == parse(f'a dog tag:"{sign}90s"')
    assert parse(f"a man{sign}s dog in:rock{sign}n{sign}roll") == parse(f'a man{sign}s dog in:"rock{sign}n{sign}roll"')


@pytest.mark.parametrize("colon", COLONS)
def test_colons_of_other_scripts(colon: str) -> None:
    assert parse(f"海滩 in{colon}p") == parse("海滩 in:p")
    assert parse(f"海滩 ｉＮ{colon}p") == parse("海滩 in:p")
    assert parse(f"snow + 0.5{colon}dogs") == parse("snow + 0.5:dogs")
    assert parse(f"snow + ０．５{colon}dogs") == parse("snow + 0.5:dogs")
    assert parse(f"like{colon}42") == parse("like:42")
    assert parse(f"note{colon}this").query == Query.of(f"note{colon}this")


@pytest.mark.parametrize("sign", MINUSES)
def test_minus_in_front_of_a_word(sign: str) -> None:
    assert parse(f"a beach {sign}people") == parse("a beach -people")
    assert parse(f"a beach {sign}tag:x") == parse("a beach -tag:x")
    assert parse(f"a beach {sign}“red cars”") == parse('a beach -"red cars"')
    assert parse(f"({sign}tag:x or tag:y)") == parse("(-tag:x or tag:y)")
    for prose in (f"a {sign}5 degree day", f"10{sign}20 dogs", f"well{sign}known", f"dogs {sign}", f"a {sign} b"):
        assert parse(prose).query == Query.of(prose)


def test_operators_of_other_scripts() -> None:
    assert parse("a ＋ b － c") == parse("a + b - c")
    assert parse("a + b \u2212 c") == parse("a + b - c")
    assert parse("“a beach” - “people”") == parse('"a beach" - "people"')
    assert parse("（tag:a or tag：b） snow") == parse("(tag:a or tag:b) snow")


@pytest.mark.parametrize(
    ("line", "notice"),
    [
        ("“a beach” – “people”", "– is read as text; a hyphen between blanks"),
        ("a + b — c", "— is read as text; a hyphen between blanks"),
        ("a beach —people", "—people is read as text; with a hyphen, -people"),
        ("beach | sunset", "| is read as text; `or` joins filters"),
        ("+beach sunset", "+beach is read as text; + is an operator only between blanks"),
        ("beach^2 sunset", "beach^2 is read as text; a weight is written in front: 2:beach"),
        ("海滩tag：work", "tag: is read as text, because no blank is in front of it"),
        ("size:>10 MB", "MB is read as text; without a blank it is the unit: size:>10MB"),
        ("size:>10", "size:>10 means bytes"),
        ("near:48.1,11.5,10", "near:48.1,11.5,10 means metres; for kilometres, write near:48.1,11.5,10km"),
        ("exposure:250", "for a fraction of a second, write exposure:1/250"),
        ("name:[abc].jpg", "brackets and braces are compared as they are"),
        ("path:{a,b}", "brackets and braces are compared as they are"),
        ("camera:/R5/", "regular expressions are not supported"),
        ("camra：canon", "camra: is not a field, so it is searched for as text. Did you mean camera:?"),
        ("sofa.jpg with a cat", "name:sofa.jpg finds it by its name, and ./sofa.jpg searches with that file"),
        ("after:2023 before:2021", "No date is both from 2023-01-01 on and before 2021-01-01"),
    ],
)
def test_what_may_be_meant_otherwise_is_named(line: str, notice: str) -> None:
    assert notice in " ".join(map(str, query_notices(line)))


@pytest.mark.parametrize(
    "line",
    [
        "a beach", "la casa —vieja— junto al mar", "—Hola, dijo", "L'été – 2023", "beach ~tmp", "C++ +1", "2^10 = 1024",
        "size:>10MB", "exposure:1/250", "near:48.1,11.5", "name:IMG_1", "after:2021 before:2023", "a dog (brown)",
        "after:2023 or before:2021", "„pes“ na sněhu", "海滩，日落", "exposure:30", "path:*/2023/*",
    ],
)  # fmt: skip
def test_plain_lines_have_no_notices(line: str) -> None:
    assert query_notices(line) == ()
