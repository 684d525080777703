"""A library whose pictures are objects in a store."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from core.object_paths import object_path
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.object_stores import MemoryStore, use_store
from tests.support.web import API, BASE_URL, JOBS, PICTURES
from web import ServeSettings, create_app
from web.server_folders import is_below


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    store = MemoryStore()
    file = io.BytesIO()
    Image.effect_noise((600, 400), 90).save(file, "JPEG")
    store.put("bucket", "trip/a b+c é.jpg", file.getvalue())
    use_store(monkeypatch, store)
    return store


@pytest.fixture
def client(
    library: Library, objects: MemoryStore, encoder: FakeEncoder, settings: ServeSettings
) -> Iterator[TestClient]:
    assert index(library, "s3://bucket/trip", encoder).new == 1
    objects.requests.clear()
    with TestClient(create_app(library, settings), base_url=BASE_URL, raise_server_exceptions=False) as opened:
        yield opened


def test_originals_are_streamed_as_a_whole_and_in_parts(client: TestClient, objects: MemoryStore) -> None:
    data, _ = objects.buckets["bucket"]["trip/a b+c é.jpg"]
    answer = client.get(f"{PICTURES}/1/original")
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].endswith("a%20b%2Bc%20%C3%A9.jpg")
    part = client.get(f"{PICTURES}/1/original", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, data[100:200])
    objects.requests.clear()
    etag = answer.headers["etag"]
    assert client.get(f"{PICTURES}/1/original", headers={"If-None-Match": etag}).status_code == 304
    assert objects.requests == [("status", "trip/a b+c é.jpg")]
    time = objects.status("bucket", "trip/a b+c é.jpg").mtime_ns
    objects.put("bucket", "trip/a b+c é.jpg", data[::-1], mtime_ns=time)
    assert client.get(f"{PICTURES}/1/original").headers["etag"] != etag


def test_thumbnails_are_made_once(client: TestClient, objects: MemoryStore) -> None:
    answer = client.get(f"{PICTURES}/1/thumbnail")
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (384, 256)
    assert answer.headers["etag"]
    objects.requests.clear()
    assert client.get(f"{PICTURES}/1/thumbnail").content == answer.content
    assert {request for request, _ in objects.requests} == {"status"}


@pytest.mark.parametrize("error", [PermissionError(13, "access is denied"), ConnectionError(111, "it is away")])
def test_store_that_fails_has_no_pictures(client: TestClient, objects: MemoryStore, error: OSError) -> None:
    objects.faults["status"] = error
    for path in ("original", "thumbnail", "frames/0"):
        answer = client.get(f"{PICTURES}/1/{path}")
        assert answer.status_code == 404
        assert "denied" not in answer.text


def test_status_names_the_root_and_says_whether_it_is_away(client: TestClient, objects: MemoryStore) -> None:
    (root,) = client.get(f"{API}/status").json()["roots"]
    assert (root["path"], root["uri"], root["present"], root["away"]) == ("s3://bucket/trip", "s3://bucket/trip", 1, 0)
    objects.faults["list"] = ConnectionError(111, "it is away")
    (root,) = client.get(f"{API}/status").json()["roots"]
    assert root["away"] == 1


def test_pictures_are_found_by_their_folder(client: TestClient) -> None:
    for query, expected in (("in:s3://bucket/trip", 1), ("path:s3://bucket/*/a*", 1), ("path:s3://other/*", 0)):
        found = client.post(f"{API}/search", json={"query": query}).json()
        assert len(found["hits"]) == expected, query
    details = client.get(f"{PICTURES}/1").json()
    assert details["path"] == "s3://bucket/trip/a b+c é.jpg"


def test_originals_are_exported(client: TestClient, objects: MemoryStore) -> None:
    answer = client.post(f"{API}/export", json={"format": "zip", "pictures": [1]})
    assert answer.status_code == 200, answer.text
    with ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        assert archive.read(name) == objects.buckets["bucket"]["trip/a b+c é.jpg"][0]


def test_objects_are_not_below_a_folder_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = object_path("s3://bucket/trip")
    assert path is not None
    assert not is_below(path, [tmp_path])


@pytest.mark.parametrize(("allowed", "code"), [((), 202), ((Path("/"),), 400)])
def test_clients_index_other_objects_only_if_they_may_use_any_folder(
    library: Library,
    objects: MemoryStore,
    client: TestClient,
    settings: ServeSettings,
    allowed: tuple[Path, ...],
    code: int,
) -> None:
    objects.put("other", "a.png", b"x")
    limited = replace(settings, allowed_folders=allowed)
    with TestClient(create_app(library, limited), base_url=BASE_URL, raise_server_exceptions=False) as opened:
        for folder, expected in (
            ("s3://bucket/trip", 202),
            ("s3://other", code),
            ("s3://none", 400 if allowed else 404),
        ):
            answer = opened.post(JOBS, json={"kind": "index", "folders": [folder]})
            assert answer.status_code == expected, answer.text
