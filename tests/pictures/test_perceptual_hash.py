"""Perceptual hashes: equal to those of imagehash, similar for similar pictures, absent for plain pictures."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from pictures.perceptual_hash import HASH_BYTES, perceptual_hash
from tests.support.photos import photo


def distance(one: Image.Image, other: Image.Image) -> int:
    first, second = perceptual_hash(one), perceptual_hash(other)
    assert first is not None and second is not None
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()


def test_hash_equals_that_of_imagehash() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imagehash = pytest.importorskip("imagehash")
        for seed in range(20):
            picture = photo(seed, 200 + 7 * seed, 300 - 5 * seed)
            assert perceptual_hash(picture) == np.packbits(imagehash.phash(picture, hash_size=16).hash).tobytes()


def test_similar_pictures_have_similar_hashes() -> None:
    one = photo(1)
    stored = io.BytesIO()
    one.save(stored, "JPEG", quality=60)
    assert len(perceptual_hash(one) or b"") == HASH_BYTES
    assert distance(one, Image.open(stored)) <= 24
    assert distance(one, one.resize((107, 80), Image.Resampling.LANCZOS)) <= 24
    assert distance(one, one.convert("L").convert("RGB")) <= 24
    assert distance(one, ImageEnhance.Brightness(one).enhance(1.1)) <= 40
    assert min(distance(one, photo(seed)) for seed in range(2, 30)) > 64


@pytest.mark.parametrize(
    "plain",
    [
        Image.new("RGB", (1, 1), "red"),
        Image.new("RGB", (640, 480), "black"),
        Image.new("RGB", (3, 2000), "white"),
        Image.fromarray(np.tile(np.linspace(60, 220, 200, dtype=np.uint8)[:, None, None], (1, 300, 3))),
    ],
    ids=["one pixel", "black", "a strip", "a clear sky"],
)
def test_plain_picture_has_no_hash(plain: Image.Image) -> None:
    assert perceptual_hash(plain) is None
