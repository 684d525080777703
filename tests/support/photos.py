"""Pictures with detail at every scale, like photos and unlike plain test pictures."""

import numpy as np
from PIL import Image

__all__ = ["photo"]


def photo(seed: int, width: int = 160, height: int = 160) -> Image.Image:
    """Return a picture that does not resemble that of any other seed."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for side in (3, 6, 12, 24, 48)
    ]
    weighted = np.average([np.asarray(layer, np.float64) for layer in layers], axis=0, weights=[5, 4, 3, 2, 1])
    return Image.fromarray(weighted.astype(np.uint8))
