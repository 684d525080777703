"""Invalid prompts are refused; the pixels of a rendered prompt are worked out by hand."""

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidQuery
from encoders.prompts import (
    MEAN_COLOUR,
    PicturePrompt,
    PromptStyle,
    TextPrompt,
    VectorPrompt,
    as_prompts,
    render_prompt,
)

WHITE = Image.new("RGB", (20, 10), "white")


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
def test_an_empty_text_prompt_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="prompt is empty"):
        TextPrompt(text)


def test_strings_become_text_prompts() -> None:
    vector = VectorPrompt(np.ones(3, np.float32))
    assert as_prompts("a dog") == (TextPrompt("a dog"),)
    assert as_prompts(["a dog", vector]) == (TextPrompt("a dog"), vector)
    with pytest.raises(InvalidQuery, match="no prompt"):
        as_prompts([])


@pytest.mark.parametrize("vector", [np.zeros(3), np.array([1, np.nan]), np.ones((1, 3))])
def test_a_vector_without_direction_is_refused(vector: np.ndarray) -> None:
    with pytest.raises(InvalidQuery, match="prompt vector"):
        VectorPrompt(vector.astype(np.float32))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="mask has 10x20 pixels, but its picture has 20x10"):
        PicturePrompt(WHITE, mask=np.ones((20, 10), np.bool_))
    with pytest.raises(InvalidQuery, match="no part of the picture"):
        PicturePrompt(WHITE, mask=np.zeros((10, 20), np.bool_))


@pytest.mark.parametrize("box", [(20, 0, 5, 5), (0, 10, 5, 5), (-5, 0, 5, 5), (3, 3, 0, 4), (3, 3, -2, 4)])
def test_a_box_outside_the_picture_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidQuery, match="no part of the picture"):
        PicturePrompt(WHITE, box=box)


def test_a_box_is_clipped_to_the_picture() -> None:
    where = PicturePrompt(WHITE, box=(-2, 8, 5, 50)).where()
    assert where is not None
    assert np.argwhere(where).tolist() == [[8, 0], [8, 1], [8, 2], [9, 0], [9, 1], [9, 2]]


def test_a_prompt_without_mask_is_rendered_unchanged() -> None:
    assert render_prompt(PicturePrompt(WHITE)).tobytes() == WHITE.tobytes()


def test_the_background_is_blurred_and_faded_to_the_mean_colour() -> None:
    image = Image.new("RGB", (40, 20), "white")
    image.paste(Image.new("RGB", (10, 10), "red"), (5, 5))
    pixels = np.asarray(render_prompt(PicturePrompt(image, box=(5, 5, 10, 10)), PromptStyle(margin=None)), int)
    assert pixels.shape == (20, 40, 3)
    assert (pixels[5:15, 5:15] == (255, 0, 0)).all()
    # Far from the red, the background is white: a tenth of it, and nine tenths of the mean colour.
    expected = 0.1 * 255 + 0.9 * np.array(MEAN_COLOUR)
    np.testing.assert_allclose(pixels[10, 35], expected, atol=1)
    # Beside the red it is blurred: about half red, so that green lies half-way to what it is far away.
    beside = PromptStyle(blur=3 / 40, margin=None)
    green = np.asarray(render_prompt(PicturePrompt(image, box=(5, 5, 10, 10)), beside), int)[10, 15, 1]
    assert 0.9 * MEAN_COLOUR[1] + 0.1 * 60 < green < 0.9 * MEAN_COLOUR[1] + 0.1 * 195


def test_the_crop_has_a_margin_and_is_padded_to_a_square() -> None:
    where = np.zeros((50, 100), np.bool_)
    where[20:30, 40:60] = True  # 20 x 10: rims of 2 and 1
    shown = render_prompt(PicturePrompt(Image.new("RGB", (100, 50), "white"), mask=where))
    assert shown.size == (24, 24)
    pixels = np.asarray(shown)
    assert (pixels[:6] == MEAN_COLOUR).all()  # 24 x 12 in the middle of 24 x 24
    assert (pixels[7:17, 2:22] == 255).all()
    assert (pixels[18:] == MEAN_COLOUR).all()


def test_the_margin_is_clipped_to_the_picture() -> None:
    shown = render_prompt(PicturePrompt(Image.new("RGB", (100, 50), "white"), box=(0, 0, 100, 50)))
    assert shown.size == (100, 100)
