"""The guarantees of the base class of all encoders."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import BadVectors
from encoders.base import Encoder, Vectors
from encoders.preprocess import Preprocess

Raw = Callable[[int], NDArray[np.float32]]


class Recording(Encoder):
    """Records the size of every batch, and returns (n, 2) vectors of any length, or the output of a test."""

    def __init__(self, answer: Raw | None = None) -> None:
        preprocess = Preprocess(size=2, mean=(0, 0, 0), std=(1, 1, 1))
        super().__init__(model="recording", weights="none", dim=2, preprocess=preprocess, batch_size=4)
        self.sizes: list[int] = []
        self.answer = answer

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.sizes.append(len(pixels))
        assert pixels.shape[1:] == (3, 2, 2)
        assert pixels.dtype == np.float32
        return self.answer(len(pixels)) if self.answer else pixels[:, :2, 0, 0] * 10 + np.array([0, 1], np.float32)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.sizes.append(len(texts))
        return self.answer(len(texts)) if self.answer else np.array([[len(text), 4] for text in texts], np.float32)


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, []), (1, [1]), (3, [3]), (4, [4]), (5, [4, 1]), (8, [4, 4]), (9, [4, 4, 1])]
)
def test_all_batches_but_the_last_are_full(number: int, sizes: list[int]) -> None:
    encoder = Recording()
    vectors = encoder.encode_texts(["abc"] * number)
    assert encoder.sizes == sizes
    assert vectors.shape == (number, 2)
    assert vectors.dtype == np.float32
    encoder = Recording()
    assert encoder.encode_pixels(np.zeros((number, 2, 2, 3), np.uint8)).shape == (number, 2)
    assert encoder.sizes == sizes


def test_vectors_are_in_order_and_have_unit_length() -> None:
    vectors = Recording().encode_texts(["x" * (n % 4) for n in range(10)])  # lengths by 3-4-5 triangles
    np.testing.assert_allclose(vectors[3], [3 / 5, 4 / 5], rtol=1e-6)
    np.testing.assert_allclose(vectors[4], [0, 1])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_pictures_of_any_mode_and_size_are_encoded() -> None:
    images = [Image.new("RGB", (5, 9), "white"), Image.new("L", (2, 2), 0), Image.new("P", (700, 3))]
    vectors = Recording().encode_images(images)
    np.testing.assert_allclose(vectors[0], np.array([10, 11]) / np.hypot(10, 11), rtol=1e-6)
    np.testing.assert_allclose(vectors[1:], [[0, 1], [0, 1]])


def test_no_pictures_give_an_empty_array() -> None:
    assert Recording().encode_images([]).shape == (0, 2)


@pytest.mark.parametrize("shape", [(1, 3, 2, 2), (2, 2, 3), (1, 2, 3, 3), (1, 2, 2, 4)])
def test_pixels_of_another_shape_raise_value_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        Recording().encode_pixels(np.zeros(shape, np.uint8))


def spoiled(value: float) -> Raw:
    """Return unit vectors, except for the last one."""

    def answer(n: int) -> NDArray[np.float32]:
        vectors = np.ones((n, 2), np.float32)
        vectors[-1] = value
        return vectors

    return answer


BAD: dict[str, tuple[Raw, str]] = {
    "a row too few": (lambda n: np.ones((n - 1, 2), np.float32), "shape"),
    "a column too many": (lambda n: np.ones((n, 3), np.float32), "shape"),
    "flat": (lambda n: np.ones(2 * n, np.float32), "shape"),
    "NaN": (spoiled(float("nan")), "finite"),
    "infinite": (spoiled(float("-inf")), "finite"),
    "zero": (spoiled(0.0), "zero"),
}


@pytest.mark.parametrize("fault", BAD)
def test_invalid_model_outputs_are_refused(fault: str) -> None:
    answer, said = BAD[fault]
    calls: list[Callable[[Encoder], Vectors]] = [
        lambda encoder: encoder.encode_texts(["a", "b"]),
        lambda encoder: encoder.encode_pixels(np.zeros((2, 2, 2, 3), np.uint8)),
        lambda encoder: encoder.encode_images([Image.new("RGB", (2, 2))] * 2),
    ]
    for call in calls:
        with pytest.raises(BadVectors, match=said) as caught:
            call(Recording(answer))
        assert caught.value.name == "recording"


@pytest.mark.parametrize("value", [3e38, 1e-10])
def test_very_long_and_very_short_vectors_keep_their_direction(value: float) -> None:
    vectors = Recording(spoiled(value)).encode_texts(["a", "b"])
    np.testing.assert_allclose(vectors, np.sqrt(0.5), rtol=1e-6)


def test_vectors_of_other_float_types_become_float32() -> None:
    vectors = Recording(lambda n: np.ones((n, 2), np.float64)).encode_texts(["a"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, np.sqrt(0.5), rtol=1e-6)
