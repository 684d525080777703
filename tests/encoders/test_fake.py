"""The test double and its vectors, worked out by hand."""

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder

FLOOR = 0.1


def test_a_red_picture_has_the_vector_of_the_word_red(encoder: FakeEncoder) -> None:
    expected = np.array([1, 0, 0] * 4 + [FLOOR]) / np.sqrt(4 + FLOOR**2)
    np.testing.assert_allclose(encoder.encode_texts(["red"])[0], expected, rtol=1e-6)
    np.testing.assert_allclose(encoder.encode_images([Image.new("RGB", (30, 20), "red")])[0], expected, rtol=1e-6)


def test_quadrants_are_in_reading_order(encoder: FakeEncoder) -> None:
    image = Image.new("RGB", (8, 8))
    for box, colour in (((0, 0), "red"), ((4, 0), "lime"), ((0, 4), "blue"), ((4, 4), "white")):
        image.paste(Image.new("RGB", (4, 4), colour), box)
    vector = encoder.encode_images([image])[0]
    expected = np.array([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, FLOOR]) / np.sqrt(6 + FLOOR**2)
    np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_several_colours_are_their_mean(encoder: FakeEncoder) -> None:
    vector = encoder.encode_texts(["a RED and blue thing"])[0]
    expected = np.array([0.5, 0, 0.5] * 4 + [FLOOR]) / np.sqrt(8 * 0.25 + FLOOR**2)
    np.testing.assert_allclose(vector, expected, rtol=1e-6)


@pytest.mark.parametrize("text", ["", "a dog", "darkred"])
def test_a_text_without_colours_is_black(encoder: FakeEncoder, text: str) -> None:
    black = encoder.encode_images([Image.new("RGB", (8, 8), "black")])
    np.testing.assert_array_equal(encoder.encode_texts([text]), black)
    np.testing.assert_array_equal(black[0], [0] * 12 + [1])


def test_a_patch_has_the_vector_of_a_picture_of_its_colour(encoder: FakeEncoder) -> None:
    image = Image.new("RGB", (8, 8))
    image.paste(Image.new("RGB", (2, 4), "red"), (6, 0))  # the last column's upper two cells
    cells = encoder.encode_patches(encoder.preprocess.pixels(image)[None])
    red, black = encoder.encode_texts(["red", ""])
    assert cells.shape == (1, 4, 4, 13)
    np.testing.assert_allclose(cells[0, :2, 3], [red, red], rtol=1e-6)
    np.testing.assert_allclose(cells[0, :, :3], np.broadcast_to(black, (4, 3, 13)), rtol=1e-6)
