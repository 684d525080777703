"""Contours of maps, worked out by hand and compared with Pillow's polygons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from search.highlight.contours import MAX_POINTS, MAX_POLYGONS, Polygon, contour_polygons


def contours(mask: NDArray[np.bool_]) -> list[Polygon]:
    return contour_polygons(mask.astype(np.float32), 0.5, mask)


def filled(polygons: list[Polygon], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of a picture of `size` that an odd number of polygons contain."""
    total = np.zeros((size[1], size[0]), dtype=np.int64)
    for polygon in polygons:
        drawn = Image.new("1", size)
        ImageDraw.Draw(drawn).polygon([(x * size[0] - 0.5, y * size[1] - 0.5) for x, y in polygon], fill=1)
        total += np.asarray(drawn)
    return np.asarray(total % 2 == 1)


def test_contour_of_a_rectangle_worked_out_by_hand() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[2:6, 5:15] = True
    (polygon,) = contours(mask)
    across, down = zip(*polygon, strict=True)
    # Halfway between the middles of the pixels inside and outside lies the edge of the rectangle.
    assert (min(across), max(across), min(down), max(down)) == pytest.approx((5 / 20, 15 / 20, 2 / 10, 6 / 10))
    assert 4 <= len(polygon) <= 8  # the corners are cut


def test_crossings_are_interpolated() -> None:
    values = np.tile(np.array([0, 0.2, 0.6, 1, 1], np.float32), (5, 1))
    (polygon,) = contour_polygons(values, 0.5, values >= 0.5)
    # Three quarters of the way from the middle of the second pixel to that of the third.
    assert min(x for x, _ in polygon) == pytest.approx((1.5 + 0.75) / 5, abs=1e-3)
    assert max(x for x, _ in polygon) == pytest.approx(1, abs=0.05)


def test_hole_is_a_contour_of_its_own_and_the_largest_comes_first() -> None:
    mask = np.zeros((100, 100), np.bool_)
    mask[10:70, 10:70] = True
    mask[30:50, 30:50] = False
    mask[80:95, 80:95] = True
    polygons = contours(mask)
    assert len(polygons) == 3
    wrong = filled(polygons, (100, 100)) != mask
    assert wrong.mean() < 0.02


def test_contours_of_a_large_map_are_those_of_the_map() -> None:
    rows, columns = np.mgrid[:600, :900]
    distance = np.hypot(columns - 300, rows - 250)
    values = np.clip(1.5 - distance / 200, 0, 1).astype(np.float32)
    (polygon,) = contour_polygons(values, 0.5, values >= 0.5)
    radii = [np.hypot(x * 900 - 300, y * 600 - 250) for x, y in polygon]
    assert np.ptp(radii) < 8
    assert np.mean(radii) == pytest.approx(200, abs=4)
    assert len(polygon) < 60


def test_nothing_inside_has_no_contour_and_everything_has_the_frame() -> None:
    assert contours(np.zeros((4, 4), np.bool_)) == []
    (polygon,) = contours(np.ones((4, 6), np.bool_))
    assert {min(x for x, _ in polygon), min(y for _, y in polygon)} == {0.0}
    assert {max(x for x, _ in polygon), max(y for _, y in polygon)} == {1.0}
    (dot,) = contours(np.ones((1, 1), np.bool_))
    assert len(dot) >= 4


def test_noise_has_bounded_contours() -> None:
    mask = np.random.default_rng(0).random((1024, 1024)) < 0.5
    blocks = np.kron(np.random.default_rng(1).random((96, 96)) < 0.5, np.ones((8, 8))).astype(np.bool_)
    for noise in (mask, blocks):
        polygons = contours(noise)
        assert len(polygons) <= MAX_POLYGONS
        assert all(len(polygon) <= MAX_POINTS for polygon in polygons)


@settings(deadline=None, max_examples=50)
@given(arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(0, 1, width=32)))
def test_every_map_has_closed_contours_within_it(values: NDArray[np.float32]) -> None:
    polygons = contour_polygons(values, 0.5, values >= 0.5)
    assert bool(polygons) == bool((values >= 0.5).any())
    assert all(0 <= side <= 1 for polygon in polygons for corner in polygon for side in corner)
