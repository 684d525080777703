"""Status, failures, health and metrics."""

import time
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient

from core.settings import MODELS_VARIABLE
from encoders.fake import FakeEncoder
from indexer import index
from search import background_calibration
from search.relevance import Calibration
from store import Library
from tests.support.web import BASE_URL, finished
from web import ServeSettings, create_app


def test_status_counts_pictures_roots_and_spaces(client: TestClient, album: Path) -> None:
    data = client.get("/api/v1/status").json()
    assert (data["pictures"], data["present"], data["missing"], data["failed"]) == (4, 4, 0, 0)
    assert data["roots"] == [{"path": str(album), "present": 4, "missing": 0, "failed": 0}]
    (space,) = data["spaces"]
    assert (space["model"], space["vectors"], space["active"]) == ("fake", 4, True)


def test_empty_library_can_be_served(library: Library, settings: ServeSettings) -> None:
    with TestClient(create_app(library, settings), base_url=BASE_URL) as client:
        data = client.get("/api/v1/status").json()
        assert (data["pictures"], data["spaces"]) == (0, [])
        assert client.get("/").status_code == 200


def test_status_and_answers_say_that_the_model_is_being_calibrated(
    indexed: Library, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, go = Event(), Event()

    def fail(*_: object) -> Calibration:
        begun.set()
        assert go.wait(30)
        raise RuntimeError("out of memory")

    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setattr(background_calibration, "NO_WEIGHTS", "")  # so that `fake` counts as a model with weights
    monkeypatch.setattr(background_calibration, "fit_calibration", fail)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        client.post("/api/v1/search", json={"query": "red"})
        assert begun.wait(30)
        (space,) = client.get("/api/v1/status").json()["spaces"]
        during = client.post("/api/v1/search", json={"query": "red"}).json()["notices"]
        refused = client.post("/api/v1/search", json={"query": "red", "relevant": True})
        go.set()
        assert (space["calibrating"], space["calibration_failure"]) == (True, None)
        assert during == ["The relevance of fake is being calibrated. Until that has finished, hits are only ranked."]
        assert (refused.status_code, "is being calibrated" in refused.json()["detail"]) == (400, True)
        while space["calibrating"]:
            time.sleep(0.01)
            (space,) = client.get("/api/v1/status").json()["spaces"]
        assert space["calibration_failure"] == "RuntimeError: out of memory"
        assert client.post("/api/v1/search", json={"query": "red"}).json()["notices"] == []


def test_failures_have_a_reason(client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder) -> None:
    (album / "broken.jpg").write_bytes(b"no picture")
    index(indexed, [album], encoder)
    (failure,) = client.get("/api/v1/failures").json()
    assert (failure["path"], failure["reason"]) == (str(album / "broken.jpg"), "undecodable")


def test_health_and_metrics_are_available(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    client.get("/api/v1/pictures/1")
    client.get("/api/v1/pictures/2")
    page = client.get("/metrics").text
    assert 'sightline_pictures{state="present"} 4.0' in page
    assert 'route="picture",status="200"} 2.0' in page  # one series for all pictures


def test_metrics_time_searches_and_count_jobs(client: TestClient) -> None:
    for asked in ({"query": "red"}, {"query": "blue"}, {}):
        client.post("/api/v1/search", json=asked)
    job = client.post("/api/v1/jobs", json={"kind": "index"}).json()
    finished(client, job)
    page = client.get("/metrics").text
    assert 'sightline_search_seconds_count{kind="ranked"} 2.0' in page
    assert 'sightline_search_seconds_count{kind="browsed"} 1.0' in page
    assert 'sightline_jobs{kind="index",state="done"} 1.0' in page
    assert 'sightline_jobs{kind="index",state="running"} 0.0' in page


def test_openapi_document_is_complete(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert "/api/v1/pictures/{picture_id}/thumbnail" in document["paths"]
    routes = [method for methods in document["paths"].values() for method in methods.values()]
    assert all(route["summary"] and route["description"] for route in routes)
    assert len({route["operationId"] for route in routes}) == len(routes)
