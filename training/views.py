"""Views: random parts of a picture. The teacher and the image tower see the same pixels.

A box is (left, top, right, bottom) in fractions of the picture's sides.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["FULL", "random_boxes"]

FULL = (0.0, 0.0, 1.0, 1.0)
"""The whole picture."""


def random_boxes(
    rng: np.random.Generator, count: int, area: tuple[float, float] = (0.3, 1.0), stretch: float = 4 / 3
) -> NDArray[np.float32]:
    """Return `count` boxes: the area is uniform in `area`, the aspect log-uniform in 1/stretch..stretch.

    Sides are clipped to the picture. Shape: (count, 4). The distribution is that of Szegedy et al., "Going Deeper with
    Convolutions" (2015), section 6, with a gentler lower bound.
    """
    areas = rng.uniform(*area, count)
    aspects = np.exp(rng.uniform(-np.log(stretch), np.log(stretch), count))
    widths = np.minimum(np.sqrt(areas * aspects), 1)
    heights = np.minimum(np.sqrt(areas / aspects), 1)
    left = rng.uniform(0, 1, count) * (1 - widths)
    top = rng.uniform(0, 1, count) * (1 - heights)
    return np.stack([left, top, left + widths, top + heights], axis=1).astype(np.float32)
