"""The query language: operators, plain text, and round trips of written queries."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidQuery, QuerySyntax
from search.filters import And, Not, Or, field_condition
from search.filters.signs import CLOSING, COLONS, MINUSES, OPENING_BRACKETS, PLUSES
from search.query import ImageInput, Part, Query, QueryInput, StoredInput, TextInput
from search.query_image import Crop
from search.query_language import filter_text, parse, query_notices

PROSE = (
    "a man's dog - in the snow", "t-shirt", "well-known", "3:30 pm", "U.S. flag", "C++", "who's there?", "16:9 photo",
    "a -5 degree day", "cats or dogs", "in the end: a dog", "a (brown) dog", "AC/DC", "24/7", "50% off",
    "a sign that says \"stop + go\"", "- people", "dogs --", "1+1", "a@b.com", "#snow", "or", "--", "/etc is a folder",
    "Vor- und Nachname", "Straße – bei Nacht", "ein Hund: braun", "L'été - 2023", "Qu'est-ce que c'est ?",
    "«un chien»", "pes – ve sněhu", "„pes“ na sněhu", "雪地里的狗", "海滩，日落", "3:30的火车", "“雪”", "كلب في الثلج",
    "من هناك؟", "كلب - في الثلج", "a  dog\tand　a cat",
)  # fmt: skip
"""Sentences in six languages, with their usual punctuation."""


def texts(line: str) -> list[tuple[str, float]]:
    query = parse(line).query
    assert query is not None
    return [
        (part.source.text if isinstance(part.source, TextInput) else str(part.source), part.weight)
        for part in query.parts
    ]


@pytest.mark.parametrize("line", PROSE)
def test_sentence_is_plain_text(line: str) -> None:
    assert parse(line).query == Query.of(line)
    assert parse(line).where is None
    assert parse(f"  {line}\n").query == Query.of(line)


LOOK_ALIKES = "".join([COLONS, PLUSES, MINUSES, OPENING_BRACKETS, *CLOSING])
PLAIN = st.text(st.characters(exclude_characters="/~.[]\0" + LOOK_ALIKES, exclude_categories=["Cs"])).filter(
    lambda text: text.strip() and len(text) < 1000
)


@given(PLAIN)
def test_text_without_operators_is_unchanged(line: str) -> None:
    assert parse(line).query == Query.of(line.strip())


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("a beach + sunset", [("a beach", 1), ("sunset", 1)]),
        ('a beach + 0.5:"sunset" - many people', [("a beach", 1), ("sunset", 0.5), ("many people", -0.75)]),
        ('"a beach" - people', [("a beach", 1), ("people", -0.5)]),
        ("a beach -people at night", [("a beach at night", 1), ("people", -0.5)]),
        ('a beach -"red cars" -dogs', [("a beach", 1), ("red cars", -0.25), ("dogs", -0.25)]),
        ("2:sunset at sea + snow", [("sunset at sea", 2), ("snow", 1)]),
        ("snow -0.25:people", [("snow", 1), ("people", -0.25)]),
        ("snow - 2:people", [("snow", 1), ("people", -2)]),
        ("snow 0.5:\"a dog\"", [("snow", 1), ("a dog", 0.5)]),
        ("like:42 with a hat", [("like:42", 1), ("with a hat", 1)]),
        ("like:42 -like:43", [("like:42", 1), ("like:43", -0.5)]),
        ('"a + b"', [("a + b", 1)]),
        (r'"a \"b\" \\"', [('a "b" \\', 1)]),
        ("雪 + 狗 -人", [("雪", 1), ("狗", 1), ("人", -1)]),
        ('x - -"y"', [("x", 1), ("y", 1)]),
    ],
)  # fmt: skip
def test_parts_and_weights(line: str, parts: list[tuple[str, float]]) -> None:
    assert texts(line) == parts


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("./my.jpg", ImageInput(Path("my.jpg"))),
        ("../x/my.jpg", ImageInput(Path("../x/my.jpg"))),
        ("/pictures/my.jpg", ImageInput(Path("/pictures/my.jpg"))),
        ('"./my picture.jpg"', ImageInput(Path("my picture.jpg"))),
        ("./my.jpg[1,2,3,4]", ImageInput(Path("my.jpg"), Crop(1, 2, 3, 4))),
        ('"./my picture.jpg"[10%,0%,50%,100%]', ImageInput(Path("my picture.jpg"), Crop(10, 0, 50, 100, percent=True))),
        ("./my.jpg[x]", ImageInput(Path("my.jpg[x]"))),
        ("./my.tif#3", ImageInput(Path("my.tif"), frame=2)),
        ("/pictures/my.tif#3", ImageInput(Path("/pictures/my.tif"), frame=2)),
        ("./my.tif#12[1,2,3,4]", ImageInput(Path("my.tif"), Crop(1, 2, 3, 4), frame=11)),
        ('"./my #1.tif"#2[1%,2%,3%,4%]', ImageInput(Path("my #1.tif"), Crop(1, 2, 3, 4, percent=True), frame=1)),
        ("./my#3.tif", ImageInput(Path("my#3.tif"))),
        ("like:42#3", StoredInput(42, frame=2)),
        ("like:42#1", StoredInput(42)),
        (r'"\./my.jpg"', TextInput("./my.jpg")),
    ],
)
def test_picture_parts(line: str, source: QueryInput) -> None:
    assert parse(line).query == Query((Part(source),))


def test_tilde_expands_to_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert parse("~/my.jpg").query == Query((Part(ImageInput(Path("/home/me/my.jpg"))),))


def test_filters_can_stand_anywhere() -> None:
    question = parse("after:2023-06 a beach camera:x100 at -in:work night")
    assert question.query == Query.of("a beach at night")
    wanted = (
        field_condition("after", "2023-06"),
        field_condition("camera", "x100"),
        Not(field_condition("in", "work")),
    )
    assert question.where == And(wanted)


def test_filters_alone_have_no_query() -> None:
    assert parse('in:"My Pictures"').query is None
    assert parse('in:"My Pictures"').where == field_condition("in", "My Pictures")


@pytest.mark.parametrize("line", ["tag:a or tag:b", "(tag:a or tag:b)", "( tag:a OR tag:b )", "((tag:a) or tag:b)"])
def test_or_joins_filters(line: str) -> None:
    assert parse(f"snow {line}").where == Or((field_condition("tag", "a"), field_condition("tag", "b")))


def test_brackets_group_filters() -> None:
    a, b, c = (field_condition("tag", name) for name in "abc")
    assert parse("tag:a tag:b or tag:c").where == And((a, Or((b, c))))
    assert parse("(tag:a tag:b) or tag:c").where == Or((And((a, b)), c))
    assert parse("-(tag:a or -tag:b)").where == Not(Or((a, Not(b))))
    assert parse("tag:a or tag:b or tag:c").where == Or((a, b, c))


@pytest.mark.parametrize(
    ("line", "place", "fault"),
    [
        ("beach +", 6, "Something must follow"),
        ("beach + tag:a", 6, "Something must follow"),
        ("a + + b", 4, "Two operators"),
        ('snow "dog', 5, "is not closed"),
        ("snow (tag:a", 5, "is not closed"),
        ("snow (tag:a dogs)", 12, "filters only"),
        ("snow (tag:a or)", 12, "must stand between"),
        ("snow after:party", 5, "not a date"),
        ("-people", 0, "what to avoid"),
        ("snow + 0:dogs", 7, "out of range"),
        ('snow + ""', 7, "text is empty"),
        ("snow + 1e99:dogs", 7, "out of range"),
        ("./a.jpg[0,0,0,9]", 0, "no area"),
        ("snow like:42#0", 5, "no frame 0"),
        ("snow ./a.tif#99999999", 5, "no frame 99999999"),
        ("(" * 60 + "tag:a" + ")" * 60, 40, "Too many nested"),
    ],
)  # fmt: skip
def test_errors_point_at_position(line: str, place: int, fault: str) -> None:
    with pytest.raises(QuerySyntax, match=fault) as caught:
        parse(line)
    assert caught.value.position == place
    shown, caret = str(caught.value).splitlines()[-2:]
    assert shown[caret.index("^") :] == line[place : place + 40]


def test_caret_aligns_below_wide_letters() -> None:
    with pytest.raises(QuerySyntax) as caught:
        parse('雪 "狗')
    assert str(caught.value).splitlines()[-2:] == ['  雪 "狗', "     ^"]


@pytest.mark.parametrize("line", ["", "  ", "\n"])
def test_empty_line_raises(line: str) -> None:
    with pytest.raises(InvalidQuery):
        parse(line)


@pytest.mark.parametrize("line", ["snow\0", "snow \udcff", "-\0 a\0"])
def test_invalid_text_raises(line: str) -> None:
    with pytest.raises(InvalidQuery):
        parse(line)


@given(st.text(max_size=60))
def test_any_text_parses_or_raises_invalid_query(line: str) -> None:
    try:
        parse(line)
    except InvalidQuery as exc:
        assert str(exc)


NASTY = st.text(st.sampled_from("a雪b +-:\"()[]#/~.\\0123'or \t"), min_size=1, max_size=12)
FRAMES = st.integers(0, 2**23 - 1)
SOURCES = st.one_of(
    st.one_of(st.text(min_size=1, max_size=20), NASTY, st.sampled_from(PROSE))
    .filter(lambda text: text.strip() and "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text))
    .map(TextInput),
    st.one_of(NASTY, st.sampled_from(["a.jpg", "/b/c.png", "~x", "a b[1,2,3,4]"])).map(
        lambda name: ImageInput(Path(name))
    ),
    st.builds(
        lambda name, box, percent, frame: ImageInput(
            Path(name), Crop(box[0], box[1], box[2], box[3], percent=percent), frame
        ),
        NASTY,
        st.tuples(*[st.floats(0.001, 1e7)] * 4),
        st.booleans(),
        FRAMES,
    ),
    st.builds(StoredInput, st.integers(0, 10**17), FRAMES),
)
WEIGHTS = st.one_of(st.sampled_from([1.0, 1.0, 2.0, 0.5]), st.floats(1e-6, 1e6))


@given(
    st.lists(st.tuples(SOURCES, WEIGHTS, st.booleans()), min_size=1, max_size=5),
    st.booleans(),
)
def test_written_query_parses_to_same_query(drawn: list[tuple[QueryInput, float, bool]], even: bool) -> None:
    parts = [Part(source, -weight if negative else weight) for source, weight, negative in drawn]
    if not any(part.weight > 0 for part in parts):
        parts.append(Part(TextInput("snow")))
    query = Query(tuple(parts))
    if even and all(isinstance(part.source, TextInput) for part in parts):
        words = [part.source.text for part in parts if isinstance(part.source, TextInput)]
        query = Query.of(words[:1], without=words[1:])
    assert parse(str(query)).query == query
    assert parse(str(query)).where is None


def test_extreme_weights_round_trip() -> None:
    heavy = tuple(Part(TextInput(text), 1e6) for text in ("a", "b", "c"))
    query = Query((*heavy, Part(TextInput("d"), -1)))
    assert parse(str(query)).query == query


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a dog cammera:x100", ["cammera"]),
        ("a dog -cammera:x100 befor:2023", ["befor", "cammera"]),
        ("note:this is a dog", []),
        ("http://example.org 3:30 a:b title: x", []),
        ("a dog camera: x100 -Tag:", ["camera", "tag"]),
        ("a dog camera:x100", []),
        ("a dog rating: -ISO: ", ["iso", "rating"]),  # what a shell leaves of rating:>=4 and -ISO:>800
        ("in the end: in: a dog", []),
    ],
)
def test_misspelt_filters_are_reported(line: str, fields: list[str]) -> None:
    assert sorted(str(note.data["field"]) for note in query_notices(line)) == fields


@pytest.mark.parametrize(
    ("line", "filters"),
    [
        ("a beach -people", ""),
        ('a beach year:2023 -tag:"my dog"', 'year:2023 -tag:"my dog"'),
        ('name:red* or name:blue* a "year:2020" beach -iso:800', "name:red* or name:blue* -iso:800"),
        ("dusk (year:2020 or (year:2021 camera:x))", "(year:2020 or (year:2021 camera:x))"),
    ],
)
def test_filter_text_returns_filters_as_typed(line: str, filters: str) -> None:
    assert filter_text(line) == filters
    assert (parse(filters).where if filters else None) == parse(line).where
