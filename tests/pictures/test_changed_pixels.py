"""Which files are shown with other pixels than by the first versions."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from pictures.changed_pixels import CHANGED_FORMATS, has_changed_pixels
from pictures.opening import FORMATS


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png[:33] + chunk + png[33:]


def deep_tiff() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((9, 9, 3), "u2"), photometric="rgb")
    return file.getvalue()


RED = Image.new("RGB", (16, 16), "red")
CLEAR = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
HALF_CLEAR = Image.new("RGBA", (16, 16), (255, 0, 0, 128))
PNG = saved(RED, "PNG")
TGA = saved(HALF_CLEAR, "TGA")

CHANGED = {
    "tiff": deep_tiff(),
    "deep grey": saved(Image.new("I;16", (9, 9), 900), "PNG"),
    "gamma": with_chunk(PNG, b"gAMA", struct.pack(">I", 100_000)),
    "code points": with_chunk(PNG, b"cICP", bytes([9, 16, 0, 1])),
    "clear png": saved(CLEAR, "PNG"),
    "clear webp": saved(CLEAR, "WEBP", lossless=True, exact=True),
    "tga without alpha": TGA[:17] + bytes([TGA[17] & 0xF0]) + TGA[18:],
    "animation": saved(RED, "WEBP", save_all=True, append_images=[CLEAR]),
    "few bits with a transparent grey": saved(Image.new("L", (9, 9), 3), "PNG", bits=4, transparency=3),
    "damaged": PNG[:40],
}
UNCHANGED = {
    "png": PNG,
    "png with the gamma of sRGB": with_chunk(PNG, b"gAMA", struct.pack(">I", 45455)),
    "png with the code points of sRGB": with_chunk(PNG, b"cICP", bytes([1, 13, 0, 1])),
    "half clear png": saved(HALF_CLEAR, "PNG"),
    "half clear webp": saved(HALF_CLEAR, "WEBP", lossless=True),
    "palette": saved(RED.convert("P"), "PNG"),
    "bmp": saved(RED, "BMP"),
    "bmp of 32 bits, whose last byte is not alpha": saved(CLEAR, "BMP"),
    "tga": TGA,
    "gif": saved(RED, "GIF"),
    "animated gif": saved(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (16, 16), "blue")]),
    "avif": saved(RED, "AVIF"),
    "jpeg 2000": saved(RED, "JPEG2000"),
    "ppm": saved(RED, "PPM"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_files_with_other_pixels(name: str) -> None:
    assert has_changed_pixels(io.BytesIO(CHANGED[name]))


@pytest.mark.parametrize("name", UNCHANGED)
def test_files_with_the_same_pixels(name: str) -> None:
    assert not has_changed_pixels(io.BytesIO(UNCHANGED[name]))


def test_formats_are_those_that_are_read() -> None:
    assert set(CHANGED_FORMATS) <= {form.name for form in FORMATS}
