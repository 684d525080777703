"""Byte pairs are merged as by open_clip, and damaged tables are refused."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders.compiled.byte_pairs import BytePairs, write_byte_pairs

A, B, C, D = b"abcd"
AB, BC, ABC, ABCA, ABCD = range(1000, 1005)
LETTERS = [list(range(256)), list(range(256, 512))]


def table(folder: Path, merges: dict[tuple[int, int], tuple[int, int]]) -> BytePairs:
    file = folder / "tokenizer"
    write_byte_pairs(file, LETTERS, merges)
    return BytePairs(file)


def test_the_last_byte_of_a_word_has_a_token_of_its_own(tmp_path: Path) -> None:
    pairs = table(tmp_path, {})
    assert pairs(["ab", "", "é"]) == [A, 256 + B, 0xC3, 256 + 0xA9]


def test_pairs_of_the_lowest_rank_are_merged_first(tmp_path: Path) -> None:
    pairs = table(tmp_path, {(B, C): (0, BC), (A, B): (1, AB), (AB, C): (2, ABC), (A, BC): (3, ABC)})
    assert pairs(["abcd"]) == [ABC, 256 + D]
    assert pairs(["abd"]) == [AB, 256 + D]


def test_equal_pairs_are_merged_from_left_to_right_before_new_ones(tmp_path: Path) -> None:
    """Merging the first `a bc` makes a pair of a lower rank, `abc a`, which takes the second `a` only afterwards."""
    merges = {(B, C): (0, BC), (ABC, A): (1, ABCA), (A, BC): (2, ABC)}
    assert table(tmp_path, merges)(["abcabcd"]) == [ABC, ABC, 256 + D]
    assert table(tmp_path, {(A, A): (0, AB)})(["aaaab"]) == [AB, AB, 256 + B]
    assert table(tmp_path, {(A, A): (0, AB)})(["aaab"]) == [AB, A, 256 + B]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, BytePairs]:
    """Return the tokenizer of open_clip, and its table."""
    tokenizer = pytest.importorskip("open_clip").SimpleTokenizer()
    from encoders.compiled.tokenizer_export import export_tokenizer

    file = tmp_path_factory.mktemp("clip") / "tokenizer"
    export_tokenizer(tokenizer, 77, file)
    return tokenizer, BytePairs(file)


@settings(max_examples=200, deadline=None)
@given(word=st.text(st.sampled_from("abcdehlotnsri"), min_size=1, max_size=60))
def test_words_have_the_tokens_of_open_clip(word: str, clip: tuple[Any, BytePairs]) -> None:
    tokenizer, pairs = clip
    assert pairs([word]) == tokenizer.encode(word)


def test_a_very_long_word_takes_no_square_time(tmp_path: Path) -> None:
    pairs = table(tmp_path, {(A, B): (0, AB), (AB, AB): (1, ABC)})
    began = time.process_time()
    assert len(pairs(["ab" * 20_000 + "d"])) == 10_001
    assert time.process_time() - began < 20


@pytest.mark.parametrize("damage", ["empty", "short", "text", "unsorted", "other numbers"])
def test_a_damaged_table_is_refused(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer"
    write_byte_pairs(file, LETTERS, {(A, B): (0, AB), (B, C): (1, BC)})
    rows = np.load(file)
    if damage in ("empty", "text"):
        file.write_bytes(b"" if damage == "empty" else b"{}" * 5000)
    else:
        changed = {"short": rows[:100], "unsorted": rows[[*range(512), 513, 512]], "other numbers": rows.astype(float)}
        with file.open("wb") as out:
            np.save(out, changed[damage])
    with pytest.raises(ValueError, match=r"."):
        BytePairs(file)
