"""Print the pictures per second of a model alone: `python -m benchmarks.race.forward NAME`, as `programs` calls it."""

import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from encoders import registry

__all__ = ["forward_rate"]

PICTURES = 96


def forward_rate(name: str) -> float:
    """Embed pixels in memory, in as many threads as an index run has for this, after one batch to load the model."""
    encoder = registry.load_for_indexing(name, None)
    side, size = encoder.preprocess.size, encoder.batch_size
    pixels = np.random.default_rng(14).integers(0, 256, (PICTURES, side, side, 3), np.uint8)
    encoder.encode_pixels(pixels[:size])
    batches = [pixels[start : start + size] for start in range(0, PICTURES, size)]
    with ThreadPoolExecutor(encoder.batches_in_flight) as threads:
        started = perf_counter()
        list(threads.map(encoder.encode_pixels, batches))
        return PICTURES / (perf_counter() - started)


if __name__ == "__main__":
    print(forward_rate(sys.argv[1]))
