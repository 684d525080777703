"""Inverted lists: codes of the rows that stay are copied, and are those that encoding again would give."""

from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from store.spaces.inverted_lists import InvertedLists, number_of_lists

N, DIM, LISTS = 500, 14, 16


@pytest.fixture
def vectors() -> NDArray[np.float32]:
    raw = np.random.default_rng(0).normal(size=(N, DIM))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


def entries(lists: InvertedLists) -> set[tuple[int, int, bytes]]:
    """The list, the row and the code of each vector."""
    index, found = lists._index, set()
    for number in range(lists.lists):
        length = index.invlists.list_size(number)
        if length:
            ids = faiss.rev_swig_ptr(index.invlists.get_ids(number), length)
            codes = faiss.rev_swig_ptr(index.invlists.get_codes(number), length * index.code_size)
            rows = codes.reshape(length, -1)
            found |= {(number, int(row), code.tobytes()) for row, code in zip(ids, rows, strict=True)}
    return found


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9, 1.0])
def test_copied_codes_are_those_of_encoding_again(
    vectors: NDArray[np.float32], tmp_path: Path, share: float, mapped: bool
) -> None:
    lists = InvertedLists.trained(vectors, LISTS)
    lists.add(vectors)
    if mapped:
        lists.write(tmp_path / "a.lists")
        lists = InvertedLists.read(tmp_path / "a.lists")
    kept = np.random.default_rng(1).random(N) < share
    copied, again = lists.only(kept), lists.emptied()
    assert len(copied) == kept.sum()
    more = vectors[::7][:, ::-1].copy()
    for each in (copied, again):
        if each is again and kept.any():
            each.add(vectors[kept])
        each.add(more)
    assert len(copied) == len(again) == kept.sum() + len(more)
    assert entries(copied) == entries(again)
    assert len(entries(copied)) == len(copied)
    np.testing.assert_array_equal(copied.propose(vectors[:5], 20, 16, None), again.propose(vectors[:5], 20, 16, None))
    copied.write(tmp_path / "b.lists")
    assert entries(InvertedLists.read(tmp_path / "b.lists")) == entries(again)
    assert len(lists) == N


@pytest.mark.parametrize(
    ("vectors_number", "expected"), [(0, 1), (39, 1), (100, 2), (200_000, 2048), (1_000_000, 4096), (10**8, 16_384)]
)
def test_number_of_lists(vectors_number: int, expected: int) -> None:
    assert number_of_lists(vectors_number) == expected
