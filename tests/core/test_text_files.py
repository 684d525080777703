"""Texts in the encodings that editors and spreadsheets write."""

import codecs
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.text_files import decode_text, encoding_name, iterate_lines, text_encoding

MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
LINE = st.text(st.characters(exclude_characters="\n\r\0\ufeff", exclude_categories=["Cs"]), max_size=30)
SENTENCES = (
    "a dog on the beach",
    "пёс на пляже",
    "海滩上的狗\n一只猫",
    "كلب على الشاطئ",
    "समुद्र तट पर कुत्ता",
    "Käfer\r\nMaikäfer",
)


@given(st.lists(LINE, min_size=1), st.sampled_from(sorted(MARKS)), st.sampled_from(["\n", "\r\n"]))
@example(["a\u2028b", "c\x0bd", "e\x85f"], "utf-8", "\n")
@example(["\u0a0a", "\u0d0a"], "utf-16-le", "\r\n")
def test_marked_text_is_read_in_its_encoding(lines: list[str], encoding: str, end: str) -> None:
    text = end.join(lines) + end
    raw = MARKS[encoding] + text.encode(encoding)
    assert decode_text(raw) == text
    assert list(iterate_lines(io.BytesIO(raw))) == lines
    assert list(iterate_lines(io.BytesIO(raw.removesuffix(end.encode(encoding))))) == lines[: None if lines[-1] else -1]


@given(st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"])))
def test_utf8_without_a_mark_is_utf8(text: str) -> None:
    assert decode_text(text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", SENTENCES)
def test_utf16_without_a_mark_is_recognised_by_its_line_ends(text: str, encoding: str) -> None:
    raw = f"{text}\n2 {text}\n".encode(encoding)
    assert text_encoding(raw) == encoding
    assert list(iterate_lines(io.BytesIO(raw))) == f"{text}\n2 {text}".replace("\r", "").split("\n")


@pytest.mark.parametrize("raw", [b"abc.jpg\0abc.png\0", "Käf.jpg\0".encode(), b"some\0text", b"\0", b""])
def test_nul_between_names_is_not_taken_for_utf16(raw: bytes) -> None:
    assert text_encoding(raw) == "utf-8"


def test_joined_files_lose_every_mark() -> None:
    raw = codecs.BOM_UTF8 + b"one\n" + codecs.BOM_UTF8 + b"two\n"
    assert list(iterate_lines(io.BytesIO(raw))) == ["one", "two"]


def test_carriage_returns_end_lines_only_in_a_file_without_line_feeds() -> None:
    assert list(iterate_lines(io.BytesIO(b"one\rtwo\r"))) == ["one", "two"]
    assert list(iterate_lines(io.BytesIO(b"one\rtwo\nthree"))) == ["one\rtwo", "three"]


def test_lines_before_an_undecodable_one_are_yielded() -> None:
    lines = iterate_lines(io.BytesIO("one\ntwo\nKäfer\n".encode("latin-1")))
    assert [next(lines), next(lines)] == ["one", "two"]
    with pytest.raises(UnicodeDecodeError):
        next(lines)
    assert list(iterate_lines(io.BytesIO(b"K\xe4fer\n"), "surrogateescape")) == ["K\udce4fer"]
    with pytest.raises(UnicodeDecodeError):
        list(iterate_lines(io.BytesIO(codecs.BOM_UTF16_LE + b"a\0b")))


def test_encodings_have_usual_names() -> None:
    assert [encoding_name(name) for name in ("utf-8", "utf-16-le", "utf-32-be")] == ["UTF-8", "UTF-16", "UTF-32"]
