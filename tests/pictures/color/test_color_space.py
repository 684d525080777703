"""Colour declared by code points, gamma and chromaticities. Expected values are computed by hand from the formulas."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pictures.boxes import find_box
from pictures.color.code_points import nclx_code_points
from pictures.color.color_space import CODE_POINTS, CodePoints, declared_space
from pictures.decode import decode
from tests.pictures.color.test_conversion import RED_AND_GREEN_SWAPPED

SRGB_PRIMARIES, BT2020, DISPLAY_P3 = 1, 9, 12
SRGB, LINEAR, PQ, HLG = 13, 8, 16, 18


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(colours: list[tuple[int, int, int]], *chunks: bytes, **options: object) -> bytes:
    image = Image.new("RGB", (len(colours), 1))
    image.putdata(colours)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    data = file.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]


def shown(data: bytes) -> list[tuple[int, ...]]:
    return [tuple(pixel) for pixel in np.asarray(decode(data).image)[0].tolist()]


def cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def srgb(linear: float) -> float:
    """Encode a linear value as a byte (IEC 61966-2-1)."""
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


def pq(luminance: float) -> int:
    """Encode a luminance in cd/m2 as a byte (BT.2100-2, table 4: the inverse EOTF)."""
    power = (luminance / 10_000) ** 0.1593017578125
    return int(0.5 + 255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


@pytest.mark.parametrize("transfer", [1, 2, 6, 13, 14, 15, 99])
@pytest.mark.parametrize("primaries", [1, 2, 5, 6, 77])
def test_code_points_like_srgb_change_nothing(primaries: int, transfer: int) -> None:
    colours = [(0, 99, 255), (1, 2, 3)]
    assert shown(png(colours, cicp(primaries, transfer))) == colours


def test_linear_values_are_encoded() -> None:
    (found,) = shown(png([(128, 128, 10)], cicp(SRGB_PRIMARIES, LINEAR)))
    assert found == pytest.approx([srgb(128 / 255), srgb(128 / 255), srgb(10 / 255)], abs=0.6)


@pytest.mark.parametrize("share", [0.01, 0.18, 0.5, 0.74])
def test_pq_below_the_knee_looks_like_its_sdr_version(share: float) -> None:
    """203 cd/m2 are diffuse white, so that this share of it is shown as this share of the white of sRGB."""
    (found,) = shown(png([(pq(203 * share),) * 3], cicp(BT2020, PQ)))
    assert found == pytest.approx([srgb(share)] * 3, abs=3)  # a step of 8-bit PQ is up to 2 levels


@pytest.mark.parametrize(("luminance", "level"), [(203, 0.75 + 0.25 / 2), (1000, 0.75 + 0.25 * 16.7 / 17.7)])
def test_pq_highlights_are_compressed(luminance: float, level: float) -> None:
    """t / (1 + t) with t = (L - 0.75) / 0.25: 1 for diffuse white, (4.926 - 0.75) / 0.25 = 16.7 for 1,000 cd/m2."""
    (found,) = shown(png([(pq(luminance),) * 3], cicp(SRGB_PRIMARIES, PQ)))
    assert found == pytest.approx([srgb(level)] * 3, abs=2)


def test_hlg_diffuse_white_is_at_75_percent() -> None:
    """BT.2408-7, table 1: 75 % HLG is diffuse white, so that it is shown as 203 cd/m2 of PQ."""
    (found,) = shown(png([(191, 191, 191)], cicp(BT2020, HLG)))
    assert found == pytest.approx([srgb(0.875)] * 3, abs=2)
    (grey,) = shown(png([(96, 96, 96)], cicp(BT2020, HLG)))  # (96/255)^2 / 3 = 0.0472; 1000 * 0.0472^1.2 = 25.6 cd/m2
    assert grey == pytest.approx([srgb(25.6 / 203)] * 3, abs=1)


def test_hue_of_highlights_is_kept() -> None:
    (found,) = shown(png([(pq(1000), pq(500), pq(0))], cicp(SRGB_PRIMARIES, PQ)))
    level = 0.75 + 0.25 * 16.7 / 17.7
    assert found == pytest.approx([srgb(level), srgb(level / 2), 0], abs=4)


@pytest.mark.parametrize(
    ("primaries", "colour", "expected"),
    [
        # Linear sRGB of the colours: SMPTE RP 177-1993 matrices of the primaries; negative values are clipped.
        (DISPLAY_P3, (255, 0, 0), (1.2249, -0.0421, -0.0196)),
        (DISPLAY_P3, (0, 255, 0), (-0.2249, 1.0421, -0.0786)),
        (BT2020, (0, 255, 0), (-0.5876, 1.1329, -0.1006)),
        (BT2020, (188, 128, 128), (0.6925, 0.1802, 0.2107)),  # of 0.5029, 0.2159, 0.2159, by the inverse of BT.2087-0
        (DISPLAY_P3, (200, 200, 200), (0.5776, 0.5776, 0.5776)),
    ],
)
def test_wide_gamuts_are_converted(
    primaries: int, colour: tuple[int, int, int], expected: tuple[float, float, float]
) -> None:
    (found,) = shown(png([colour], cicp(primaries, SRGB)))
    assert found == pytest.approx([srgb(min(max(value, 0), 1)) for value in expected], abs=1.5)


def test_code_points_outrank_a_profile_in_a_png_only() -> None:
    colours = [(255, 0, 0)]
    found = shown(png(colours, cicp(SRGB_PRIMARIES, LINEAR), icc_profile=RED_AND_GREEN_SWAPPED))
    assert found == colours
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (255, 0, 0)).save(file, "AVIF", icc_profile=RED_AND_GREEN_SWAPPED, quality=100)
    assert np.abs(np.asarray(decode(file.getvalue()).image).astype(int) - (0, 255, 0)).max() < 12


@pytest.mark.parametrize("data", [b"", b"\x09", b"\x09\x10\x00", b"\x09\x10\x00\x01\x00"])
def test_code_points_of_a_wrong_length_are_ignored(data: bytes) -> None:
    assert shown(png([(10, 20, 30)], chunk(b"cICP", data))) == [(10, 20, 30)]


def test_damaged_code_points_are_ignored() -> None:
    broken = cicp(BT2020, PQ)[:-1] + b"\0"
    assert shown(png([(10, 20, 30)], broken)) == [(10, 20, 30)]


# gAMA and cHRM


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chromaticities(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


P3_CHROMATICITIES = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


@pytest.mark.parametrize("value", [1.0, 1 / 1.8])
def test_gamma_is_applied(value: float) -> None:
    (found,) = shown(png([(128, 64, 255)], gamma(value)))
    expected = [srgb((level / 255) ** (1 / value)) for level in (128, 64, 255)]
    assert found == pytest.approx(expected, abs=0.7)


@pytest.mark.parametrize("value", [0.45455, 0.45, 0, 0.001, 40, 42949])
def test_usual_and_absurd_gammas_change_nothing(value: float) -> None:
    assert shown(png([(128, 64, 255)], gamma(value))) == [(128, 64, 255)]


def test_chromaticities_are_applied() -> None:
    by_values = shown(png([(200, 100, 50)], chromaticities(*P3_CHROMATICITIES)))
    assert by_values == shown(png([(200, 100, 50)], cicp(DISPLAY_P3, SRGB)))
    assert by_values != [(200, 100, 50)]


@pytest.mark.parametrize(
    "values",
    [
        (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
        (0.0,) * 8,
        (0.3127, 0.3290, 0.64, 0.33, 0.64, 0.33, 0.15, 0.06),
        (9.0,) * 8,
    ],
)
def test_usual_and_absurd_chromaticities_change_nothing(values: tuple[float, ...]) -> None:
    assert shown(png([(200, 100, 50)], chromaticities(*values))) == [(200, 100, 50)]


def test_srgb_chunk_outranks_gamma() -> None:
    assert shown(png([(128, 64, 255)], chunk(b"sRGB", b"\0"), gamma(1.0))) == [(128, 64, 255)]


def test_profile_outranks_gamma() -> None:
    assert shown(png([(255, 0, 0)], gamma(1.0), icc_profile=RED_AND_GREEN_SWAPPED)) == [(0, 255, 0)]


def test_grey_pictures_with_a_gamma() -> None:
    file = io.BytesIO()
    Image.new("L", (2, 1), 128).save(file, "PNG")
    data = file.getvalue()
    assert shown(data[:33] + gamma(1.0) + data[33:])[0] == pytest.approx([srgb(128 / 255)] * 3, abs=0.7)


# nclx


def avif(primaries: int, transfer: int) -> bytes:
    """Return an AVIF of mid grey whose nclx box has other code points."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (128, 128, 128)).save(file, "AVIF", quality=100)
    data = file.getvalue()
    place = data.index(b"nclx") + 4
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


