"""Regions, thresholds and run lengths, compared with scikit-image and pycocotools, and worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as coco
from skimage.filters import threshold_otsu
from skimage.measure import label as reference_label

from search.highlight.regions import (
    compress_counts,
    encode_rle,
    find_regions,
    label_regions,
    otsu_threshold,
    run_lengths,
)

# pycocotools asks NumPy for its arrays as NumPy 1 wanted it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


@settings(deadline=None)
@given(masks)
def test_labels_equal_scikit_image(mask: NDArray[np.bool_]) -> None:
    labels, count = label_regions(mask)
    expected, expected_count = reference_label(mask, connectivity=2, return_num=True)
    assert count == expected_count
    np.testing.assert_array_equal(labels, expected)


def test_a_spiral_is_one_region() -> None:
    rows = (
        "#########",
        "........#",
        "#######.#",
        "#.....#.#",
        "#.###.#.#",
        "#.#...#.#",
        "#.#####.#",
        "#.......#",
        "#########",
    )
    mask = np.array([[sign == "#" for sign in row] for row in rows])
    assert label_regions(mask)[1] == 1


@settings(deadline=None)
@given(masks)
def test_pycocotools_decodes_the_masks(mask: NDArray[np.bool_]) -> None:
    written = encode_rle(mask)
    np.testing.assert_array_equal(coco.decode(written), mask)
    assert written["counts"] == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    height, width = mask.shape
    plain = coco.frPyObjects({"size": [height, width], "counts": run_lengths(mask)}, height, width)
    np.testing.assert_array_equal(coco.decode(plain), mask)
    assert coco.area(written) == mask.sum()


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**24 - 1), min_size=1, max_size=20))
def test_long_runs_equal_the_coco_encoding(counts: list[int]) -> None:
    """pycocotools has room for 6 characters of 5 bits for each count, and writes beyond it for longer runs."""
    size = sum(counts)
    expected = coco.frPyObjects({"size": [1, size], "counts": counts}, 1, size)["counts"]
    assert compress_counts(counts).encode() == expected


def decompressed(text: str) -> list[int]:
    """By the definition: groups of 5 bits, the lowest first; after three counts, the difference to the last but one."""
    counts: list[int] = []
    value = bits = 0
    for character in text:
        group = ord(character) - 48
        value |= (group & 31) << bits
        bits += 5
        if not group & 32:  # the last group has the sign
            value -= (group & 16) << (bits - 4)
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = bits = 0
    return counts


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
def test_runs_of_any_length_can_be_read_back(counts: list[int]) -> None:
    assert decompressed(compress_counts(counts)) == counts


@pytest.mark.parametrize(
    ("rows", "counts"), [(["00", "00"], [4]), (["11", "11"], [0, 4]), (["01", "11"], [1, 3]), (["010"], [1, 1, 1])]
)
def test_run_lengths_worked_out_by_hand(rows: list[str], counts: list[int]) -> None:
    assert run_lengths(np.array([[sign == "1" for sign in row] for row in rows])) == counts


def test_boxes_areas_and_peaks_worked_out_by_hand() -> None:
    values = np.zeros((40, 60), np.float32)
    values[5:15, 10:30] = 0.6
    values[12, 25] = 0.7
    values[30:34, 0:5] = 0.9
    values[20, 50] = 1.0  # a speck: 1 of 2,400 pixels
    mask, (first, second) = find_regions(values, 0.5)
    assert (first.box, first.area, first.peak) == ((0, 30, 5, 4), 20, (2, 31))
    assert [first.score, second.score] == pytest.approx([0.9, 0.7])
    assert (second.box, second.area, second.peak) == ((10, 5, 20, 10), 200, (25, 12))
    assert mask.sum() == 220
    assert not mask[20, 50]


def drawn(rows: tuple[str, ...], scale: int) -> NDArray[np.float32]:
    """Return a map with the value 1 where a row has #, each sign enlarged to a square of `scale` pixels."""
    mask = np.array([[sign == "#" for sign in row] for row in rows])
    return np.kron(mask, np.ones((scale, scale))).astype(np.float32)


@pytest.mark.parametrize(
    ("rows", "deepest"),
    [
        (("#####", "#...#", "#...#", "#####"), None),  # the centre of the box is in the hole
        (("##...", "#....", "#....", "#####"), None),
        (("###...##", "########", "###...##"), (1, 1)),  # two things with a bridge: the larger one
        ((".###.", "#####", "#####", ".###."), None),
        (("#",), (0, 0)),
    ],
)
def test_peak_lies_inside_the_region(rows: tuple[str, ...], deepest: tuple[int, int] | None) -> None:
    values = drawn(rows, 20)
    _, (only,) = find_regions(values, 0.5)
    column, row = only.peak
    around = values[max(0, row - 6) : row + 7, max(0, column - 6) : column + 7]
    assert around.shape == (13, 13)  # not at the edge of the picture
    assert around.min() == 1  # nor at the edge of the region
    if deepest is not None:
        assert (row // 20, column // 20) == deepest


def test_peak_is_the_highest_point_where_it_stands_out() -> None:
    values = drawn(("######", "######", "######"), 20) * 0.6
    values[3, 110] = 0.9  # near the edge, and much higher than the middle
    assert find_regions(values, 0.5)[1][0].peak == (110, 3)


@settings(deadline=None, max_examples=50)
@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(0, 1, width=32)))
def test_every_peak_is_in_its_region(values: NDArray[np.float32]) -> None:
    labels, _ = label_regions(values >= 0.5)
    _, regions = find_regions(values, 0.5)
    for region in regions:
        column, row = region.peak
        own = labels == labels[row, column]
        assert labels[row, column] > 0
        assert (own.sum(), values[own].max()) == (region.area, pytest.approx(region.score))
        assert values[row, column] >= region.score - 0.0201


def test_a_small_region_is_kept_if_it_is_the_only_one() -> None:
    values = np.zeros((100, 100), np.float32)
    values[7, 9] = 1
    mask, (only,) = find_regions(values, 0.5)
    assert (only.box, only.peak, mask.sum()) == ((9, 7, 1, 1), (9, 7), 1)


def test_no_value_above_the_threshold_gives_no_region() -> None:
    mask, regions = find_regions(np.full((4, 4), 0.4, np.float32), 0.5)
    assert regions == ()
    assert not mask.any()


def test_otsu_equals_scikit_image() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.2, 0.05, 4000), rng.normal(0.7, 0.1, 1000)]).clip(0, 1).astype(np.float32)
    # Theirs is the middle of the last bin below, and their bins reach from the least to the greatest value.
    assert otsu_threshold(values) == pytest.approx(threshold_otsu(values, nbins=256), abs=1.5 / 256)
    assert 0 <= otsu_threshold(np.zeros(10, np.float32)) <= 1
