"""Reading the objects of a store: what fails in the middle of a video is not the fault of the video."""

from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from core.root_files.object_store import ObjectStatus
from core.root_files.opened_object import OpenedObject
from encoders.fake import FakeEncoder
from pictures.reading import ReadFile, ReadRequest, ReadSettings, read_picture
from tests.support.object_stores import MemoryStore, use_store
from tests.support.video_files import scene, write_video

pytest.importorskip("av")


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryStore:
    """A store with a picture and a video, which is read in many blocks."""
    Image.effect_noise((64, 48), 100).save(tmp_path / "a.png")
    store = MemoryStore()
    store.put("bucket", "a.png", (tmp_path / "a.png").read_bytes())
    store.put("bucket", "clip.mp4", write_video(tmp_path / "clip.mp4", scene("red"), scene("blue")).read_bytes())
    use_store(monkeypatch, store)
    monkeypatch.setattr(OpenedObject.__init__, "__kwdefaults__", {"ahead": True, "block_bytes": 256})
    return store


def read(key: str) -> ReadFile | None:
    request = ReadRequest((f"s3://bucket/{key}".encode(),), is_new=False)
    return read_picture(request, ReadSettings(FakeEncoder().preprocess), lambda _: False)


@pytest.mark.parametrize(("key", "frames"), [("a.png", 0), ("clip.mp4", 2)])
def test_objects_are_read_as_files_are(objects: MemoryStore, tmp_path: Path, key: str, frames: int) -> None:
    found = read(key)
    request = ReadRequest((bytes(tmp_path / key),), is_new=False)
    expected = read_picture(request, ReadSettings(FakeEncoder().preprocess), lambda _: False)
    assert found is not None
    assert expected is not None
    assert found.failure is None
    assert (found.digest, found.size, found.info, found.frames) == (
        expected.digest,
        expected.size,
        expected.info,
        expected.frames,
    )
    assert len(found.frames) == frames
    assert found.mtime_ns == objects.status("bucket", key).mtime_ns


@pytest.mark.parametrize("fault", ["the network fails", "the object is replaced"])
@pytest.mark.parametrize("key", ["a.png", "clip.mp4"])
def test_object_that_fails_in_the_middle_is_tried_again(
    objects: MemoryStore, monkeypatch: pytest.MonkeyPatch, key: str, fault: str
) -> None:
    data, real, made = objects.buckets["bucket"][key][0], objects.read, count()

    def read_or_fail(
        bucket: str, key: str, start: int, stop: int, etag: str | None = None
    ) -> tuple[bytes, ObjectStatus]:
        if next(made) == failing:
            if fault == "the network fails":
                raise ConnectionError(104, "the connection broke off")
            objects.put("bucket", key, data[::-1])
        return real(bucket, key, start, stop, etag)

    read(key)
    needed = sum(request == "read" for request, _ in objects.requests)
    assert needed > 3
    monkeypatch.setattr(objects, "read", read_or_fail)
    for failing in {1, needed // 2, needed - 1}:  # noqa: B007 (`read_or_fail` reads it)
        made = count()
        objects.put("bucket", key, data)
        found = read(key)
        assert found is not None
        assert found.failure is not None
        assert (found.failure.reason, found.failure.transient) == ("unreadable", True)
