"""Malicious and damaged picture files are decoded or raise `PictureError`, quickly, and no other exception."""

import io
import random
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureError, PictureTooLarge, PictureUndecodable
from pictures.decode import Decoded, DecodeSettings, decode

pytestmark = pytest.mark.filterwarnings("ignore::Warning:PIL")  # Pillow may warn

SMALL = DecodeSettings(max_pixels=1_000_000)
"""Small limits, so that a flipped size field does not allocate much memory. Other tests use the defaults."""


def photo() -> Image.Image:
    y, x = np.mgrid[0:72, 0:96]
    noise = np.random.default_rng(0).integers(0, 32, (72, 96, 3))
    return Image.fromarray((np.stack([x * 2, y * 2, x + y], axis=-1) + noise).astype(np.uint8))


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def every_format() -> Iterator[tuple[str, bytes]]:
    rgb = photo()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    yield "jpeg", encode(rgb, "JPEG", exif=exif)
    yield "progressive", encode(rgb, "JPEG", progressive=True)
    yield "cmyk", encode(rgb.convert("CMYK"), "JPEG")
    yield "mpo", encode(rgb, "MPO", save_all=True, append_images=[rgb])
    yield "png", encode(rgb, "PNG", exif=exif)
    yield "palette", encode(rgb.quantize(16), "PNG", transparency=3)
    yield "apng", encode(rgb, "PNG", save_all=True, append_images=[rgb.rotate(90)])
    yield "gif", encode(rgb, "GIF", save_all=True, append_images=[rgb.rotate(90)])
    yield "webp", encode(rgb, "WEBP", exif=exif)
    yield "lossless", encode(rgb.convert("RGBA"), "WEBP", lossless=True)
    yield "bmp", encode(rgb, "BMP")
    yield "tiff", encode(rgb, "TIFF")
    yield "lzw", encode(rgb, "TIFF", compression="tiff_lzw")
    yield "deep", encode(Image.fromarray(np.arange(6912, dtype=np.uint16).reshape(72, 96)), "TIFF")
    yield "avif", encode(rgb, "AVIF")
    yield "jp2", encode(rgb, "JPEG2000")
    yield "ppm", encode(rgb, "PPM")
    yield "tga", encode(rgb, "TGA", compression="tga_rle")


FORMATS = dict(every_format())


def attempt(data: bytes, side: int | None = None) -> Decoded | None:
    """Return the decoded picture, or None if `PictureError` is raised. Anything else fails the test."""
    try:
        decoded = decode(data, SMALL, side)
    except PictureError as error:
        assert error.detail
        return None
    assert decoded.image.mode == "RGB"
    assert decoded.image.width * decoded.image.height <= SMALL.max_pixels
    return decoded


@pytest.mark.parametrize("form", FORMATS)
def test_truncated_file_raises_or_decodes_completely(form: str) -> None:
    """A truncated file is rejected unless all its pixels are complete: half a picture is never decoded.

    The last bits of progressive pixels may be missing, and the orientation, which may follow the pixels.
    """
    data = FORMATS[form]
    whole = np.asarray(decode(data).image)
    rng = random.Random(form)
    for length in [*range(40), *(rng.randrange(len(data)) for _ in range(40)), len(data) - 1]:
        decoded = attempt(data[:length])
        if decoded is None:
            continue
        found = np.asarray(decoded.image)
        if form == "progressive":
            assert np.abs(found.astype(int) - whole).mean() < 6, length
        else:
            assert np.array_equal(found, whole) or np.array_equal(np.rot90(found, -1), whole), length


@pytest.mark.parametrize("form", FORMATS)
def test_flipped_bytes_raise_only_picture_errors(form: str) -> None:
    rng = random.Random(form)
    started = time.process_time()
    for _ in range(120):
        data = bytearray(FORMATS[form])
        for _ in range(rng.choice([1, 1, 2, 8])):
            reach = rng.choice([64, 512, len(data)])  # headers are the most sensitive part
            data[rng.randrange(min(reach, len(data)))] = rng.randrange(256)
        attempt(bytes(data), rng.choice([None, 16]))
    assert time.process_time() - started < 10


def test_spliced_files_raise_only_picture_errors() -> None:
    rng = random.Random(0)
    files = list(FORMATS.values())
    for _ in range(300):
        first, second = rng.choice(files), rng.choice(files)
        attempt(first[: rng.randrange(len(first))] + second[rng.randrange(len(second)) :])


def test_noise_after_a_signature_raises_only_picture_errors() -> None:
    rng = random.Random(0)
    for data in FORMATS.values():
        for length in (4, 12, 16, 32):
            attempt(data[:length] + rng.randbytes(2000))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\xff",
        b"\xff\xd8\xff",
        b"just some words\n" * 100,
        b"<!doctype html><title>404</title>",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.7\n",
        b"\0" * 5000,
        b"\xff" * 5000,
        b"\0\0\0\x18ftypmp42" + bytes(500),
    ],
    ids=["empty", "nul", "ff", "soi", "text", "html", "svg", "eps", "pdf", "zeros", "ones", "video"],
)
def test_files_that_are_not_pictures_are_rejected(data: bytes) -> None:
    with pytest.raises(PictureUndecodable):
        decode(data)


