"""Preprocessing, with numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from encoders.mini.encoder import MiniEncoder
from encoders.preprocess import PREPROCESS_VERSION, Preprocess

CROP = Preprocess(size=4, mean=(0, 0, 0), std=(1, 1, 1), fit="crop")
SQUASH = Preprocess(size=4, mean=(0, 0, 0), std=(1, 1, 1), fit="squash")
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def striped(width: int, height: int) -> Image.Image:
    """Return a picture that is red in the first quarter of its longer side, blue in the last, and green between."""
    image = Image.new("RGB", (width, height), GREEN)
    if width > height:
        image.paste(RED, (0, 0, width // 4, height))
        image.paste(BLUE, (width - width // 4, 0, width, height))
    else:
        image.paste(RED, (0, 0, width, height // 4))
        image.paste(BLUE, (0, height - height // 4, width, height))
    return image


@pytest.mark.parametrize("size", [(80, 40), (40, 80)])
def test_crop_scales_the_shorter_side_and_keeps_the_middle(size: tuple[int, int]) -> None:
    """As CLIP does: scale the whole picture to a tenth, then crop the middle 4 x 4 of 8 x 4."""
    pixels = CROP.pixels(striped(*size))
    assert pixels.dtype == np.uint8
    small = striped(*size).resize((size[0] // 10, size[1] // 10), Image.Resampling.BICUBIC)
    middle = small.crop(
        ((small.width - 4) // 2, (small.height - 4) // 2, (small.width + 4) // 2, (small.height + 4) // 2)
    )
    np.testing.assert_array_equal(pixels, np.asarray(middle))
    assert (pixels.reshape(-1, 3).argmax(axis=1) == 1).all()  # only the half that is green


def test_squash_keeps_the_whole_picture() -> None:
    pixels = SQUASH.pixels(striped(80, 40))  # each column is a quarter, or 20 pixels, of the picture
    for column, colour in enumerate([RED, GREEN, GREEN, BLUE]):
        assert np.abs(pixels[:, column].astype(int) - colour).max() <= 25  # bicubic looks a little beyond the edge
    tall = SQUASH.pixels(striped(40, 80))
    np.testing.assert_array_equal(tall, pixels.transpose(1, 0, 2))


@pytest.mark.parametrize("fit", ["crop", "squash"])
def test_a_square_of_the_right_size_is_unchanged(fit: str) -> None:
    raw = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    preprocess = Preprocess(4, (0, 0, 0), (1, 1, 1), fit)  # type: ignore[arg-type]
    np.testing.assert_array_equal(preprocess.pixels(Image.fromarray(raw)), raw)


@pytest.mark.parametrize(("half", "width", "start"), [("even", 5, 0), ("even", 7, 2), ("down", 7, 1)])
def test_odd_crop_offsets_follow_the_reference(half: str, width: int, start: int) -> None:
    """4 high, 4 wanted: of 5 columns half a one is to go on each side, of 7 one and a half."""
    row = np.arange(width, dtype=np.uint8) * 10
    image = Image.fromarray(np.repeat(np.tile(row, (4, 1))[..., None], 3, axis=2))
    pixels = replace(CROP, half=half).pixels(image)  # type: ignore[arg-type]
    assert pixels[0, :, 0].tolist() == [10 * column for column in range(start, start + 4)]


def test_pad_keeps_the_whole_picture() -> None:
    pixels = replace(CROP, fit="pad", fill=9).pixels(Image.new("RGB", (80, 40), RED))
    assert (pixels[[0, 3]] == 9).all()
    assert (pixels[[1, 2]] == RED).all()


def test_default_fields_do_not_change_the_fingerprint() -> None:
    assert FakeEncoder().space.fingerprint.startswith("dd247693784f")
    assert MiniEncoder().space.preprocessing.keys() == {"size", "mean", "std", "fit", "version"}


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
@pytest.mark.parametrize("preprocess", [CROP, SQUASH])
def test_extreme_shapes_fill_the_square(size: tuple[int, int], preprocess: Preprocess) -> None:
    assert (preprocess.pixels(Image.new("RGB", size, (9, 8, 7))) == (9, 8, 7)).all()


@pytest.mark.parametrize(("mode", "colour"), [("L", 77), ("RGBA", (77, 77, 77, 255)), ("1", 0), ("P", 0)])
def test_other_modes_are_converted_to_rgb(mode: str, colour: int | tuple[int, ...]) -> None:
    expected = 77 if mode in ("L", "RGBA") else 0
    assert (CROP.pixels(Image.new(mode, (8, 8), colour)) == expected).all()


def test_downscaling_averages_pixels() -> None:
    """A chequerboard becomes grey with antialiasing, and black or white without it."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = SQUASH.pixels(Image.fromarray(board))
    assert np.abs(pixels.astype(int) - 127).max() <= 3


def test_normalise_moves_channels_first_and_scales_each() -> None:
    preprocess = Preprocess(size=1, mean=(0.5, 0.2, 0.0), std=(0.5, 0.1, 2.0))
    batch = np.array([[[[255, 51, 102]]], [[[0, 0, 0]]]], np.uint8)  # (2, 1, 1, 3)
    tensor = preprocess.normalise(batch)
    expected = np.array([[(1 - 0.5) / 0.5, (51 / 255 - 0.2) / 0.1, (102 / 255) / 2], [-1, -2, 0]])
    assert tensor.shape == (2, 3, 1, 1)
    assert tensor.dtype == np.float32
    assert tensor.flags["C_CONTIGUOUS"]
    np.testing.assert_allclose(tensor[..., 0, 0], expected, atol=1e-6)


def test_normalise_keeps_rows_and_columns_apart() -> None:
    preprocess = Preprocess(size=2, mean=(0, 0, 0), std=(1, 1, 1))
    batch = np.zeros((1, 2, 2, 3), np.uint8)
    batch[0, 0, 1, 2] = 255  # first row, second column, blue
    assert np.argwhere(preprocess.normalise(batch)).tolist() == [[0, 2, 0, 1]]


def test_only_fields_with_other_values_than_the_default_are_part_of_the_space() -> None:
    described = {"size": 4, "mean": (0, 0, 0), "std": (1, 1, 1), "version": PREPROCESS_VERSION}
    assert CROP.fit == "crop"
    assert CROP.as_dict() == described
    assert replace(CROP, fit="squash").as_dict() == {**described, "fit": "squash"}
    assert FakeEncoder().space.preprocessing == FakeEncoder().preprocess.as_dict()
