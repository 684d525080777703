"""Damaged videos are decoded or raise `PictureError`, within a bounded time, and no other exception."""

import random
import time
from pathlib import Path

import pytest

from core.errors import PictureError
from pictures.decode import DecodeSettings, decode_frames
from pictures.extras import extra_is_installed
from tests.support.video_files import scene, write_video

pytestmark = pytest.mark.skipif(not extra_is_installed("video"), reason="needs the extra `video`")

NAMES = {"clip.mp4": "libx264", "clip.mkv": "libvpx", "clip.avi": "mpeg4", "clip.ts": "mpeg2video", "clip.flv": "flv"}
LIMITS = DecodeSettings(max_pixels=1_000_000)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("videos")
    scenes = [scene("red"), scene("blue")]
    rates = {"clip.ts": 25}
    return {
        name: write_video(folder / name, *scenes, seconds=1, rate=rates.get(name, 10), codec=codec).read_bytes()
        for name, codec in NAMES.items()
    }


def survives(data: bytes) -> None:
    started = time.process_time()
    try:
        for _, decoded in decode_frames(data, LIMITS, shortest_side=32):
            assert decoded.image.mode == "RGB"
    except PictureError as error:
        assert error.detail
    assert time.process_time() - started < 60


@pytest.mark.parametrize("name", NAMES)
def test_flipped_bytes(name: str, videos: dict[str, bytes]) -> None:
    numbers = random.Random(name)
    for _ in range(40):
        damaged = bytearray(videos[name])
        for _ in range(numbers.choice([1, 3, 30])):
            damaged[numbers.randrange(len(damaged))] = numbers.randrange(256)
        survives(bytes(damaged))


@pytest.mark.parametrize("name", NAMES)
def test_cut_files(name: str, videos: dict[str, bytes]) -> None:
    for share in (0.01, 0.1, 0.3, 0.6, 0.9, 0.99):
        survives(videos[name][: int(share * len(videos[name]))])


@pytest.mark.parametrize("name", NAMES)
def test_damaged_headers(name: str, videos: dict[str, bytes]) -> None:
    numbers = random.Random(name)
    for _ in range(40):
        damaged = bytearray(videos[name])
        for _ in range(3):
            damaged[numbers.randrange(min(600, len(damaged)))] = numbers.choice([0, 1, 127, 255])
        survives(bytes(damaged))


def test_movie_that_refers_to_other_files_reads_none(videos: dict[str, bytes], tmp_path: Path) -> None:
    """A data reference of a movie can name a file on this machine."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(videos["clip.mp4"])
    alias = b"alis" + bytes(4) + str(secret).encode()
    damaged = videos["clip.mp4"].replace(b"url \0\0\0\1", alias[:8])
    survives(damaged)


def test_play_list_is_no_video() -> None:
    for text in (b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"):
        with pytest.raises(PictureError, match=r"not a (picture|video)|cannot"):
            list(decode_frames(text))
