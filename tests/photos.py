"""Pictures with detail at every scale, as photos have it and plain test pictures do not."""

import numpy as np
from PIL import Image

__all__ = ["photo"]


def photo(seed: int, width: int = 160, height: int = 160) -> Image.Image:
    """A picture that looks like no other seed's."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for side in (3, 6, 12, 24, 48)
    ]
    weighted = np.average([np.asarray(layer, np.float64) for layer in layers], axis=0, weights=[5, 4, 3, 2, 1])
    return Image.fromarray(weighted.astype(np.uint8))
