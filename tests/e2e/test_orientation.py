"""A picture in all eight EXIF orientations has nearly the same vector."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw

from tests.support.processes import Cli

WEIGHTS = Path(__file__).parents[2] / "encoders" / "mini" / "v2"

STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,  # displayed rotated by 270
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Operation that stores an upright picture in an orientation (TIFF 6.0, tag 274)."""


def landscape() -> Image.Image:
    """Return a landscape that looks different in all orientations: sky, meadow, sun left, red house right."""
    height, width = 480, 640
    down = np.linspace(0, 1, height)[:, None, None]  # (480, 1, 1)
    sky, meadow = np.array([90, 150, 240]), np.array([40, 140, 30])
    colours = np.where(down < 0.6, sky * (0.7 + 0.5 * down), meadow * (1.3 - 0.5 * down))
    noise = np.random.default_rng(5).normal(0, 6, (height, width, 3))
    image = Image.fromarray((colours + noise).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    pen.ellipse((60, 40, 160, 140), fill="#fff2b0")
    pen.rectangle((420, 220, 560, 340), fill="#b3261e")
    pen.polygon([(400, 220), (580, 220), (490, 150)], fill="#4a2b1a")
    return image


@pytest.mark.parametrize(
    "model",
    [
        "fake",
        pytest.param(
            "mini", marks=pytest.mark.skipif(not (WEIGHTS / "model.json").is_file(), reason="no weights here yet")
        ),
    ],
)
def test_all_orientations_of_a_picture_have_similar_vectors(
    new_cli: Callable[[str], Cli], tmp_path: Path, model: str
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for orientation, transposition in STORED.items():
        image = landscape() if transposition is None else landscape().transpose(transposition)
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        image.save(folder / f"{orientation}.jpg", quality=90, exif=exif)
    cli = new_cli("library")
    assert cli.index(folder, "--model", model) == {"new": 8, "embedded": 8}
    vectors = np.stack([np.frombuffer(vector, "<f2").astype(np.float32) for vector in cli.vectors().values()])
    assert vectors.shape[0] == 8
    assert (vectors @ vectors.T).min() > 0.98
    assert cli.query("SELECT DISTINCT width, height FROM contents") == [(640, 480)]

    plain = tmp_path / "plain"
    plain.mkdir()
    landscape().save(plain / "1.jpg")
    landscape().transpose(Image.Transpose.ROTATE_180).save(plain / "3.jpg")
    other = new_cli("plain-library")
    other.index(plain, "--model", model)
    one, three = (np.frombuffer(vector, "<f2").astype(np.float32) for vector in other.vectors().values())
    assert one @ three < 0.98, "this picture cannot tell orientations apart"
