"""JPEGs that are damaged beside their pixels, that lack their end, or that are cut, with an end or without one."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureUndecodable
from pictures.decode import decode
from tests.support.damage import RANDOM, assert_shows, encode, pixels

pytestmark = pytest.mark.filterwarnings("ignore::Warning:PIL")  # Pillow may warn

END = b"\xff\xd9"

IDENTIFIERS = [b"", b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"MPF\0", b"FPXR\0", b"Adobe"]
IDENTIFIERS += [b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"ICC_PROFILE\0\1\2"]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("number", [0, 1, 2, 3, 13, 14, 15, 30])  # APP0 to APP15, and COM
def test_jpeg_segments(number: int, progressive: bool) -> None:
    sound = encode("JPEG", progressive=progressive)
    for identifier in IDENTIFIERS:
        for rest in (b"", b"\1", b"\xff" * 100, RANDOM):
            body = identifier + rest
            segment = bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(body) + 2) + body
            assert_shows(sound[:2] + segment + sound[2:], sound)
            assert_shows(sound[:20] + segment + sound[20:], sound)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_without_its_end(options: dict[str, object], mode: str) -> None:
    sound = encode("JPEG", mode, quality=90, **options)
    for tail in (b"", b"\xff", bytes(64), bytes(5000), b"\xff\xff\xff", b"\xff\xe1garbage" + RANDOM * 50):
        assert_shows(sound[:-2] + tail, sound)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_truncated_jpeg_says_how_much_is_there(mode: str) -> None:
    sound = encode("JPEG", mode, quality=95, subsampling=0)  # 8 rows of blocks
    found = []
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(PictureUndecodable, match=r"truncated: \d+ % of its rows are there") as caught:
            decode(sound[: int(len(sound) * share)])
        found.append(int(caught.value.detail.split()[1]))
    assert found == sorted(found)
    assert found[0] < 35
    assert 70 < found[2] < 95


@pytest.mark.parametrize("padding", [b"", bytes(10_000)])
def test_half_a_jpeg_is_never_accepted(padding: bytes) -> None:
    for progressive in (False, True):
        sound = encode("JPEG", quality=95, progressive=progressive)
        start = sound.index(b"\xff\xda")
        for cut in range(start, start + (len(sound) - start) // 2, 97):
            with pytest.raises(PictureUndecodable):
                decode(sound[:cut] + padding)


def test_progressive_jpeg_without_its_last_refinement_is_shown() -> None:
    sound = encode("JPEG", quality=95, progressive=True)
    last_scan = sound.rindex(b"\xff\xda")
    difference = np.abs(pixels(sound[: last_scan + 40]).astype(int) - pixels(sound))
    assert difference.mean() < 3


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("after", [b"", b"a film of a motion photo" * 20])
def test_cut_jpeg_with_an_end_says_how_much_is_there(mode: str, after: bytes) -> None:
    sound = encode("JPEG", mode, quality=95, subsampling=0)  # 8 rows of blocks
    found = []
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(PictureUndecodable, match=r"truncated: \d+ % of its rows are there") as caught:
            decode(sound[: int(len(sound) * share)] + END + after)
        found.append(int(caught.value.detail.split()[1]))
    assert found == sorted(found)
    assert found[0] < 35
    assert 70 < found[2] < 95
    assert_shows(sound + after, sound)


@pytest.mark.parametrize("shortest_side", [None, 8])
def test_cut_progressive_jpeg_with_an_end_is_refused(shortest_side: int | None) -> None:
    sound = encode("JPEG", quality=95, progressive=True)
    scans = [place for place in range(len(sound)) if sound[place : place + 2] == b"\xff\xda"]
    for start in scans[:4]:  # those without which coefficients are missing
        with pytest.raises(PictureUndecodable, match=r"truncated: .* of its rows are there"):
            decode(sound[: start + 14] + END, shortest_side=shortest_side)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("level", [127, 128])
def test_whole_jpeg_that_ends_in_mid_grey_is_shown(progressive: bool, mode: str, level: int) -> None:
    image = Image.new(mode, (80, 60), (level,) * len(mode) if mode != "L" else level)
    image.paste(200 if mode == "L" else (200,) * len(mode), (0, 0, 30, 30))
    file = io.BytesIO()
    image.save(file, "JPEG", progressive=progressive)
    shown = np.asarray(decode(file.getvalue()).image.convert("L")).astype(int)
    assert shown[5, 5] != shown[50, 70]


@pytest.mark.parametrize("keep", [2, 20, 200])
def test_jpeg_without_any_pixels_is_truncated(keep: int) -> None:
    with pytest.raises(PictureUndecodable, match="truncated: 0 % of its rows are there"):
        decode(encode("JPEG")[:keep])
