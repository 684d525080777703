"""Small crafted files take neither a time nor a memory that grows faster than they do."""

import io
import struct
import tracemalloc
import zlib
from time import process_time

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import PictureError, PictureUndecodable
from pictures.decode import decode

MOST_SECONDS = 5.0
"""Far more than is needed, even on a busy machine, and far less than a square of the size takes."""


def encoded(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, form)
    return file.getvalue()


def jpeg_with_erased_end(number: int) -> bytes:
    """As on a memory card: the rest of the last cluster was never written."""
    return encoded("JPEG")[:-2] + b"\xff" * number


def jpeg_with_fill_bytes(number: int) -> bytes:
    return jpeg_with_erased_end(number) + b"\0"


def gif_of_endless_extensions(number: int) -> bytes:
    """Each extension leads through all following ones, and each is followed by an image without pixels."""
    comment, image = b"!\xfe\x0e", b"," + b"\x01" * 8 + b"\0\x02\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + (comment + image) * (number // 15)


def png_of_endless_chunks(number: int) -> bytes:
    """Each chunk without a right checksum reaches to the end of the file."""
    empty = b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    data, count = bytearray(encoded("PNG")[:33]), number // 24
    end = len(data) + 24 * count
    for _ in range(count):
        data += empty
        data += struct.pack(">I", end - len(data) - 8) + b"aaAazzzz"
    return bytes(data) + bytes(30)


@pytest.mark.parametrize(
    "make", [jpeg_with_erased_end, jpeg_with_fill_bytes, gif_of_endless_extensions, png_of_endless_chunks]
)
def test_repairs_do_not_take_the_square_of_the_size(make: object) -> None:
    assert callable(make)
    data, started = make(600_000), process_time()
    try:
        decode(data)
    except PictureError as error:
        assert error.detail
    assert process_time() - started < MOST_SECONDS


def raw_with_shared_values(number: int) -> bytes:
    """A CR2 with many tags in three directories, whose values are the same 8,192 rationals."""
    size = 2 + 12 * (number + 2) + 4
    main, details, gps, values = (16 + size * place for place in range(4))

    def directory(*pointers: tuple[int, int, int, int]) -> bytes:
        entries = [*((tag, 5, 8192, values) for tag in range(1000, 1000 + number)), *pointers]
        body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return (struct.pack("<H", len(entries)) + body).ljust(size, b"\0")

    head = b"II*\0" + struct.pack("<I", main) + b"CR\x02\0" + bytes(4)
    main_directory = directory((34665, 4, 1, details), (34853, 4, 1, gps))
    return head + main_directory + directory() * 2 + struct.pack("<II", 7, 3) * 8192


def test_tags_that_share_values_do_not_multiply_them() -> None:
    tracemalloc.start()
    with pytest.raises(PictureError):
        decode(raw_with_shared_values(900))
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["u2", "u1"])
def test_tiles_cannot_be_much_larger_than_the_picture(kind: str) -> None:
    """Pillow decodes those of 8 bits."""
    file = io.BytesIO()
    tifffile.imwrite(
        file, np.zeros((16, 16, 3), kind), photometric="rgb", compression="zlib", tile=(8192, 8192), maxworkers=1
    )
    with pytest.raises(PictureUndecodable, match="much larger than the picture"):
        decode(file.getvalue())


def test_deep_pictures_have_the_limit_of_pixels_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.full((60, 80, 3), 65535, "u2"), photometric="rgb", compression="zlib")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2 * 60 * 80)  # a row of this picture has six bytes per pixel
    assert np.asarray(decode(file.getvalue()).image).min() == 255
