"""Tables by band find exactly the pairs that comparing all bits of all pairs finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from store.near_duplicates import anchor_index, hash_bands
from store.near_duplicates.anchor_index import AnchorIndex
from store.near_duplicates.hash_bands import HashBands, _reaches, differing_bits


def realistic(seed: int, number: int) -> NDArray[np.uint8]:
    """Hashes (number, 32): unrelated ones, bursts, pages of one layout, equal ones, and black and white."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (number, 256), np.uint8)
    kind = rng.integers(0, 6, number)
    layout = rng.integers(0, 2, 256, np.uint8)
    for row in range(number):
        if kind[row] == 1 and row:  # the next of a burst
            bits[row] = bits[row - 1] ^ (rng.random(256) < rng.uniform(0, 0.2))
        elif kind[row] == 2:  # a page
            bits[row] = layout ^ (rng.random(256) < rng.uniform(0, 0.2))
        elif kind[row] == 3 and row:
            bits[row] = bits[rng.integers(0, row)]
        elif kind[row] == 4 and rng.random() < 0.3:
            bits[row] = rng.integers(0, 2)
    return np.packbits(bits, axis=1)


def pairs(pictures: NDArray[np.int64], rows: NDArray[np.int64], distances: NDArray[np.int32]) -> list[tuple[int, ...]]:
    return sorted(zip(pictures.tolist(), rows.tolist(), distances.tolist(), strict=True))


def expected(asked: NDArray[np.uint8], stored: NDArray[np.uint8], distance: int) -> list[tuple[int, ...]]:
    all_distances = np.bitwise_count(asked[:, None] ^ stored[None]).sum(axis=2, dtype=np.int64)
    return [
        (int(one), int(other), int(all_distances[one, other])) for one, other in np.argwhere(all_distances <= distance)
    ]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000),
    st.integers(0, 300),
    st.integers(0, 150),
    st.sampled_from([0, 3, 24, 40, 47, 60]),
    st.sampled_from([11, 13, 16]),
)
def test_all_pairs_within_the_distance_are_found(
    seed: int, stored_number: int, asked_number: int, distance: int, width: int
) -> None:
    every = realistic(seed, stored_number + asked_number)
    stored, asked = every[:stored_number], every[stored_number:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_bands, "MAX_SHARE", 1e9)
        patch.setattr(hash_bands, "MAX_BAND_BITS", width)
        patch.setattr(hash_bands, "LISTED_PAIRS", 50)
        bands = HashBands(stored, distance)
        found, costly = bands.within(asked)
    assert pairs(*found) == expected(asked, stored, distance)
    assert len(costly) == 0


@pytest.mark.parametrize("place", range(0, 256, 9))
def test_bits_that_differ_together_anywhere_are_counted(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty bits in a row, all of few bands, and the same with 41."""
    monkeypatch.setattr(hash_bands, "MAX_SHARE", 1e9)
    stored = realistic(3, 20)
    bits = np.unpackbits(stored[:1], axis=1)
    bits[0, np.arange(place, place + 40) % 256] ^= 1
    near = np.packbits(bits, axis=1)
    bits[0, (place + 40) % 256] ^= 1
    far = np.packbits(bits, axis=1)
    (pictures, rows, distances), _ = HashBands(stored, 40).within(np.concatenate([near, far]))
    assert (0, 0, 40) in pairs(pictures, rows, distances)
    assert not (pictures == 1)[rows == 0].any()


@given(st.lists(st.integers(1, 26), min_size=1, max_size=40), st.integers(0, 60))
def test_hashes_beyond_all_reaches_are_too_far(widths: list[int], distance: int) -> None:
    reaches = _reaches(widths, distance)
    assert len(reaches) == len(widths)
    reachable = [reach for reach, width in zip(reaches, widths, strict=True) if reach == width]
    assert reachable or sum(reach + 1 for reach in reaches) == distance + 1


def test_a_picture_with_too_many_candidates_is_not_looked_up() -> None:
    stored = realistic(1, 1000)
    stored[:400] = stored[0]
    bands = HashBands(stored, 40)
    asked = np.concatenate([stored[:1], np.random.default_rng(7).integers(0, 256, (2, 32), np.uint8)])
    (pictures, _, _), costly = bands.within(asked)
    assert 0 in costly
    assert 0 not in pictures


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 400), st.sampled_from([24, 40]), st.integers(1, 90))
def test_an_index_with_tables_finds_what_one_without_finds(seed: int, number: int, distance: int, step: int) -> None:
    """Anchors are added in parts, so that the tables lack some, and some pictures are not looked up."""
    stored, asked = realistic(seed, number), realistic(seed, number + 40)[number:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anchor_index, "MIN_LOOKED_UP", 20)
        patch.setattr(hash_bands, "MAX_BAND_BITS", 16)
        index = AnchorIndex(32, distance, searches=5_000)
        for start in range(0, number, step):
            index.add(stored[start : start + step])
            found = index.within(asked, distance)
            assert pairs(*found) == expected(asked, stored[: start + step], distance)
            assert (np.diff(found.pictures) >= 0).all()
        assert pairs(*index.within(asked, 60)) == expected(asked, stored, 60)
        assert index.within(asked[:0], distance).rows.shape == (0,)
    assert (index._bands is not None) == (number >= 20)


@pytest.mark.parametrize(("anchors", "searches"), [(10, 5_000), (40, 10)])
def test_tables_are_not_made_where_they_do_not_pay(
    anchors: int, searches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchor_index, "MIN_LOOKED_UP", 20)
    index = AnchorIndex(32, 40, searches)
    index.add(realistic(0, anchors))
    index.within(realistic(1, 3), 40)
    assert index._bands is None


def test_tables_are_made_again_when_many_anchors_are_not_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchor_index, "MIN_LOOKED_UP", 20)
    index, bits, sizes = AnchorIndex(32, 40, 5_000), realistic(0, 200), []
    for start in range(0, 200, 5):
        index.add(bits[start : start + 5])
        index.within(bits[:1], 40)
        sizes.append(0 if index._bands is None else len(index._bands))
    assert sizes[3] == 20
    assert sizes[-1] >= 200 * 15 / 16
    assert len(set(sizes)) < 40
    assert index._halves[0].ntotal == sizes[-1]


def test_differing_bits_of_hashes_of_any_length() -> None:
    one, other = np.zeros((2, 32), np.uint8), np.full((2, 32), 255, np.uint8)
    rows = np.array([0, 1])
    assert differing_bits(one, rows, other, rows).tolist() == [256, 256]
    assert differing_bits(one[:, :16].copy(), rows, other[:, :16].copy(), rows).tolist() == [128, 128]
