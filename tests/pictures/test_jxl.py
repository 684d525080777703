"""JPEG XL: pixels in sRGB, upright, and metadata; animations by their frames."""

import base64
import io
import random
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureError, PictureTooLarge, PictureUndecodable, PictureUnsupported
from core.frames import FrameKind
from pictures.decode import DecodeSettings, decode, decode_frames, read_header
from pictures.extras import extra_is_installed
from tests.pictures.color.test_conversion import RED_AND_GREEN_SWAPPED

needs_jxl = pytest.mark.skipif(not extra_is_installed("jxl"), reason="needs the extra `jxl`")
needs_animation = pytest.mark.skipif(find_spec("jxlpy") is None, reason="needs jxlpy")


def encode(image: Image.Image, **options: Any) -> bytes:
    import pylibjxl

    return bytes(pylibjxl.encode(np.asarray(image), lossless=True, effort=1, **options))


ANIMATION = base64.b64decode(
    "/woPBU0AICYIBAEARABLGIsVgF3+/wDi59YawG2MPwgEAQBEAEsYixWAXf7/AM5stxoAoLs/CAQFAEQASxiLFYBd/v8A4my3GgCguz8="
)
"""A red, a lime and a blue picture of 96 x 64 pixels, as libjxl 0.11 encodes them."""


@needs_jxl
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pixels_and_size(mode: str) -> None:
    image = Image.radial_gradient("L").resize((96, 64)).convert(mode)
    decoded = decode(encode(image))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("JXL", 96, 64)
    assert decoded.image.tobytes() == image.convert("RGB").tobytes()


@needs_jxl
def test_transparent_pixels_are_grey() -> None:
    assert decode(encode(Image.new("RGBA", (8, 8), (255, 0, 0, 0)))).image.getpixel((1, 1)) == (128, 128, 128)


@needs_jxl
def test_profile_is_applied() -> None:
    data = encode(Image.new("RGB", (8, 8), (255, 0, 0)), icc=RED_AND_GREEN_SWAPPED)
    red, green, _ = np.asarray(decode(data).image)[0, 0]
    assert red < 60 < 200 < green


@needs_jxl
def test_metadata_and_no_second_rotation() -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Maker", "Model 1", 6
    data = encode(Image.new("RGB", (96, 64)), exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    decoded = decode(data)
    assert decoded.image.size == (96, 64)
    assert decoded.info.metadata.camera == "Maker Model 1"
    assert read_header(io.BytesIO(data)) == decoded.info.metadata


@needs_jxl
def test_size_is_checked_before_decoding() -> None:
    with pytest.raises(PictureTooLarge):
        decode(encode(Image.new("RGB", (96, 64))), DecodeSettings(max_pixels=1_000))


@needs_jxl
def test_cut_and_damaged_pictures_are_undecodable() -> None:
    data = encode(Image.effect_noise((64, 64), 90))
    with pytest.raises(PictureUndecodable):
        decode(data[: len(data) // 2])
    numbers = random.Random(0)
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[numbers.randrange(2, len(data))] = numbers.randrange(256)
        try:
            decode(bytes(damaged), DecodeSettings(max_pixels=1_000_000))
        except PictureError as error:
            assert error.detail


@needs_jxl
@needs_animation
def test_frames_of_an_animation() -> None:
    data = ANIMATION
    found = list(decode_frames(data))
    assert [decoded.image.getpixel((5, 5)) for _, decoded in found] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    frames = [frame for frame, _ in found if frame is not None]
    assert [(frame.number, frame.kind) for frame in frames] == [(n, FrameKind.MOMENT) for n in range(3)]
    assert decode(data, frame=2).image.tobytes() == found[2][1].image.tobytes()
    assert decode(data).image.getpixel((5, 5)) == (255, 0, 0)


@needs_jxl
def test_animation_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.jxl.find_spec", lambda _: None)
    with pytest.raises(PictureUnsupported, match=r"pip install 'sightline\[jxl\]'"):
        decode(ANIMATION)


@pytest.mark.parametrize("signature", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_picture_without_its_extra_names_it(signature: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.jxl.extra_is_installed", lambda _: False)
    with pytest.raises(PictureUnsupported, match=r"pip install 'sightline\[jxl\]'") as caught:
        decode(signature + bytes(100))
    assert caught.value.reason == "needs-jxl"
