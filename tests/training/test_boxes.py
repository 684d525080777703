"""Boxes on photos, and the pointing game on them with pointers whose maps are written by hand."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.boxes import LARGEST, SMALLEST, Box, Boxes, PointedName, box_mask, point_at, read_boxes, table

ALL_BOXES = [
    pytest.param(boxes, id=f"{photo}-{name}")
    for photos in read_boxes().values()
    for photo, names in photos.items()
    for name, boxes in names.items()
]
BOXES: Boxes = {
    "one.png": {"ball": [(0.5, 0.0, 1.0, 0.5)], "dog": [(0.0, 0.0, 0.2, 0.2), (0.1, 0.1, 0.3, 0.3)]},
    "two.png": {"cat": [(0.0, 0.5, 0.5, 1.0)]},
}
PHOTOS = [("one.png", Image.new("RGB", (40, 20))), ("two.png", Image.new("RGB", (20, 40)))]


class HandWritten:
    """Maps of 2 x 2 patches by the name: (row, column, value) of the only patch that is not zero."""

    def __init__(self, **places: tuple[int, int, float]) -> None:
        self.places = places

    def __call__(self, _image: Image.Image, prompts: Sequence[str]) -> NDArray[np.float32]:
        maps = np.zeros((len(prompts), 2, 2), np.float32)
        for grid, prompt in zip(maps, prompts, strict=True):
            row, column, value = self.places[prompt]
            grid[row, column] = value
        return maps


# The middles of the four patches are at a quarter and at three quarters of each side.
POINTER = HandWritten(ball=(0, 1, 0.3), dog=(0, 0, 0.3), cat=(1, 1, 0.3))
HIGHLIGHTER = HandWritten(ball=(0, 0, 0.5), dog=(0, 0, 0.4), cat=(0, 0, 0.6))


def test_all_photos_are_named_once_and_in_order() -> None:
    for photos in read_boxes().values():
        assert list(photos) == sorted(photos)
        assert all(1 <= len(names) <= 2 and list(names) == sorted(names) for names in photos.values())


def test_names_are_lower_case_words() -> None:
    names = {name for photos in read_boxes().values() for drawn in photos.values() for name in drawn}
    assert [name for name in names if not re.fullmatch("[a-z]+", name)] == []


@pytest.mark.parametrize("boxes", ALL_BOXES)
def test_boxes_lie_in_the_photo_and_cover_two_to_fifty_percent(boxes: Sequence[Box]) -> None:
    assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in boxes)
    assert SMALLEST <= box_mask(boxes).mean() <= LARGEST


def test_overlapping_boxes_are_counted_once() -> None:
    mask = box_mask([(0.0, 0.0, 0.2, 0.2), (0.1, 0.1, 0.3, 0.3)])
    assert mask.mean() == pytest.approx(0.04 + 0.04 - 0.01)
    assert mask[299, 299] and not mask[300, 300] and not mask[50, 250]


def test_names_are_hit_where_the_middle_of_the_best_patch_is_in_a_box() -> None:
    assert list(point_at(PHOTOS, BOXES, POINTER, HIGHLIGHTER)) == [
        PointedName("one.png", "ball", 0.25, is_hit=True, is_found=True),
        PointedName("one.png", "dog", 0.07, is_hit=True, is_found=False),
        PointedName("two.png", "cat", 0.25, is_hit=False, is_found=True),
    ]


def test_the_table_has_the_rates_of_all_names_and_of_small_boxes() -> None:
    """Two of three hits; resamples of the two photos have rates of 1, 2 / 3 or 0. Covered: (0.25 + 0.07 + 0.25) / 3."""
    rows = list(table({"both": list(point_at(PHOTOS, BOXES, POINTER, HIGHLIGHTER))}))
    assert rows[2:] == [
        "| both | 2% to 50% | 2 | 3 | 0.667 (0.000-1.000) | 0.190 | 0.667 |",
        "| both | 2% to 20% | 1 | 1 | 1.000 (1.000-1.000) | 0.070 | 0.000 |",
    ]


def test_a_table_leaves_out_rows_without_names() -> None:
    rows = list(table({"none": [], "large": [PointedName("one.png", "ball", 0.25, is_hit=True, is_found=True)]}))
    assert rows[2:] == ["| large | 2% to 50% | 1 | 1 | 1.000 (1.000-1.000) | 0.250 | 1.000 |"]
