"""clip-retrieval's own client, unchanged, with a Sightline library."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from store import Library
from tests.support.web import running_server
from web import ServeSettings


@pytest.fixture
def address(indexed: Library, tmp_path: Path) -> Iterator[str]:
    with running_server(indexed, ServeSettings(port=0, cache=tmp_path / "cache")) as url:
        yield url


@pytest.fixture(scope="session")
def clip_client() -> ModuleType:
    """Only the client's module: the imports of its package (img2dataset, autofaiss, ...) are not installed."""
    package = importlib.util.find_spec("clip_retrieval")
    assert package is not None, "clip-retrieval belongs to what `make test` installs"
    assert package.submodule_search_locations
    file = Path(package.submodule_search_locations[0]) / "clip_client.py"
    spec = importlib.util.spec_from_file_location("clip_client", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(answer: list[dict[str, Any]]) -> list[str]:
    return [hit["caption"] for hit in answer]


def test_clip_client_searches_by_text(address: str, clip_client: ModuleType) -> None:
    client = clip_client.ClipClient(url=f"{address}/knn-service", indice_name="fake", num_images=2)
    found = client.query(text="red")
    assert names(found) == ["red", "yellow"]
    assert found[0]["similarity"] == pytest.approx(1, abs=1e-3)


def test_clip_client_searches_by_picture_and_vector(
    address: str, clip_client: ModuleType, album: Path, encoder: FakeEncoder
) -> None:
    client = clip_client.ClipClient(url=f"{address}/knn-service", indice_name="fake", num_images=1)
    assert names(client.query(image=str(album / "blue.png"))) == ["blue"]
    vector = encoder.encode_texts(["yellow"])[0].tolist()
    assert names(client.query(embedding_input=vector)) == ["yellow"]


def test_result_urls_return_the_pictures(address: str, clip_client: ModuleType, album: Path) -> None:
    import requests

    (hit,) = clip_client.ClipClient(url=f"{address}/knn-service", indice_name="fake", num_images=1).query(text="red")
    assert requests.get(hit["url"], timeout=60).content == (album / "red.png").read_bytes()


def test_metadata_can_be_requested_separately(client: TestClient) -> None:
    asked = {"text": "red", "modality": "image", "num_images": 1, "num_result_ids": 4, "indice_name": "fake"}
    hits = client.post("/knn-service", json=asked).json()
    assert len(hits) == 4
    assert ["url" in hit for hit in hits] == [True, False, False, False]
    data = client.post("/metadata", json={"ids": [hit["id"] for hit in hits], "indice_name": "fake"}).json()
    assert [entry["id"] for entry in data] == [hit["id"] for hit in hits]
    assert data[1]["metadata"]["caption"] == "yellow"


def test_indices_list_returns_the_spaces(client: TestClient) -> None:
    assert client.get("/indices-list").json() == ["fake"]


@pytest.mark.parametrize(
    "asked",
    [
        {"image_url": "http://169.254.169.254/latest/meta-data"},
        {"image_url": "file:///etc/passwd"},
        {"text": "red", "modality": "text"},
        {"image": "not base64!"},
        {"image": ""},
        {"image": "bm8gcGljdHVyZQ=="},
        {"embedding_input": [1.0]},
        {"embedding_input": [0.0] * 13},
        {},
        {"text": " "},
        [],
    ],
)
def test_invalid_knn_requests_are_rejected(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.post("/knn-service", json=asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_image_url_is_never_fetched(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda _, address: reached.append(address))
    client.post("/knn-service", json={"image_url": "http://127.0.0.1:1/x.png"})
    assert not reached


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_invalid_json_is_rejected(client: TestClient, body: bytes) -> None:
    assert client.post("/knn-service", content=body).status_code in {400, 422}


def test_unknown_space_is_not_found(client: TestClient) -> None:
    answer = client.post("/knn-service", json={"text": "red", "indice_name": "laion5B"})
    assert (answer.status_code, answer.json()["title"]) == (404, "UnknownSpace")


def test_vectors_of_other_dtypes_are_accepted(client: TestClient) -> None:
    vector = np.eye(13, dtype=np.float32)[0].tolist()
    assert len(client.post("/knn-service", json={"embedding_input": vector, "num_images": 2}).json()) == 2
