"""A model on a card: vectors, feeding, and memory that is too small. `make test-gpu` runs this."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from encoders import registry
from encoders.placement import Placement
from encoders.preprocess import Preprocess

pytestmark = pytest.mark.gpu

GALLERY = sorted((Path(__file__).parents[2] / "examples" / "gallery").glob("*/*.jpg"))[:32]
TEXTS = ["a dog", "two cats on a sofa", "zebra", "a red house by the sea in winter"]
MIN_COSINE = 0.9995
"""What vectors in 16 bits must reach, because the fingerprint of a space does not contain the precision."""


def cosines(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((ones * others).sum(axis=1))


def noise(side: int, count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_vectors_are_those_of_the_processor(card: str, vit_b_32: str, precision: str) -> None:
    exact, here = registry.load(vit_b_32, Placement("cpu", "fp32")), registry.load(vit_b_32, Placement(card, precision))
    pictures = [Image.open(file) for file in GALLERY]
    assert pictures
    limit = 0.999999 if precision == "fp32" else MIN_COSINE
    assert cosines(here.encode_images(pictures), exact.encode_images(pictures)).min() >= limit
    assert cosines(here.encode_texts(TEXTS), exact.encode_texts(TEXTS)).min() >= limit
    assert here.space == exact.space


@pytest.mark.parametrize("copies", [1, 40])
def test_pixels_are_normalised_as_on_the_processor(card: str, copies: int) -> None:
    import torch

    from encoders.pixel_feed import PixelFeed

    clip = Preprocess(size=224, mean=(0.481, 0.458, 0.408), std=(0.269, 0.261, 0.276))
    feed = PixelFeed(clip, torch.device(card))
    for seed in range(copies):  # many, so that page-locked memory and memory of the card are used again
        pixels = noise(224, 8, seed)
        found = feed.normalised(pixels, torch.float32)
        np.testing.assert_allclose(found.cpu().numpy(), clip.normalise(pixels), atol=1e-6)


def test_two_threads_that_encode_at_once_get_their_own_vectors(card: str, vit_b_32: str) -> None:
    encoder = registry.load(vit_b_32, Placement(card, "fp32"))
    assert encoder.batches_in_flight == 2
    batches = noise(224, 64 * 16).reshape(64, 16, 224, 224, 3)
    with ThreadPoolExecutor(encoder.batches_in_flight) as pool:
        found = list(pool.map(encoder.encode_pixels, batches))
    for vectors, batch in zip(found, batches, strict=True):
        assert cosines(vectors, encoder.encode_pixels(batch)).min() >= 0.999999


def test_batches_that_exceed_the_memory_are_halved(card: str, vit_b_32: str, limit_memory: Any) -> None:
    encoder = registry.load(vit_b_32, Placement(card, "fp32"))
    pixels = noise(224, encoder.batch_size)
    expected, before = encoder.encode_pixels(pixels), encoder.batch_size
    assert before >= 128, "the card has too little free memory for this test"
    limit_memory(160 << 20)  # 256 normalised pictures alone take 147 MiB
    assert cosines(encoder.encode_pixels(pixels), expected).min() >= 0.99999
    assert encoder.batch_size < before
