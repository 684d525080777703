"""What lies between the painter and the scene: mist, rain, snow, and the grain of the paper."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from examples.scenes.canvas import Canvas

__all__ = ["fall", "grain", "mist"]


def mist(canvas: Canvas, strength: int = 150) -> None:
    """Veil the far half of a foggy picture."""
    if canvas.light.name != "fog":
        return
    half = round(canvas.height * 0.75)
    veil = canvas.fade((canvas.width, half), strength, 0)
    canvas.image.paste(canvas.light.haze, (0, 0, canvas.width, half), veil)


def fall(canvas: Canvas) -> None:
    """Draw rain or snow in front of everything."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    if canvas.light.name == "rain":
        for _ in range(190):
            x, y, length = rng.random() * w * 1.1, rng.random() * h, rng.uniform(0.025, 0.06) * h
            line = ((x, y), (x - length * 0.22, y + length))
            canvas.line(line, 0.0032 * h, (226, 234, 242), rng.randint(80, 160))
    elif canvas.light.name == "snow":
        for _ in range(170):
            x, y, r = rng.random() * w, rng.random() * h, rng.uniform(0.002, 0.008) * h
            canvas.ellipse((x - r, y - r, x + r, y + r), (255, 255, 255), rng.randint(150, 240))


def grain(image: Image.Image, seed: int) -> Image.Image:
    """Add a fine paper texture and darken the corners a little."""
    width, height = image.size
    sheet = np.asarray(image, dtype=np.float32)  # (height, width, 3)
    noise, vignette = _paper(width, height)
    shift = (seed * 37 % height, seed * 61 % width)
    textured = sheet * vignette[..., None] + np.roll(noise, shift, axis=(0, 1))[..., None]
    return Image.fromarray(np.clip(textured + 0.5, 0, 255).astype(np.uint8))


@cache
def _paper(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    fine = np.random.Generator(np.random.PCG64(5)).random((height, width), dtype=np.float32) - 0.5
    soft = (fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1) + np.roll(fine, (1, 1), (0, 1))) / 2
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    vignette = 1 - 0.07 * np.clip(x**2 + y**2 - 0.5, 0, None)
    return (soft * 7).astype(np.float32), vignette.astype(np.float32)
