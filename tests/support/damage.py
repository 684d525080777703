"""Pictures to be damaged, and the comparison of what is shown of them."""

import io
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pictures.decode import decode, read_header

__all__ = ["RANDOM", "assert_shows", "encode", "pixels", "scene"]

RANDOM = random.Random(0).randbytes(40)


def scene(mode: str = "RGB") -> Image.Image:
    small = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC).convert(mode)


def encode(form: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    scene(mode).save(file, form, **options)
    return file.getvalue()


def pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(decode(data).image)


def assert_shows(damaged: bytes, sound: bytes) -> None:
    assert np.array_equal(pixels(damaged), pixels(sound))
    read_header(io.BytesIO(damaged))
