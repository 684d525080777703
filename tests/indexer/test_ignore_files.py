"""Ignore files in the encodings of Windows."""

import codecs

import pytest

from indexer.ignore import parse_ignore_file


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_ignore_file_may_be_in_another_encoding(encoding: str) -> None:
    rules = parse_ignore_file("# Kommentar\r\nKäfer/\r\n*.tmp.jpg\r\n".encode(encoding), "")
    assert rules.verdict("Käfer", is_folder=True)
    assert rules.verdict("a.tmp.jpg", is_folder=False)
    assert rules.verdict("a.jpg", is_folder=False) is None


def test_damaged_ignore_file_keeps_its_readable_lines() -> None:
    rules = parse_ignore_file(codecs.BOM_UTF16_LE + "old/\n".encode("utf-16-le") + b"x", "")
    assert rules.verdict("old", is_folder=True)
