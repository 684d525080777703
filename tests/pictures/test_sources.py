"""Files of any size: pictures are held in memory up to a limit, videos are read block by block."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import PictureError
from pictures.extras import FORMAT_EXTRAS, extra_is_installed, missing_extra, reasons_to_wait
from pictures.reading import ReadRequest, ReadSettings, read_picture
from pictures.sources import BLOCK_BYTES, REPORTED_BYTES, open_source
from tests.support.video_files import scene, write_video


class Plain:
    """A preprocessing that calls a function before its first picture."""

    size = 8

    def __init__(self, first: Callable[[], None] = lambda: None) -> None:
        self.first = first

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        self.first()
        return np.asarray(image.resize((8, 8)), np.uint8)


def video_bytes(size: int) -> bytes:
    return (b"\0\0\0\x18ftypisom" + bytes(12)).ljust(size, b"x")


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.sources.MAX_FILE_BYTES", 1_000)


@pytest.mark.usefixtures("small_limit")
def test_large_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    Image.new("RGB", (100, 100)).save(path)
    file = read_picture(ReadRequest((os.fsencode(path),)), ReadSettings(Plain()), lambda _: False)
    assert file is not None
    assert file.failure is not None
    assert (file.failure.reason, file.size, file.mtime_ns) == ("too-large", 30_054, path.stat().st_mtime_ns)


@pytest.mark.usefixtures("small_limit")
def test_video_has_no_limit_and_its_digest_is_that_of_all_bytes(tmp_path: Path) -> None:
    path, data = tmp_path / "a.mp4", video_bytes(3 * BLOCK_BYTES + 17)
    path.write_bytes(data)
    with open_source(path) as source:
        assert source.is_video
        assert not source.is_too_large
        assert source.digest() == hashlib.sha256(data).digest()


def test_hashing_a_large_video_reports_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.sources.REPORTED_BYTES", BLOCK_BYTES)
    assert REPORTED_BYTES % BLOCK_BYTES == 0
    path, reports = tmp_path / "a.mp4", list[None]()
    path.write_bytes(video_bytes(4 * BLOCK_BYTES))
    with open_source(path) as source:
        source.digest(lambda: reports.append(None))
    assert len(reports) == 4


@pytest.mark.skipif(not extra_is_installed("video"), reason="needs the extra `video`")
def test_video_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", scene("red"))
    changing = Plain(lambda: os.utime(path, (1, 1)))
    file = read_picture(ReadRequest((os.fsencode(path),)), ReadSettings(changing), lambda _: False)
    assert file is not None
    assert file.failure is not None
    assert file.failure.transient
    unchanged = read_picture(ReadRequest((os.fsencode(path),)), ReadSettings(Plain()), lambda _: False)
    assert unchanged is not None
    assert unchanged.failure is None
    assert unchanged.digest == hashlib.sha256(path.read_bytes()).digest()


@pytest.mark.skipif(not extra_is_installed("video"), reason="needs the extra `video`")
def test_motion_photo_is_its_still(tmp_path: Path) -> None:
    """Phones append a video to a JPEG."""
    still = tmp_path / "still.jpg"
    Image.new("RGB", (60, 40), "teal").save(still)
    both = still.read_bytes() + write_video(tmp_path / "clip.mp4", scene("red")).read_bytes()
    path = tmp_path / "MVIMG_1.jpg"
    path.write_bytes(both)
    file = read_picture(ReadRequest((os.fsencode(path),)), ReadSettings(Plain()), lambda _: False)
    assert file is not None
    assert file.info is not None
    assert (file.info.format, file.info.width, file.frames, file.info.metadata.duration) == ("JPEG", 60, (), None)


def test_failures_wait_for_the_extra_that_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.extras.extra_is_installed", lambda extra: extra in ("raw", "heic"))
    assert set(reasons_to_wait()) == {f"needs-{extra}" for extra in FORMAT_EXTRAS} - {"needs-raw", "needs-heic"}
    error: PictureError = missing_extra("RAW files", "raw")
    assert (error.reason, error.transient) == ("needs-raw", True)
