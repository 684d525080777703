"""Pixels compared with open_clip's transform and the image processors of transformers, on photos."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from encoders import registry

pytest.importorskip("torch")

GALLERY = sorted((Path(__file__).parents[2] / "examples" / "gallery").glob("*/*.jpg"))[:12]


def pictures() -> list[Image.Image]:
    """Return photos of odd sizes, so that crops begin at half pixels."""
    found = []
    for file in GALLERY:
        with Image.open(file) as image:
            found.append(image.convert("RGB").crop((0, 0, image.width - 3, image.height)))
    assert found
    return found


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_pixels_equal_the_open_clip_transform(mode: str, interpolation: str) -> None:
    transform = pytest.importorskip("open_clip.transform")
    from encoders.open_clip import _preprocess

    shown = {"resize_mode": mode, "interpolation": interpolation, "fill_color": 9}
    ours = _preprocess(Path(), {"image_size": 225}, shown)
    theirs = transform.image_transform(225, False, ours.mean, ours.std, mode, interpolation, 9)
    for picture in pictures():
        found = ours.normalise(ours.pixels(picture)[None])[0]
        assert levels(found - theirs(picture).numpy(), ours.std).max() < 1e-3


@pytest.mark.parametrize("kind", ["altclip", "clip"])
def test_pixels_equal_the_transformers_pillow_processor(tiny: dict[str, Path], kind: str) -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    ours = registry.load(str(tiny[kind])).preprocess
    theirs = CLIPImageProcessorPil.from_pretrained(tiny[kind])
    for picture in pictures():
        expected = theirs(picture, return_tensors="np").pixel_values[0]
        found = ours.normalise(ours.pixels(picture)[None])[0]
        assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("kind", ["altclip", "clip"])
def test_pixels_are_close_to_the_transformers_torchvision_processor(tiny: dict[str, Path], kind: str) -> None:
    """It resamples with other arithmetic than Pillow: pixels differ by at most one level of 255."""
    pytest.importorskip("torchvision")
    from transformers import CLIPImageProcessor

    ours = registry.load(str(tiny[kind])).preprocess
    theirs = CLIPImageProcessor.from_pretrained(tiny[kind])
    for picture in pictures():
        expected = theirs(picture, return_tensors="np").pixel_values[0]
        apart = levels(ours.normalise(ours.pixels(picture)[None])[0] - expected, ours.std)
        assert apart.max() < 1.01
        assert apart.mean() < 0.02


def levels(difference: NDArray[np.float32], std: Any) -> NDArray[np.float32]:
    """Return the difference of normalised pixels (3, S, S) in levels of 255."""
    found: NDArray[np.float32] = np.abs(difference) * np.asarray(std, np.float32)[:, None, None] * 255
    return found
