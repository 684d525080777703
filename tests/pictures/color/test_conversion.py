import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from pictures.color.conversion import BACKGROUND, to_8_bit, to_srgb
from pictures.decode import decode

SRGB: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def rows(image: Image.Image) -> list[list[int]]:
    """Return the pixels row by row, each as [red, green, blue]."""
    assert image.mode == "RGB"
    return np.asarray(image).reshape(-1, 3).tolist()


def decoded(image: Image.Image, form: str, **options: object) -> list[list[int]]:
    """Return the pixels of `image` row by row after saving it losslessly and decoding it."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return rows(decode(file.getvalue()).image)


def grey(*levels: int) -> list[list[int]]:
    return [[level] * 3 for level in levels]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_16_bit_greys_are_scaled(form: str) -> None:
    values = np.array([[0, 128, 129, 257 * 100, 65535]], dtype=np.uint16)  # up to 257 * v + 128 rounds to v
    assert decoded(Image.fromarray(values), form) == grey(0, 0, 1, 100, 255)


def test_16_bit_big_endian_is_read() -> None:
    big = Image.frombytes("I;16B", (3, 1), struct.pack(">3H", 0, 257 * 7, 65535))
    assert rows(to_srgb(to_8_bit(big), None)) == grey(0, 7, 255)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 257 * 3, 65535], [0, 3, 255]),  # fits 16 bits
        ([0, 100_000, 200_000], [0, 128, 255]),  # stretched: 127.5 rounds to even
        ([-10, 0, 90], [0, 26, 255]),  # 25.5 rounds to even
        ([70_000, 70_000, 70_000], [0, 0, 0]),
    ],
)
def test_32_bit_integers_are_scaled_or_stretched(values: list[int], expected: list[int]) -> None:
    assert decoded(Image.fromarray(np.array([values], dtype=np.int32)), "TIFF") == grey(*expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.2, 1.0], [0, 51, 255]),
        ([0.0, 7.0, 255.0], [0, 7, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 500.0, 1000.0], [0, 128, 255]),
        ([np.nan, 0.2, 1.0], [0, 51, 255]),
        ([-np.inf, 0.2, np.inf], [0, 51, 255]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
        ([-1e308, 0.0, 1e308], [0, 0, 255]),  # infinities in float32
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_floats_are_scaled_or_stretched(values: list[float], expected: list[int]) -> None:
    assert decoded(Image.fromarray(np.array([values]).astype(np.float32)), "TIFF") == grey(*expected)


def test_1_bit_becomes_black_and_white() -> None:
    assert decoded(Image.fromarray(np.array([[True, False]])), "PNG") == grey(255, 0)


def test_cmyk_without_profile_is_converted() -> None:
    inks = Image.frombytes("CMYK", (3, 1), bytes([255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]))  # cyan, paper, black
    assert decoded(inks, "TIFF") == [[0, 255, 255], [255, 255, 255], [0, 0, 0]]


def test_inverted_cmyk_jpeg_is_converted() -> None:
    file = io.BytesIO()
    Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(file, "JPEG", quality=95)
    assert b"Adobe" in file.getvalue()[:64]
    assert np.abs(np.array(rows(decode(file.getvalue()).image)) - [0, 255, 255]).max() <= 3


def test_lab_is_converted() -> None:
    lab = Image.frombytes("LAB", (2, 1), bytes([255, 0, 0, 0, 0, 0]))  # white and black
    assert np.abs(np.array(rows(to_srgb(to_8_bit(lab), None))) - [[255] * 3, [0] * 3]).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_transparent_pixels_show_the_background(form: str) -> None:
    image = Image.frombytes("RGBA", (2, 1), bytes([200, 100, 50, 255, 0, 0, 0, 0]))
    options = {"lossless": True} if form == "WEBP" else {}
    assert decoded(image, form, **options) == [[200, 100, 50], list(BACKGROUND)]


def test_half_transparent_pixels_are_blended() -> None:
    (pixel,) = decoded(Image.new("RGBA", (1, 1), (228, 28, 128, 51)), "PNG")  # 51 / 255 = a fifth
    assert pixel == [148, 108, 128]  # 128 + 100 / 5, 128 - 100 / 5


def test_transparent_drawing_of_any_colour_stays_visible() -> None:
    for ink in (0, 255):
        drawing = Image.new("LA", (3, 1), (ink, 0))
        drawing.putpixel((1, 0), (ink, 255))
        assert decoded(drawing, "PNG") == [list(BACKGROUND), [ink] * 3, list(BACKGROUND)]


def test_transparent_palette_entries_show_the_background() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    assert decoded(image, "PNG") == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert decoded(image, "PNG", transparency=1) == [[255, 0, 0], list(BACKGROUND), [0, 0, 255]]
    assert decoded(image, "PNG", transparency=bytes([255, 255, 0])) == [[255, 0, 0], [0, 255, 0], list(BACKGROUND)]
    assert decoded(image, "GIF", transparency=2) == [[255, 0, 0], [0, 255, 0], list(BACKGROUND)]


def tga(descriptor: int, pixels: bytes, extension: bytes = b"") -> bytes:
    """Return an uncompressed TGA, 2 x 1 pixels of 32 bits: blue, green, red and the fourth channel."""
    return struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 2, 1, 32, descriptor) + pixels + extension


def bmp(pixels: bytes) -> bytes:
    """Return a BMP, 2 x 1 pixels of 32 bits, whose header declares an alpha channel."""
    header = struct.pack("<IiiHHIIiiII", 56, 2, 1, 1, 32, 3, 8, 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return b"BM" + struct.pack("<IHHI", 78, 0, 0, 70) + header + masks + pixels


TWO_COLOURS, SHOWN = (50, 100, 200), [[200, 100, 50], [30, 20, 10]]


def two_pixels(*alphas: int) -> bytes:
    return bytes([*TWO_COLOURS, alphas[0], 10, 20, 30, alphas[1]])


@pytest.mark.parametrize("data", [tga(0x28, two_pixels(0, 0)), tga(0x20, two_pixels(0, 0)), bmp(two_pixels(0, 0))])
def test_alpha_that_is_zero_everywhere_is_ignored(data: bytes) -> None:
    assert rows(decode(data).image) == SHOWN


def test_alpha_that_the_header_does_not_declare_is_ignored() -> None:
    assert rows(decode(tga(0x20, two_pixels(255, 0))).image) == SHOWN


def test_alpha_that_the_header_declares_is_used() -> None:
    for data in (tga(0x28, two_pixels(255, 0)), bmp(two_pixels(255, 0))):
        assert rows(decode(data).image) == [[200, 100, 50], list(BACKGROUND)]


def test_transparent_picture_of_one_colour_is_background() -> None:
    assert decoded(Image.new("RGBA", (2, 1), (9, 9, 9, 0)), "PNG") == [list(BACKGROUND)] * 2
    assert decoded(Image.frombytes("RGBA", (2, 1), bytes([9, 9, 9, 0, 7, 7, 7, 0])), "PNG") == grey(9, 7)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize(("depth", "colour", "sample"), [(8, 2, 3), (16, 2, 6), (8, 0, 1), (16, 0, 2)])
def test_transparent_colour_does_not_prevent_decoding(depth: int, colour: int, sample: int) -> None:
    key = struct.pack(">H", 9) * (3 if colour == 2 else 1)
    row = bytes([0]) + bytes([200]) * sample * 2
    header = struct.pack(">IIBBBBB", 2, 1, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", key), (b"IDAT", zlib.compress(row)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
    assert rows(decode(png).image) == grey(200, 200)


# Colour profiles. The expected values follow from the profiles without a colour engine.


def icc(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """Return a minimal ICC v2 profile (ICC.1:2001-04)."""
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s12x4s28x", 0, b"lcms", 0x02400000, kind, space, connection, b"acsp")
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50, as 16.16 fixed point
    whole = (header + white).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


WHITE_POINT = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
LINEAR_GREY = icc(b"GRAY", {b"wtpt": WHITE_POINT, b"kTRC": b"curv" + bytes(8)})
RED_AND_GREEN_SWAPPED: bytes = (
    SRGB[:128]
    + SRGB[128:512].replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    + SRGB[512:]
)


def lut8(corners: list[int]) -> bytes:
    """Return an A2B0 table from four inks, each 0 or full (the last varies fastest), to greys of lightness 0..255."""
    identity = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    colours = b"".join(bytes([lightness, 128, 128]) for lightness in corners)
    return b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + colours + identity * 3


PAPER_WHITE_CYAN_GREY_ELSE_BLACK = lut8([255, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0])
CYAN_IS_MID_GREY = icc(
    b"CMYK", {b"wtpt": WHITE_POINT, b"A2B0": PAPER_WHITE_CYAN_GREY_ELSE_BLACK}, connection=b"Lab ", kind=b"prtr"
)


def test_rgb_profile_is_applied() -> None:
    image = Image.frombytes("RGB", (2, 1), bytes([255, 0, 0, 0, 255, 0]))
    found = np.array(decoded(image, "PNG", icc_profile=RED_AND_GREEN_SWAPPED))
    assert np.abs(found - [[0, 255, 0], [255, 0, 0]]).max() <= 2


def test_profile_is_applied_to_transparent_pictures() -> None:
    image = Image.frombytes("RGBA", (2, 1), bytes([255, 0, 0, 255, 255, 0, 0, 0]))
    found = np.array(decoded(image, "PNG", icc_profile=RED_AND_GREEN_SWAPPED))
    assert np.abs(found - [[0, 255, 0], BACKGROUND]).max() <= 2


def test_grey_profile_is_applied() -> None:
    linear = 128 / 255
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    ((r, g, b),) = decoded(Image.new("L", (1, 1), 128), "PNG", icc_profile=LINEAR_GREY)
    assert r == g == b == pytest.approx(expected, abs=2)


def test_cmyk_profile_is_applied() -> None:
    lightness = 128 / 255 * 100  # L* of the table
    linear = ((lightness + 16) / 116) ** 3
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    inks = Image.frombytes("CMYK", (2, 1), bytes([255, 0, 0, 0, 0, 0, 0, 0]))
    cyan, paper = decoded(inks, "TIFF", icc_profile=CYAN_IS_MID_GREY)
    assert cyan == pytest.approx([expected] * 3, abs=3)
    assert paper == pytest.approx([255] * 3, abs=1)


def test_grey_picture_tagged_srgb_is_unchanged() -> None:
    found = np.array(decoded(Image.frombytes("L", (3, 1), bytes([0, 99, 255])), "PNG", icc_profile=SRGB))
    assert np.abs(found - grey(0, 99, 255)).max() <= 1


@pytest.mark.parametrize(
    "profile",
    [b"", b"garbage", SRGB[:200], bytes(len(SRGB)), LINEAR_GREY, CYAN_IS_MID_GREY],
    ids=["empty", "garbage", "cut", "zeros", "grey", "cmyk"],
)
def test_broken_or_unsuitable_profile_is_ignored(profile: bytes) -> None:
    assert rows(to_srgb(Image.new("RGB", (1, 1), (10, 20, 30)), profile)) == [[10, 20, 30]]
