"""The order of an album after pictures of a snapshot were added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.backup.album_order import merged_order

ORDER = st.lists(st.integers(1, 12), unique=True)


@pytest.mark.parametrize(
    ("order", "added", "merged"),
    [
        ([], [3, 1, 2], [3, 1, 2]),
        ([1, 2], [], [1, 2]),
        ([2, 4], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([7, 2, 4], [1, 2, 3, 4, 5], [1, 7, 2, 3, 4, 5]),
        ([4, 2], [2, 3, 4], [4, 2, 3]),
        ([9], [1, 2], [1, 2, 9]),
    ],
)
def test_pictures_are_put_behind_those_they_follow(order: list[int], added: list[int], merged: list[int]) -> None:
    assert merged_order(order, added) == merged


@given(ORDER, ORDER)
def test_merging_keeps_the_order_and_adds_each_picture_once(order: list[int], added: list[int]) -> None:
    merged = merged_order(order, added)
    assert sorted(merged) == sorted({*order, *added})
    assert [each for each in merged if each in order] == order
    assert merged_order(merged, added) == merged
