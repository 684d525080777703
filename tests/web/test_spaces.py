"""Imported spaces, documents, missing models, and concurrent writers."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from core.errors import ModelUnavailable
from core.space import Space
from encoders import registry
from encoders.mini.encoder import VERSIONS, MiniEncoder
from indexer import fill, index
from indexer.filling import FillSettings, switch
from store import Library
from store.exchange import import_vectors, open_vectors
from store.spaces.registry import named_space
from tests.support.versions import NEWER, install_newer_mini
from tests.support.web import BASE_URL, JOBS, finished
from web import ServeSettings, create_app
from web import service as services
from web.api import spaces

API = "/api/v1"


def bring(library: Library, folder: Path, name: str, count: int = 5, dim: int = 8) -> None:
    """Import documents with random vectors as the space `name`."""
    np.save(folder / f"{name}.npy", np.random.default_rng(3).normal(size=(count, dim)).astype(np.float32))
    (folder / f"{name}.txt").write_text("".join(f"doc {number}\n" for number in range(count)))
    import_vectors(library, open_vectors(folder / f"{name}.npy", folder / f"{name}.txt"), name)


@pytest.fixture
def documents(library: Library, settings: ServeSettings, tmp_path: Path) -> Iterator[TestClient]:
    """A client of a library that contains only imported documents."""
    bring(library, tmp_path, "elsewhere")
    switch(library, named_space(library, "elsewhere"), FillSettings(accept_missing=True))
    with TestClient(create_app(library, settings), base_url=BASE_URL, raise_server_exceptions=False) as opened:
        yield opened


def test_imported_documents_are_found_and_have_no_file(documents: TestClient) -> None:
    hits = documents.get(f"{API}/pictures/1/similar").json()["hits"]
    assert len(hits) == 5
    assert (hits[0]["name"], hits[0]["score"]) == ("doc 0", pytest.approx(1, abs=1e-3))
    assert documents.get(f"{API}/pictures/1").json()["path"] == "doc 0"
    for what in ("thumbnail", "original", "highlight?prompt=red", "highlight.png?prompt=red"):
        assert documents.get(f"{API}/pictures/1/{what}").status_code == 404
    assert documents.get(f"{API}/pictures/1/stack").json()["pictures"][0]["name"] == "doc 0"
    assert len(documents.post(f"{API}/search", json={}).json()["hits"]) == 5
    assert documents.get(f"{API}/facets").json()["count"] == 5


def test_text_query_requires_a_model(documents: TestClient) -> None:
    answer = documents.post(f"{API}/search", json={"query": "red"})
    assert (answer.status_code, answer.json()["title"]) == (503, "ModelUnavailable")
    vector = documents.post(f"{API}/search", json={"parts": [{"vector": [1.0] * 8}]})
    assert len(vector.json()["hits"]) == 5


def test_document_cannot_be_judged_and_is_exported_by_name(documents: TestClient) -> None:
    said = {"query": "red", "picture": 1, "grade": 1}
    assert documents.put(f"{API}/judgements", json=said).json()["title"] == "NotAllowed"
    assert documents.get(f"{API}/judgements", params={"query": "red", "picture": 1}).json() == {"grades": {}}
    paths = documents.post(f"{API}/export", json={"pictures": [1, 2], "format": "paths"})
    assert paths.text.splitlines() == ["doc 0", "doc 1"]
    assert documents.post(f"{API}/export", json={"pictures": [1], "format": "zip"}).status_code == 200


def test_missing_model_only_disables_text_queries(
    indexed: Library, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(space: Space, *_: object) -> None:
        raise ModelUnavailable(space.model, "its files", "pull it")

    monkeypatch.setattr(registry, "load_for_space", gone)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL, raise_server_exceptions=False) as client:
        answer = client.post(f"{API}/search", json={"query": "red"})
        assert (answer.status_code, answer.json()["title"]) == (503, "ModelUnavailable")
        assert len(client.get(f"{API}/pictures/1/similar").json()["hits"]) == 4
        assert len(client.post(f"{API}/search", json={}).json()["hits"]) == 4
        assert client.get(f"{API}/pictures/1/thumbnail").status_code == 200


def test_spaces_report_missing_vectors(client: TestClient, indexed: Library, tmp_path: Path) -> None:
    bring(indexed, tmp_path, "elsewhere")
    own, other = client.get(f"{API}/spaces").json()
    assert (own["model"], own["vectors"], own["lacking"], own["complete"]) == ("fake", 4, 0, True)
    assert (other["model"], other["vectors"], other["lacking"], other["complete"]) == ("elsewhere", 5, 4, False)
    refused = client.put(f"{API}/spaces/active", json={"name": "nope"})
    assert refused.status_code == 404
    assert client.get(f"{API}/status").json()["spaces"] == [own, other]


def test_switching_spaces_waits_only_a_moment_for_a_writer(
    client: TestClient, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "PATIENCE_SECONDS", 0.2)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with indexed.exclusive():
            held.set()
            done.wait(30)

    writer = threading.Thread(target=hold)
    writer.start()
    held.wait(30)
    try:
        answer = client.put(f"{API}/spaces/active", json={"name": "fake"})
        assert (answer.status_code, answer.json()["title"]) == (409, "Busy")
        assert answer.headers["retry-after"] == "1"
        assert client.post(f"{API}/search", json={"query": "red"}).status_code == 200
    finally:
        done.set()
        writer.join()


def test_reading_works_during_a_write_transaction(client: TestClient, indexed: Library) -> None:
    with indexed.transaction() as connection:
        connection.exec_driver_sql("UPDATE library SET revision = revision")
        for path in ("status", "facets", "tags", "spaces", "pictures/1", "pictures/1/thumbnail"):
            assert client.get(f"{API}/{path}").status_code == 200, path
        assert len(client.post(f"{API}/search", json={"query": "red"}).json()["hits"]) == 4


def test_searchers_of_named_spaces_are_limited(
    client: TestClient, indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_NAMED_SEARCHERS", 1)
    for name in ("one", "two", "three"):
        bring(indexed, tmp_path, name)
    vector: dict[str, Any] = {"parts": [{"vector": [1.0] * 8}]}
    for name in ("one", "two", "three", "one"):
        assert client.post(f"{API}/search", json=vector | {"space": name}).json()["space"] == name
    assert client.post(f"{API}/search", json={"query": "red"}).json()["space"] == "fake"
    service = client.app.state.service  # type: ignore[attr-defined]
    assert len(service._searchers) == 2


def test_search_works_without_index_files(client: TestClient, indexed: Library) -> None:
    for file in indexed.indexes.iterdir():
        file.unlink()
    assert len(client.post(f"{API}/search", json={"query": "red"}).json()["hits"]) == 4


@pytest.fixture
def outdated(library: Library, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library of four pictures, embedded with a version of `mini` that is no longer the newest."""
    index(library, album, "mini")
    install_newer_mini(tmp_path / "mini", monkeypatch)
    return library


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline


