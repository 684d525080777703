"""Damage beside the pixels does not cost the picture: metadata, profiles, unknown parts, sizes, and missing ends."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureError, PictureUndecodable
from pictures.decode import decode
from tests.support.damage import RANDOM, assert_shows, encode, pixels, scene

pytestmark = pytest.mark.filterwarnings("ignore::Warning:PIL")  # Pillow may warn

HUGE = zlib.compress(b"x" * 1_100_000)
"""More than Pillow expands."""


# PNG

CHUNKS = [
    "gAMA",
    "cHRM",
    "sRGB",
    "iCCP",
    "pHYs",
    "tIME",
    "bKGD",
    "hIST",
    "tEXt",
    "zTXt",
    "iTXt",
    "eXIf",
    "tRNS",
    "sBIT",
    "sPLT",
    "cICP",
    "acTL",
    "fcTL",
    "oFFs",
    "zzZz",
]
CONTENTS = {
    "empty": b"",
    "short": b"\1",
    "random": RANDOM,
    "cut-text": b"Comment\0\0" + HUGE[:100],
    "large-text": b"Comment\0\0" + HUGE,
    "large-international": b"Comment\0\1\0\0\0" + HUGE,
    "unknown-compression": b"Comment\0\7\7\7\7" + HUGE[:50],
    "keyword-only": b"Comment",
}


def chunk(kind: str, data: bytes, *, checksum: int = 0) -> bytes:
    body = kind.encode() + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body) ^ checksum)


@pytest.mark.parametrize("mode", ["RGB", "P", "L", "RGBA"])
@pytest.mark.parametrize("kind", CHUNKS)
def test_png_chunks(kind: str, mode: str) -> None:
    sound = encode("PNG", mode)
    for data in CONTENTS.values():
        for checksum in (0, 1):
            if checksum == 0 and kind == "tRNS":
                continue  # it may say something
            damaged = chunk(kind, data, checksum=checksum)
            assert_shows(sound[:33] + damaged + sound[33:], sound)
            assert_shows(sound[:-12] + damaged + sound[-12:], sound)


def test_png_chunk_with_a_wrong_length() -> None:
    sound = encode("PNG")
    text = chunk("tEXt", b"Comment\0" + b"words " * 20)
    for length in (3, 1_000, 1 << 31):
        wrong = struct.pack(">I", length) + text[4:]
        assert_shows(sound[:33] + wrong + sound[33:], sound)
        assert_shows(sound[:-12] + wrong + sound[-12:], sound)


@pytest.mark.parametrize("damage", [b"", RANDOM[:13]])
def test_png_header_stays_strict(damage: bytes) -> None:
    sound = encode("PNG")
    with pytest.raises(PictureUndecodable):
        decode(sound[:16] + damage + sound[29:])


def test_png_palette_with_a_wrong_checksum_is_refused() -> None:
    sound = bytearray(encode("PNG", "P"))
    sound[sound.index(b"PLTE") + 5] ^= 1
    with pytest.raises(PictureUndecodable, match="PLTE"):
        decode(bytes(sound))


@pytest.mark.parametrize("interlaced", [0, 1])
def test_png_without_its_last_bytes(interlaced: int) -> None:
    sound = encode("PNG", compress_level=0)
    if interlaced:
        sound = interlace(scene())
    data_end = sound.index(b"IEND") - 4
    for cut in (len(sound) - 1, data_end, data_end - 4):  # in the last chunk, before it, before a checksum
        assert_shows(sound[:cut], sound)
    with pytest.raises(PictureUndecodable, match=r"truncated: \d+ %|damaged"):
        decode(sound[: len(sound) // 2])


def interlace(image: Image.Image) -> bytes:
    """Return an interlaced PNG, which Pillow cannot write (PNG, third edition, section 8.2)."""
    values = np.asarray(image)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b"".join(
        b"\0" + row.tobytes() for left, top, across, down in passes for row in values[top::down, left::across]
    )
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    parts = chunk("IHDR", header) + chunk("IDAT", zlib.compress(rows)) + chunk("IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_truncated_png_says_how_much_is_there() -> None:
    sound = encode("PNG", compress_level=0)  # rows of 241 bytes, in the order of the file
    start = sound.index(b"IDAT") + 4 + 2 + 5  # headers of zlib and of the first stored block
    with pytest.raises(PictureUndecodable, match="truncated: 50 % of its rows are there"):
        decode(sound[: start + 241 * 30 + 100])


# WebP


def webp(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    sound = encode("WEBP", lossless=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"<x/>")
    added = (kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    body = sound[12:] + b"".join(added)
    return b"RIFF" + struct.pack("<I", 4 + len(body) if size is None else size) + b"WEBP" + body


@pytest.mark.parametrize("chunks", [(), ((b"EXIF", RANDOM),), ((b"XMP ", RANDOM), (b"ZZZZ", b"\1")), ((b"ICCP", b""),)])
def test_webp_chunks(chunks: tuple[tuple[bytes, bytes], ...]) -> None:
    sound = webp()
    assert_shows(webp(*chunks), sound)
    for size in (0, 20, 1 << 30):
        assert_shows(webp(*chunks, size=size), sound)
    for cut in range(1, 12):
        assert_shows(webp(*chunks)[:-cut], sound)


def test_webp_pixels_of_a_wrong_length_are_refused() -> None:
    sound = webp()
    pixels_start = sound.index(b"VP8L") + 8
    for shift in (-5, 5):
        middle = pixels_start + 200
        shifted = sound[:middle] + b"\xfa" * shift + sound[middle - min(shift, 0) :]
        with pytest.raises(PictureError):
            decode(shifted)


# TIFF


def tiff(*extra: tuple[int, int, int, int], compression: str = "raw") -> bytes:
    """Return a TIFF with entries of its directory (tag, type, count, value) that replace those with the same tag."""
    sound = encode("TIFF", compression=compression)
    (start,) = struct.unpack_from("<I", sound, 4)
    (number,) = struct.unpack_from("<H", sound, start)
    entries = [struct.unpack_from("<HHII", sound, start + 2 + 12 * place) for place in range(number)]
    entries = [entry for entry in entries if entry[0] not in {tag for tag, *_ in extra}] + list(extra)
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return sound[:4] + struct.pack("<I", len(sound)) + sound[8:] + body


BESIDE = [269, 270, 271, 272, 282, 283, 285, 296, 297, 305, 306, 315, 316, 333, 700, 33432, 33550, 33723, 34377, 34665]
BESIDE += [34675, 34853, 37724, 42112, 50341, 65280]


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("tag", BESIDE)
def test_tiff_tags_without_pixels(tag: int, compression: str) -> None:
    sound = tiff(compression=compression)
    fields = ((99, 1, 7), (2, 1 << 30, 8), (5, 1, 1 << 31), (4, 1, 1 << 31), (7, 0, 0), (3, 9, 4), (16, 1, 0))
    for kind, count, value in fields:
        assert_shows(tiff((tag, kind, count, value), compression=compression), sound)


def test_truncated_tiff_says_how_much_is_there() -> None:
    first = encode("TIFF", compression="raw")
    directory = struct.unpack_from("<I", first, 4)[0]
    body = first[directory:]  # the directory comes first, so that pixels are at the end
    assert directory < 200 or body
    with pytest.raises(PictureUndecodable, match="truncated"):
        decode(first[: len(first) * 2 // 3])


# GIF


def gif_parts() -> tuple[bytes, bytes]:
    sound = encode("GIF", "P")
    image = sound.index(b",\0\0\0\0")
    return sound[:image], sound[image:]


@pytest.mark.parametrize("extension", [0xFE, 0xFF, 0x01, 0xF9, 0x77])
def test_gif_extensions(extension: int) -> None:
    head, image = gif_parts()
    sound = head + image
    for blocks in (b"\0", b"\1\1\0", b"\x0bNETSCAPE2.0\1\1\0", b"\x28" + RANDOM + b"\0"):
        if extension == 0xF9:
            blocks = b"\0"
        assert_shows(head + bytes([0x21, extension]) + blocks + image, sound)
    assert_shows(sound[:-1] + bytes([0x21, 0xFE, 200]) + b"cut", sound)


def test_gif_without_its_end() -> None:
    sound = encode("GIF", "P")
    for cut in range(1, 4):  # the trailer, the last block's end, the end code
        assert_shows(sound[:-cut], sound)
    with pytest.raises(PictureUndecodable, match=r"truncated: \d+ % of its rows are there"):
        decode(sound[: len(sound) * 2 // 3])


# Boxes


def box(kind: bytes, body: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">I", len(body) + 8 if length is None else length) + kind + body


@pytest.mark.parametrize("form", ["AVIF", "JPEG2000"])
@pytest.mark.parametrize("kind", [b"free", b"uuid", b"xml ", b"zzzz", b"res "])
def test_boxes_after_the_pixels(form: str, kind: bytes) -> None:
    sound = encode(form)
    for length in (None, 4, 1 << 30):
        assert_shows(sound + box(kind, RANDOM, length=length), sound)
    assert_shows(sound + RANDOM, sound)


@pytest.mark.parametrize("metadata", [RANDOM, b"", b"Exif\0\0" + b"\xff" * 300])
def test_avif_metadata(metadata: bytes) -> None:
    sound = encode("AVIF", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"<x/>")
    place = sound.index(b"II*\0\x08")
    damaged = sound[: place - 4] + metadata[:18].ljust(18, b"\xff") + sound[place + 14 :]
    assert_shows(damaged, sound)


# Pixels without compression


def raw_files() -> Iterator[tuple[str, bytes]]:
    yield "bmp", encode("BMP")
    yield "palette-bmp", encode("BMP", "P")
    yield "ppm", encode("PPM")
    yield "pgm", encode("PPM", "L")
    yield "tga", encode("TGA")
    yield "tga-runs", encode("TGA", compression="tga_rle")


RAW_FILES = dict(raw_files())


@pytest.mark.parametrize("name", RAW_FILES)
def test_truncated_raw_files_say_how_much_is_there(name: str) -> None:
    data = RAW_FILES[name]
    found = []
    for share in (0.4, 0.6, 0.8):
        with pytest.raises(PictureUndecodable, match="truncated") as caught:
            decode(data[: int(len(data) * share)])
        found.append(caught.value.detail)
    if name == "tga-runs":
        assert set(found) == {"truncated: some of its rows are missing"}
    else:
        shares = [int(detail.split()[1]) for detail in found]
        assert shares == sorted(set(shares))
        assert 20 < shares[0] <= 40
        assert 70 < shares[2] <= 80


# Every cut of every format

FILES = {
    "jpeg": encode("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "png": encode("PNG"),
    "gif": encode("GIF", "P"),
    "webp": encode("WEBP", lossless=True, xmp=b"<x/>"),
    "tiff": encode("TIFF", compression="tiff_lzw"),
    "jp2": encode("JPEG2000"),
    "avif": encode("AVIF"),
    **RAW_FILES,
}


@pytest.mark.parametrize("name", FILES)
def test_every_cut_shows_the_picture_or_raises(name: str) -> None:
    data = FILES[name]
    whole = pixels(data)
    for length in [*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 20, len(data))]:
        try:
            found = pixels(data[:length])
        except PictureError as error:
            assert error.detail
        else:
            assert np.array_equal(found, whole), length