def test_nclx_is_read() -> None:
    assert nclx_code_points(io.BytesIO(avif(BT2020, PQ))) == CodePoints(BT2020, PQ)
    assert shown(avif(SRGB_PRIMARIES, LINEAR))[0] == pytest.approx([srgb(128 / 255)] * 3, abs=2)


def test_nclx_of_another_item_is_ignored() -> None:
    data = avif(BT2020, PQ)
    place = find_box(data, b"meta", 0, len(data))
    assert place is not None
    main = data.index(b"pitm") + 8
    other = data[:main] + struct.pack(">H", 77) + data[main + 2 :]
    assert nclx_code_points(io.BytesIO(other)) == CodePoints(BT2020, PQ)  # no associations: the first one
    ipma = data.index(b"ipma") + 12
    item, number = struct.unpack_from(">HB", data, ipma)
    assert item == 1
    without = data[: ipma + 3] + bytes(number) + data[ipma + 3 + number :]  # property 0 means none
    assert nclx_code_points(io.BytesIO(without)) is None


@pytest.mark.parametrize("length", [0, 8, 30, 60, 100, 200])
def test_cut_boxes_have_no_code_points(length: int) -> None:
    assert nclx_code_points(io.BytesIO(avif(BT2020, PQ)[:length])) is None


def test_unknown_information_declares_nothing() -> None:
    assert declared_space({}) is None
    assert declared_space({CODE_POINTS: CodePoints(2, 2)}) is None
    assert declared_space({"gamma": "text", "chromaticity": (1, 2)}) is None


def test_base_picture_of_a_gain_map_jpeg_is_shown() -> None:
    file = io.BytesIO()
    base, gains = Image.new("RGB", (48, 32), (200, 80, 40)), Image.new("L", (24, 16), 99)
    base.save(file, "MPO", save_all=True, append_images=[gains.convert("RGB")])
    decoded = decode(file.getvalue())
    assert (decoded.info.width, decoded.info.height) == (48, 32)
    assert np.abs(np.asarray(decoded.image).astype(int) - (200, 80, 40)).max() < 6
