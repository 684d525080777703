"""Which texts in pictures compare as equal, and where a part or a pattern is found among lines."""

import pytest

from store.catalog.text_comparison import (
    ExactLine,
    TextPattern,
    comparable,
    contains_word,
    join_lines,
    split_words,
)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("PLATFORM", "platform"),
        ("Straße", "STRASSE"),
        ("Příliš žluťoučký", "prilis zlutoucky"),
        ("café", "cafe\u0301"),
        ("Ｐｌａｔｆｏｒｍ　９", "platform 9"),
        ("第九 站台", "第九站台"),
        ("出口：Ａ", "出口:a"),
        ("a\tb\n c", "a b c"),
    ],
)
def test_case_accents_width_and_blanks_are_ignored(text: str, other: str) -> None:
    assert comparable(text) == comparable(other)


@pytest.mark.parametrize(("text", "other"), [("がく", "かく"), ("1 2", "12"), ("a b", "ab"), ("한국", "한구")])
def test_other_differences_count(text: str, other: str) -> None:
    assert comparable(text) != comparable(other)


def test_the_comparable_form_is_final() -> None:
    for text in ("Straße", "ﬁn", "第九 站台 A", "İstanbul", "½ ℃", "ｶﾞ"):
        assert comparable(comparable(text)) == comparable(text)


def test_lines_are_joined_by_a_blank_except_between_characters_of_chinese() -> None:
    assert join_lines(["platform", "9", "第九", "站台", ""]) == ("platform 9 第九站台", [0, 9, 11, 13, 15])


LINES = ["platform", "9 kings cross", "mind the gap", "第九", "站台"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*platform 9*", [0, 1]),
        ("*Platform*", [0]),
        ("*form*", [0]),
        ("*cross mind the gap*", [1, 2]),
        ("*第九站台*", [3, 4]),
        ("*gap 第九*", [2, 3]),
        ("*platform 8*", []),
        ("mind*", [2]),
        ("*gap", [2]),
        ("?*kings*", [1]),
        ("*kings*gap*", []),  # a pattern is one of a whole line
        ("**", [0, 1, 2, 3, 4]),
    ],
)
def test_parts_are_found_across_lines_and_patterns_within_them(pattern: str, found: list[int]) -> None:
    assert TextPattern.like(pattern).find(LINES) == found


@pytest.mark.parametrize("pattern", ["*platform 9*", "mind*", "?*kings*", "*第九站台*", "*gap"])
def test_the_pieces_of_a_pattern_are_in_the_text_where_it_is_found(pattern: str) -> None:
    text, _ = join_lines(LINES)
    assert all(piece in text for piece in TextPattern.like(pattern).pieces)


def test_an_exact_line_has_no_patterns() -> None:
    assert ExactLine(line="what?").find(["what?", "whats"]) == [0]


def test_words_of_chinese_are_sequences_of_three() -> None:
    assert split_words("A sign that says Platform-9, a sign!") == ["a", "sign", "that", "says", "platform", "9"]
    assert split_words("写着第九站台 出口 exit") == ["写着第", "着第九", "第九站", "九站台", "站台出", "台出口", "exit"]


@pytest.mark.parametrize(
    ("text", "word", "contains"),
    [
        ("platform 9", "9", True),
        ("platform 9a", "9", False),
        ("platforms", "platform", False),
        ("mind-the-gap", "the", True),
        ("第9站台", "9", True),
        ("第九站台出口", "站台出", True),
    ],
)
def test_words_are_whole(text: str, word: str, contains: bool) -> None:
    assert contains_word(text, word) is contains
