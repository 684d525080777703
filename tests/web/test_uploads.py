"""Uploads: formats, limits and lifetime."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from core.errors import PictureError
from store import Library
from tests.support.web import BASE_URL
from web import ServeSettings, create_app, uploads
from web.errors import NotFound
from web.uploads import Uploads

UPLOADS = "/api/v1/uploads"


def png(width: int, height: int) -> bytes:
    """Return a small file whose header claims this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def small() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("data", [b"", b"no picture", png(50_000, 50_000), small()[:-32], b"%PDF-1.7", b"<svg/>"])
def test_upload_that_is_not_a_picture_is_rejected(shared: TestClient, data: bytes) -> None:
    answer = shared.post(UPLOADS, content=data)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_upload_in_a_form(shared: TestClient) -> None:
    for name in ("file", "picture"):
        answer = shared.post(UPLOADS, files={name: ("a.png", small(), "image/png")}, data={"note": "x"})
        assert (answer.status_code, answer.json()["width"]) == (201, 4)
    for files in ([], [("a", ("a.png", small())), ("b", ("b.png", small()))]):
        answer = shared.post(UPLOADS, files=[*files, ("note", (None, b"no file"))])
        assert (answer.status_code, answer.json()["title"]) == (400, "InvalidQuery")
        assert answer.json()["detail"] == f"The form has {len(files)} files. Send one: curl -F file=@picture.jpg"
    assert shared.post(UPLOADS, files={"file": ("a.png", b"no picture")}).json()["title"] == "PictureUndecodable"


def test_too_large_body_is_rejected_unread(indexed: Library, tmp_path: Path) -> None:
    settings = ServeSettings(cache=tmp_path, upload_bytes=1000, json_bytes=500)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        answer = client.post(UPLOADS, content=small() + bytes(2000))
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        unsaid = client.post(UPLOADS, content=(bytes(100) for _ in range(50)))
        assert (unsaid.status_code, unsaid.json()) == (413, answer.json())
        assert client.post("/api/v1/search", content=b"[" * 501).status_code == 413
        assert client.post(UPLOADS, content=small()).status_code == 201


def test_too_large_form_is_rejected(indexed: Library, tmp_path: Path) -> None:
    settings = ServeSettings(cache=tmp_path, upload_bytes=1000)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        files = [("files", ("a.png", bytes(5000), "image/png"))]
        assert client.post("/api/v1/search/form", data={"request": "{}"}, files=files).status_code == 413


def test_upload_pixels_are_limited() -> None:
    few, enough = Uploads(max_pixels=15), Uploads(max_pixels=16)
    with pytest.raises(PictureError, match="pixels"):
        few.add(small())
    assert enough.add(small()).width == 4
    few.close()
    enough.close()


def test_oldest_upload_is_deleted_first() -> None:
    kept = Uploads(100, max_uploads=2)
    first, second, third = (kept.add(small()).id for _ in range(3))
    assert len({first, second, third}) == 3
    with pytest.raises(NotFound):
        kept.path(first)
    assert kept.path(second).read_bytes() == kept.path(third).read_bytes() == small()
    assert len(list(kept.path(third).parent.iterdir())) == 2
    kept.close()


def test_upload_expires_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000_000_000
    monkeypatch.setattr(uploads, "time_ns", lambda: now)
    kept = Uploads(100)
    name = kept.add(small()).id
    now += 3_599_000_000_000
    path = kept.path(name)
    now += 2_000_000_000
    with pytest.raises(NotFound):
        kept.path(name)
    assert not path.exists()
    kept.close()


def test_uploads_are_deleted_with_the_server(indexed: Library, settings: ServeSettings) -> None:
    app = create_app(indexed, settings)
    with TestClient(app, base_url=BASE_URL) as client:
        name = client.post(UPLOADS, content=small()).json()["id"]
        folder = app.state.service.uploads.path(name).parent
        assert folder.stat().st_mode & 0o077 == 0  # only the user can read it
    assert not folder.exists()


def test_servers_that_share_a_folder_know_the_uploads_of_each_other(tmp_path: Path) -> None:
    first, second = (Uploads(100, max_uploads=2, shared=tmp_path / "uploads") for _ in range(2))
    name = first.add(small()).id
    assert second.path(name).read_bytes() == small()
    second.add(small())
    latest = second.add(small()).id  # the limit counts those of both
    with pytest.raises(NotFound):
        first.path(name)
    assert first.path(latest).stat().st_mode & 0o077 == 0
    first.close()
    assert second.path(latest).read_bytes() == small()


@pytest.mark.parametrize("name", ["../secret", "..", "", ".", "a/b", "\0", "x" * 22 + "/..", "secret"])
def test_name_of_an_upload_cannot_lead_to_other_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "secret").write_bytes(b"x")
    with pytest.raises(NotFound):
        Uploads(100, shared=tmp_path / "uploads").path(name)
    assert (tmp_path / "uploads" / "secret").exists()
