"""The other files of a shot: listed with a picture, and downloaded."""

import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import PICTURES


@pytest.fixture
def shot(indexed: Library, album: Path) -> str:
    """The address of a picture with a RAW file and a moving part."""
    (album / "red.png").rename(album / "red.jpg")
    (album / "red.nef").write_bytes(b"raw bytes")
    (album / "red.mov").write_bytes(b"video bytes")
    index(indexed, [album], FakeEncoder())
    return f"{PICTURES}/4"  # the last in the order of names


def test_companions_are_listed_and_downloaded(client: TestClient, shot: str, album: Path) -> None:
    paths = client.get(shot).json()["companions"]
    assert paths == [str(album / "red.mov"), str(album / "red.nef")]
    video, raw = (client.get(f"{shot}/companions/{number}") for number in (0, 1))
    assert (video.content, video.headers["content-type"]) == (b"video bytes", "video/quicktime")
    assert (raw.content, raw.headers["content-type"]) == (b"raw bytes", "application/octet-stream")
    assert raw.headers["content-disposition"] == "inline; filename*=UTF-8''red.nef"
    assert "sandbox" in raw.headers["content-security-policy"]
    part = client.get(f"{shot}/companions/1", headers={"Range": "bytes=4-8"})
    assert (part.status_code, part.content) == (206, b"bytes")


def test_other_pictures_have_no_companions(client: TestClient, shot: str) -> None:
    assert client.get(f"{PICTURES}/2").json()["companions"] == []
    for path in (f"{PICTURES}/2/companions/0", f"{PICTURES}/99/companions/0", f"{shot}/companions/2"):
        assert client.get(path).status_code == 404
    assert client.get(f"{shot}/companions/-1").status_code == 422


def test_a_companion_that_leads_out_of_the_folder_is_not_sent(
    client: TestClient, shot: str, album: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (album / "red.nef").unlink()
    (album / "red.nef").symlink_to(tmp_path / "secret")
    assert client.get(f"{shot}/companions/1").status_code == 404
    (album / "red.nef").unlink()
    os.mkfifo(album / "red.nef")
    assert client.get(f"{shot}/companions/1").status_code == 404
