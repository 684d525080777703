"""16-bit PNGs with fewer significant bits, and colours that are transparent, written by hand."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pictures.color.conversion import BACKGROUND
from pictures.decode import decode

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6
CHANNELS = {GREY: 1, RGB: 3, GREY_ALPHA: 2, RGBA: 4}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values: NDArray[Any], color: int, *chunks: tuple[bytes, bytes], bits: int = 16) -> bytes:
    """Return a PNG of values (H, W, C) of 16 bits, or of (H, W) packed ones, whose rows have the filter Sub."""
    height, width = values.shape[:2]
    if bits < 16:
        digits = "".join(f"{value:0{bits}b}" for value in values.ravel())  # rows are whole bytes
        data = np.frombuffer(int(digits, 2).to_bytes(len(digits) // 8), np.uint8).reshape(height, -1)
        rows = b"".join(b"\0" + row.tobytes() for row in data)
    else:
        size = 2 * CHANNELS[color]
        stored = values.astype(">u2").view(np.uint8).reshape(height, -1)
        shifted = np.pad(stored, ((0, 0), (size, 0)))[:, :-size]
        rows = b"".join(b"\1" + row.tobytes() for row in stored - shifted)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
    others = b"".join(chunk(*each) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + others + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def ramp(top: int, channels: int) -> NDArray[np.int64]:
    """Values from 0 to `top`, (32, 64, C), another ramp in each channel."""
    grid = np.arange(32)[:, None, None] * 64 + np.arange(64)[None, :, None]
    return np.rint((grid * (1 + np.arange(channels)) % 2048) / 2047 * top).astype(np.int64)


def shown(data: bytes) -> NDArray[np.int64]:
    return np.asarray(decode(data).image).astype(np.int64)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
def test_values_that_fit_in_the_significant_bits_are_not_dark(bits: int) -> None:
    top = (1 << bits) - 1
    values = ramp(top, 3)
    found = shown(png(values, RGB, (b"sBIT", bytes([bits] * 3))))
    assert np.abs(found - values / top * 255).max() <= 0.51


@pytest.mark.parametrize("bits", [10, 12])
def test_grey_uses_its_significant_bits_even_if_fewer_would_do(bits: int) -> None:
    """Without sBIT, a grey picture up to 255 is one of 8 bits."""
    values = ramp(255, 1)
    found = shown(png(values, GREY, (b"sBIT", bytes([bits]))))[..., :1]
    assert np.abs(found - values / ((1 << bits) - 1) * 255).max() <= 0.51
    assert np.abs(shown(png(values, GREY))[..., :1] - values).max() <= 1


def test_scaled_values_keep_their_brightness() -> None:
    """As the standard wants it: 12 bits, scaled to 16."""
    values = ramp(4095, 3)
    scaled = values << 4 | values >> 8
    found = shown(png(scaled, RGB, (b"sBIT", bytes([12] * 3))))
    assert np.abs(found - scaled / 65535 * 255).max() <= 1
    grey = shown(png(scaled[..., :1], GREY, (b"sBIT", bytes([12]))))
    assert np.abs(grey[..., :1] - scaled[..., :1] / 65535 * 255).max() <= 1


def test_colours_without_significant_bits_stay_as_they_are() -> None:
    values = ramp(4095, 3)
    assert np.abs(shown(png(values, RGB)) - values / 65535 * 255).max() <= 1


def test_alpha_has_its_own_significant_bits() -> None:
    values = ramp(4095, 4)
    values[..., 3] = np.where(values[..., 3] > 2000, 4095, 0)
    found = shown(png(values, RGBA, (b"sBIT", bytes([12, 12, 12, 12]))))
    opaque = values[..., 3] == 4095
    assert np.abs(found - values[..., :3] / 4095 * 255)[opaque].max() <= 0.51
    assert (found[~opaque] == BACKGROUND).all()


def test_alpha_of_grey_is_kept() -> None:
    values = np.dstack([ramp(65535, 1), np.where(ramp(65535, 1) > 30000, 65535, 0)])
    found = shown(png(values, GREY_ALPHA, (b"sBIT", b"\x0c\x0c")))
    assert (found[values[..., 1] == 0] == BACKGROUND).all()


@pytest.mark.parametrize("bits", [2, 4])
def test_transparent_grey_of_few_bits(bits: int) -> None:
    top = (1 << bits) - 1
    values = np.arange(32 * 64).reshape(32, 64) % (top + 1)
    found = shown(png(values, GREY, (b"tRNS", struct.pack(">H", top)), bits=bits))
    assert (found[values == top] == BACKGROUND).all()
    assert np.abs(found[..., 0] - values / top * 255)[values != top].max() <= 1


def test_transparent_grey_of_16_bits() -> None:
    values = ramp(65535, 1)
    values[:4] = 40_000
    found = shown(png(values, GREY, (b"tRNS", struct.pack(">H", 40_000))))
    assert (found[:4] == BACKGROUND).all()
    assert np.abs(found[5:, :, :1] - values[5:] / 65535 * 255).max() <= 1


def test_transparent_colour_of_16_bits() -> None:
    values = ramp(20_000, 3)
    values[:4] = 60_000
    found = shown(png(values, RGB, (b"tRNS", struct.pack(">3H", 60_000, 60_000, 60_000))))
    assert (found[:4] == BACKGROUND).all()


def test_animation_without_a_description_of_its_frames_is_a_still_picture() -> None:
    values = ramp(65535, 3)
    data = png(values, RGB, (b"acTL", struct.pack(">II", 1, 0)))
    assert np.abs(shown(data) - values / 65535 * 255).max() <= 1