def test_newer_version_is_offered_and_answers_once_it_is_complete(
    outdated: Library, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, reached = threading.Event(), threading.Event()
    embed = MiniEncoder.forward_images

    def held(self: MiniEncoder, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        reached.set()
        assert go.wait(60)
        return embed(self, pixels)

    monkeypatch.setattr(MiniEncoder, "forward_images", held)
    old = MiniEncoder(VERSIONS[0]).space
    with TestClient(create_app(outdated, settings), base_url=BASE_URL, raise_server_exceptions=False) as client:

        def found() -> list[float]:
            return [hit["score"] for hit in client.post(f"{API}/search", json={"query": "red"}).json()["hits"]]

        (space,) = client.get(f"{API}/status").json()["spaces"]
        assert (space["model"], space["version"], space["title"]) == ("mini", old.version, old.title)
        assert space["newer"] == f"mini {NEWER}"
        before = found()
        job = client.post(JOBS, json={"kind": "space", "model": space["model"]}).json()
        assert reached.wait(60)
        assert found() == before
        go.set()
        assert finished(client, job)["state"] == "done"
        wait_until(lambda: found() != before)  # searches use the older version until the newer one is loaded
        first, second = client.get(f"{API}/spaces").json()
        assert (first["active"], first["newer"]) == (False, f"mini {NEWER}")
        assert (second["active"], second["newer"], second["title"]) == (True, None, f"mini {NEWER}")
        back = client.post(JOBS, json={"kind": "space", "model": old.name}).json()
        assert finished(client, back)["summary"]["embedded"] == 0
        wait_until(lambda: found() == before)


def test_names_of_versions_over_http(outdated: Library, settings: ServeSettings) -> None:
    old = MiniEncoder(VERSIONS[0]).space
    fill(outdated, MiniEncoder())
    with TestClient(create_app(outdated, settings), base_url=BASE_URL, raise_server_exceptions=False) as client:

        def scores(**space: str) -> list[float]:
            answer = client.post(f"{API}/search", json={"query": "red", **space}).json()
            return [hit["score"] for hit in answer["hits"]]

        assert client.get("/indices-list").json() == [f"mini@{NEWER}", old.name]
        assert scores() == scores(space="mini") == scores(space=f"mini@{NEWER}") != scores(space=old.name)
        ambiguous = client.put(f"{API}/spaces/active", json={"name": "mini"})
        assert (ambiguous.status_code, ambiguous.json()["title"]) == (404, "AmbiguousSpace")
        assert client.put(f"{API}/spaces/active", json={"name": old.name}).json()[0]["active"]


def test_highlights_of_versions_are_cached_apart(outdated: Library, settings: ServeSettings) -> None:
    with TestClient(create_app(outdated, settings), base_url=BASE_URL, raise_server_exceptions=False) as client:

        def score() -> float:
            found = client.get(f"{API}/pictures/1/highlight", params={"prompt": "a red square"}).json()
            return float(found["score"])

        before = score()
        fill(outdated, MiniEncoder())
        assert score() != before
