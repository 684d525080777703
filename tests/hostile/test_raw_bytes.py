"""Damaged RAW files are decoded or raise `PictureError`, and no other exception."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PictureError
from pictures.decode import DecodeSettings, decode
from tests.support.raw_files import CFA, cr3, jpeg_of, raf, rotated_dng, rw2, tiff_tree

PREVIEW = jpeg_of("red", (300, 260))
FILES = {
    "dng": rotated_dng(PREVIEW),
    "rw2": rw2(PREVIEW),
    "raf": raf(PREVIEW),
    "cr3": cr3(PREVIEW, PREVIEW),
    "orf": tiff_tree([{256: 40, 257: 30, 271: "X"}], signature=b"MMOR", order=">", exif={37500: PREVIEW}),
}
LIMITS = DecodeSettings(max_pixels=20_000_000)


@pytest.fixture(autouse=True, scope="module")
def no_decoder() -> None:
    """LibRaw is not what is tested here."""
    patch = pytest.MonkeyPatch()
    patch.setattr("pictures.raw.image.extra_is_installed", lambda _: False)


def survives(data: bytes) -> None:
    try:
        decoded = decode(data, LIMITS, shortest_side=64)
    except PictureError as error:
        assert error.detail
    else:
        assert decoded.image.mode == "RGB"


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bytes(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(FILES[kind])
    structure = [place for place in range(len(damaged)) if place < 600 or place > len(damaged) - 900]
    for place in data.draw(st.lists(st.sampled_from(structure), min_size=1, max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    survives(bytes(damaged))


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1))
def test_cut_files(kind: str, share: float) -> None:
    survives(FILES[kind][: int(share * len(FILES[kind]))])


def test_directories_in_a_circle_end() -> None:
    data = bytearray(tiff_tree([{271: "X", 262: CFA, 256: 40, 257: 30}]))
    (place,) = struct.unpack_from("<I", data, 4)
    data[-4:] = struct.pack("<I", place)
    survives(bytes(data))


def test_many_subdirectories_and_entries_are_bounded() -> None:
    survives(tiff_tree([{271: "X", 330: [8] * 60_000, 262: CFA, **dict.fromkeys(range(1000, 9000), 1)}]))


def test_value_longer_than_the_file_is_left_out() -> None:
    data = bytearray(rotated_dng(PREVIEW))
    entry = data.index(struct.pack("<HH", 271, 2))
    data[entry + 4 : entry + 8] = struct.pack("<I", 0xFFFFFFF0)
    assert decode(bytes(data)).info.metadata.camera == "Model 1"
