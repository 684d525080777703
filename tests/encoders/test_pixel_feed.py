"""Pixels that are normalised on the device of the model are those that the processor would have normalised."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from encoders import registry
from encoders.placement import Placement
from encoders.preprocess import Preprocess

torch = pytest.importorskip("torch")

ALL_LEVELS = np.broadcast_to(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), (2, 16, 16, 3))
"""Each level of a channel once, as a read-only array that is not contiguous."""
CLIP = Preprocess(size=16, mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711))


def test_every_level_is_normalised_as_by_the_processor() -> None:
    from encoders.pixel_feed import PixelFeed

    found = PixelFeed(CLIP, torch.device("cpu")).normalised(ALL_LEVELS, torch.float32)
    np.testing.assert_array_equal(found.numpy(), CLIP.normalise(ALL_LEVELS))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_channels_and_rows_keep_their_places() -> None:
    from encoders.pixel_feed import PixelFeed

    plain = Preprocess(size=2, mean=(0, 0, 0), std=(1, 1, 1))
    pixels = np.zeros((2, 2, 2, 3), np.uint8)
    pixels[1, 0, 1, 2] = 255  # second picture, first row, second column, blue
    found = PixelFeed(plain, torch.device("cpu")).normalised(pixels, torch.bfloat16)
    assert found.dtype == torch.bfloat16
    assert torch.argwhere(found).tolist() == [[1, 2, 0, 1]]


@pytest.mark.parametrize("kind", ["vit", "resnet", "siglip", "altclip", "clip"])
def test_vectors_are_those_of_pixels_normalised_before(tiny: dict[str, Path], kind: str) -> None:
    encoder: Any = registry.load(str(tiny[kind]), Placement("cpu", "fp32"))
    side = encoder.preprocess.size
    shown = np.random.default_rng(1).integers(0, 256, (3, side, side, 3), np.uint8)
    raw = encoder.forward_pixels(shown)
    np.testing.assert_allclose(raw, encoder.forward_images(encoder.preprocess.normalise(shown)), atol=1e-6)
    assert encoder.batches_in_flight == 1  # of a model on the processor


def test_a_batch_too_large_for_the_device_is_halved(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder: Any = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))
    side = encoder.preprocess.size
    shown = np.random.default_rng(2).integers(0, 256, (8, side, side, 3), np.uint8)
    expected = encoder.encode_pixels(shown)
    sizes, run = list[int](), encoder._of_bytes

    def small(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        sizes.append(len(pixels))
        if len(pixels) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        done: NDArray[np.float32] = run(pixels)
        return done

    monkeypatch.setattr(encoder, "_of_bytes", small)
    np.testing.assert_allclose(encoder.encode_pixels(shown), expected, atol=1e-6)
    assert sizes == [8, 4, 2, 2, 4, 2, 2]
    assert encoder.batch_size == 2


def test_two_threads_that_encode_at_once_get_their_own_vectors(tiny: dict[str, Path]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    encoder: Any = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))
    side = encoder.preprocess.size
    batches = np.random.default_rng(3).integers(0, 256, (12, 2, side, side, 3), np.uint8)
    encode: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = encoder.encode_pixels
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(encode, batches))
    for vectors, batch in zip(found, batches, strict=True):
        np.testing.assert_allclose(vectors, encode(batch), atol=1e-6)
