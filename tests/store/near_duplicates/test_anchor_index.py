"""The index of anchors finds the pairs that comparing all bits of all pairs finds, and groups stay the same."""

from collections.abc import Callable

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.near_duplicates import anchor_index
from store.near_duplicates.anchor_index import AnchorIndex, NearAnchors
from store.near_duplicates.grouper import BLOCK_SIZE, MAX_ANCHORS_TRIED, DuplicateGrouper, DuplicateThresholds

THRESHOLDS = DuplicateThresholds()


def hashes(seed: int, number: int, spread: int) -> NDArray[np.uint8]:
    """Hashes (number, 32) around a few centres, each with up to `spread` bits changed."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (5, 256), np.uint8)[rng.integers(0, 5, number)]
    for row in range(number):
        bits[row, rng.choice(256, rng.integers(0, spread + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1_000), st.integers(0, 60), st.integers(1, 40), st.sampled_from([0, 12, 30, 60]))
def test_all_pairs_within_a_distance_are_found(seed: int, anchors: int, pictures: int, spread: int) -> None:
    stored, asked = hashes(seed, anchors, spread), hashes(seed, pictures, spread)
    index = AnchorIndex(32)
    for start in range(0, anchors, 7):  # the array grows
        index.add(stored[start : start + 7])
    distances = np.bitwise_count(asked[:, None] ^ stored[None]).sum(axis=2, dtype=np.int64)
    for reach in (0, 24, 40, 256):
        found = index.within(asked, reach)
        pairs = sorted(zip(found.pictures.tolist(), found.rows.tolist(), found.distances.tolist(), strict=True))
        expected = [
            (int(one), int(other), int(distances[one, other])) for one, other in np.argwhere(distances <= reach)
        ]
        assert pairs == expected
        assert (np.diff(found.pictures) >= 0).all()


def test_bits_that_differ_in_one_half_only_are_counted() -> None:
    index = AnchorIndex(32)
    first, second = np.zeros((1, 32), np.uint8), np.zeros((1, 32), np.uint8)
    first[0, :5], second[0, 27:] = 255, 255  # 40 bits in the first half, 40 in the second
    index.add(np.concatenate([first, second]))
    found = index.within(np.zeros((1, 32), np.uint8), 40)
    assert (found.rows.tolist(), found.distances.tolist()) == ([0, 1], [40, 40])
    assert len(index.within(np.zeros((1, 32), np.uint8), 39).rows) == 0


def test_few_pictures_are_searched_at_a_time_where_many_pairs_are_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchor_index, "MAX_PAIRS", 50)
    stored, asked = hashes(1, 60, 30), hashes(1, 40, 30)
    index = AnchorIndex(32)
    index.add(stored)
    distances = np.bitwise_count(asked[:, None] ^ stored[None]).sum(axis=2, dtype=np.int64)
    for _ in range(2):  # the second time, it is known how many pairs there are
        found = index.within(asked, 40)
        assert np.array_equal(np.stack([found.pictures, found.rows]), _sorted(found, np.argwhere(distances <= 40)))
        assert np.array_equal(found.distances, distances[found.pictures, found.rows])
    assert index.within(asked[:0], 40).rows.shape == (0,)


def _sorted(found: NearAnchors, pairs: Ids) -> Ids:
    """Return pairs (m, 2) as two rows, in the order of `found`; they must be the same."""
    order = np.lexsort((found.rows, found.pictures))
    arranged = np.empty_like(pairs.T)
    arranged[:, order] = pairs.T
    return arranged


def test_pages_of_one_layout_are_told_apart_by_half_of_their_bits() -> None:
    """Their bits of low frequencies are equal, which are in the first half."""
    bits = np.random.default_rng(0).integers(0, 256, (1000, 32), np.uint8)
    bits[:, :16:2] = 7
    index = AnchorIndex(32)
    index.add(bits)
    index.within(bits[:100], 40)
    assert index._pairs_each is not None
    assert index._pairs_each < 100


class EveryAnchor(DuplicateGrouper):
    """Compares every picture with all bits of every anchor, which are sorted, the best first."""

    def closest(self, bits: NDArray[np.uint8]) -> tuple[NDArray[np.int32], Ids]:
        index = faiss.IndexBinaryFlat(256)
        index.add(self._index._bits[: len(self._anchors)].copy())
        reach = max(self._thresholds.certain_bits, self._thresholds.max_bits)
        limits, distances, rows = index.range_search(bits, reach + 1)
        picture = np.repeat(np.arange(len(bits)), np.diff(limits.astype(np.int64)))
        order = np.lexsort((rows, distances, picture))
        rank = np.arange(len(rows)) - limits.astype(np.int64)[picture]
        kept = rank < MAX_ANCHORS_TRIED
        closest = np.full((len(bits), MAX_ANCHORS_TRIED), reach + 1, np.int32)
        closest_rows = np.zeros((len(bits), MAX_ANCHORS_TRIED), np.int64)
        cells = picture[kept], rank[kept]
        closest[cells], closest_rows[cells] = distances[order][kept], rows[order][kept]
        return closest, closest_rows


def grouped(make: Callable[..., DuplicateGrouper], seed: int, spread: int, *, by_id: bool) -> list[int]:
    """Group 300 pictures in blocks, after 60 anchors that are given sorted or by ID."""
    rng = np.random.default_rng(seed)
    bits = hashes(seed, 360, spread)
    ids = rng.permutation(np.arange(1, 361))
    unit = rng.normal(size=(361, 3)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    anchors = ids[:60]
    place = {int(anchor): number for number, anchor in enumerate(anchors)}  # the best first
    order = np.argsort(anchors) if by_id else np.arange(60)

    def best_first(some: Ids) -> Ids:
        return np.array(sorted(some.tolist(), key=place.__getitem__), np.int64)

    grouper = make(
        THRESHOLDS, lambda some: unit[some], anchors[order], bits[:60][order], None, best_first if by_id else None
    )
    return [
        anchor
        for start in range(60, 360, 50)
        for anchor in grouper.assign(ids[start : start + 50], bits[start : start + 50]).tolist()
    ]


@pytest.mark.parametrize("spread", [0, 3, 12, 20, 40])
@pytest.mark.parametrize("seed", range(6))
def test_groups_are_those_of_comparing_with_every_anchor(seed: int, spread: int) -> None:
    """Many anchors are equally close: their order decides, and it does not depend on that of loading."""
    expected = grouped(EveryAnchor, seed, spread, by_id=False)
    assert grouped(DuplicateGrouper, seed, spread, by_id=False) == expected
    assert grouped(DuplicateGrouper, seed, spread, by_id=True) == expected
    assert BLOCK_SIZE >= 50


def test_anchors_that_were_forgotten_in_between_are_the_last_choice() -> None:
    """Another process may forget contents after the anchors were read. Their groups are then compared again."""
    bits = np.zeros((4, 32), np.uint8)
    unit = np.ones((9, 1), np.float32)

    def assigned(*present: int) -> list[int]:
        grouper = DuplicateGrouper(
            THRESHOLDS,
            lambda some: unit[some],
            np.array([5, 6, 7]),
            bits[:3],
            None,
            lambda _: np.array(present, np.int64),
        )
        return [int(anchor) for anchor in grouper.assign(np.array([8]), bits[3:])]

    assert assigned(6, 5, 7) == [6]
    assert assigned(7, 6) == [7]
    assert assigned(6) == [6]
    assert assigned() == [5]
