"""Random boxes."""

import numpy as np

from training.views import random_boxes


def test_crop_boxes_are_within_the_picture_and_their_bounds() -> None:
    boxes = random_boxes(np.random.default_rng(0), 2000, area=(0.3, 0.7), stretch=1.2)
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert boxes.shape == (2000, 4)
    assert boxes.min() >= 0
    assert boxes.max() <= 1 + 1e-6
    # sqrt(0.7 * 1.2) < 1: no side was cut, so areas and aspects are as drawn
    assert 0.3 <= (width * height).min() < 0.32
    assert 0.68 < (width * height).max() <= 0.7 + 1e-6
    assert np.abs(np.log(width / height)).max() <= np.log(1.2) + 1e-5


def test_the_same_seed_gives_the_same_boxes() -> None:
    one, other = (random_boxes(np.random.default_rng(7), 5) for _ in range(2))
    np.testing.assert_array_equal(one, other)