def png(*chunks: tuple[bytes, bytes], width: int = 2, height: int = 1) -> bytes:
    """Return a PNG of grey pixels with extra chunks before the pixels and arbitrary header values."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"\0\x80\x80")), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def lying_headers() -> Iterator[tuple[str, bytes]]:
    yield "png", png(width=50_000, height=50_000)
    yield "gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + FORMATS["gif"][10:]
    yield "bmp", FORMATS["bmp"][:18] + struct.pack("<ii", 60_000, 60_000) + FORMATS["bmp"][26:]
    yield "ppm", b"P6\n60000 60000\n255\n" + bytes(100)
    yield "tga", FORMATS["tga"][:12] + struct.pack("<HH", 60_000, 60_000) + FORMATS["tga"][16:]
    jpeg, frame = FORMATS["jpeg"], FORMATS["jpeg"].index(b"\xff\xc0")
    yield "jpeg", jpeg[: frame + 5] + struct.pack(">HH", 65_000, 65_000) + jpeg[frame + 9 :]
    tiff = bytearray(FORMATS["tiff"])
    directory = struct.unpack_from("<I", tiff, 4)[0]
    for entry in range(directory + 2, directory + 26, 12):  # width and height come first
        struct.pack_into("<HI", tiff, entry + 2, 4, 1)
        struct.pack_into("<I", tiff, entry + 8, 60_000)
    yield "tiff", bytes(tiff)


LIARS = dict(lying_headers())


@pytest.mark.parametrize("form", LIARS)
def test_headers_with_billions_of_pixels_are_rejected(form: str) -> None:
    with pytest.raises(PictureTooLarge) as caught:
        decode(LIARS[form])
    assert caught.value.width * caught.value.height > 2_000_000_000


def test_huge_webp_canvas_is_rejected() -> None:
    canvas = (16_000_000).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + canvas + bytes(40)
    with pytest.raises(PictureError):
        decode(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_gif_frame_larger_than_its_screen_is_rejected() -> None:
    gif = FORMATS["gif"]
    frame = gif.index(b",\0\0\0\0")
    with pytest.raises(PictureError):
        decode(gif[: frame + 5] + struct.pack("<HH", 65_000, 65_000) + gif[frame + 9 :])


def bombs() -> Iterator[tuple[str, bytes]]:
    zeros = zlib.compress(bytes(300_000_000), 9)  # 300 MB in 300 kB
    yield "zTXt", png((b"zTXt", b"Comment\0\0" + zeros))
    yield "iTXt", png((b"iTXt", b"Comment\0\1\0\0\0" + zeros))
    yield "iCCP", png((b"iCCP", b"profile\0\0" + zeros))
    yield "many", png(*[(b"zTXt", b"k\0\0" + zlib.compress(bytes(900_000)))] * 200)


def test_compression_bombs_are_not_expanded() -> None:
    for name, data in bombs():
        tracemalloc.start()
        attempt(data)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak_bytes < 100_000_000, name


def test_pixels_beyond_the_header_are_not_decoded() -> None:
    """Only the pixels of the 2 x 1 picture are read from 200 MB of pixel data."""
    header = png()[: 8 + 25]
    pixels = zlib.compress(b"\0\x80\x80" + bytes(200_000_000), 1)
    data = header + struct.pack(">I", len(pixels)) + b"IDAT" + pixels + struct.pack(">I", zlib.crc32(b"IDAT" + pixels))
    started = time.process_time()
    attempt(data + b"\0\0\0\0IEND\xaeB`\x82")
    assert time.process_time() - started < 5


def tiff_directory(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + body + struct.pack("<I", following)


@pytest.mark.parametrize(
    "data",
    [
        tiff_directory(following=8),  # the next directory is this one
        tiff_directory((256, 4, 1, 9), (257, 4, 1, 9), following=8),
        tiff_directory((256, 4, 1, 9), (257, 4, 1, 9), (330, 4, 1, 8), (34665, 4, 1, 8), (34853, 4, 1, 8)),
        tiff_directory((256, 4, 2**31, 9), (257, 4, 1, 9)),
        tiff_directory((256, 4, 1, 9), (257, 4, 1, 9), (273, 4, 2**32 - 1, 8), (279, 4, 2**32 - 1, 8)),
        tiff_directory((256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 60_000, 8), (277, 3, 1, 60_000)),
        tiff_directory((256, 4, 1, 0), (257, 4, 1, 0)),
    ],
    ids=["loop", "sized-loop", "sub-loops", "count", "strips", "samples", "no-pixels"],
)
def test_invalid_tiff_directories_raise_only_picture_errors(data: bytes) -> None:
    with pytest.raises(PictureUndecodable):
        decode(data + bytes(64))


def test_looping_exif_does_not_prevent_decoding() -> None:
    block = tiff_directory((34665, 4, 1, 8), (34853, 4, 1, 8), (40965, 4, 1, 8), following=8)
    decoded = decode(encode(photo(), "JPEG", exif=b"Exif\0\0" + block))
    assert decoded.info.width == 96
    assert decoded.info.metadata.taken_at is None


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0" + b"\xff" * 60_000, bytes(60_000)])
def test_garbage_metadata_does_not_prevent_decoding(block: bytes) -> None:
    jpeg = encode(photo(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    assert decode(jpeg[:2] + segment * 20 + jpeg[2:]).info.width == 96


def test_jpeg_of_many_segments_is_decoded_or_rejected() -> None:
    started = time.process_time()
    with pytest.raises(PictureUndecodable):
        decode(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 500_000)
    assert time.process_time() - started < 5


def test_extreme_shapes_are_rejected_before_resizing() -> None:
    for size in ((30_000, 1), (1, 30_000), (9_000, 3)):
        with pytest.raises(PictureTooLarge):
            decode(encode(Image.new("L", size), "PNG"))
