"""Status, failures, health and metrics."""

import time
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient

from core.errors import EncoderError, LibraryUnusable
from core.settings import MODELS_VARIABLE
from encoders import registry
from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from pictures.decode import DecodeSettings
from search import background_calibration
from search.relevance import Calibration
from store import Library
from tests.support.photos import photo
from tests.support.web import BASE_URL, finished
from web import ServeSettings, create_app


def test_status_counts_pictures_roots_and_spaces(client: TestClient, album: Path) -> None:
    data = client.get("/api/v1/status").json()
    assert (data["pictures"], data["present"], data["missing"], data["failed"]) == (4, 4, 0, 0)
    assert data["roots"] == [
        {"path": str(album), "uri": f"file://{album}", "present": 4, "missing": 0, "failed": 0, "away": 0}
    ]
    (space,) = data["spaces"]
    assert (space["model"], space["vectors"], space["active"]) == ("fake", 4, True)


def test_status_counts_pictures_that_are_away(client: TestClient, album: Path) -> None:
    album.rename(album.with_name("elsewhere"))
    (root,) = client.get("/api/v1/status").json()["roots"]
    assert (root["present"], root["away"]) == (4, 4)
    album.mkdir()  # an empty mount point
    assert client.get("/api/v1/status").json()["roots"][0]["away"] == 4
    album.rmdir()
    album.with_name("elsewhere").rename(album)
    assert client.get("/api/v1/status").json()["roots"][0]["away"] == 0


def test_status_counts_files_that_were_passed_over(client: TestClient, indexed: Library, album: Path) -> None:
    assert client.get("/api/v1/status").json()["passed_over"] == {}
    for name in ("a.psd", "b.psd", "c"):
        (album / name).write_bytes(b"x")
    index(indexed, [album], FakeEncoder())
    assert client.get("/api/v1/status").json()["passed_over"] == {"psd": 2, "": 1}


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
        assert go.wait(60)
        raise RuntimeError("out of memory")

    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setattr(background_calibration, "NO_WEIGHTS", "")  # so that `fake` counts as a model with weights
    monkeypatch.setattr(background_calibration, "fit_calibration", fail)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        client.post("/api/v1/search", json={"query": "red"})
        assert begun.wait(60)
        (space,) = client.get("/api/v1/status").json()["spaces"]
        during = client.post("/api/v1/search", json={"query": "red"}).json()["notices"]
        refused = client.post("/api/v1/search", json={"query": "red", "relevant": True})
        go.set()
        assert (space["calibrating"], space["calibration_failure"]) == (True, None)
        assert [(notice["name"], notice["data"]) for notice in during] == [("calibrating", {"model": "fake"})]
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


def test_failures_are_counted_by_reason_and_listed_in_parts(
    client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder
) -> None:
    for name in ("a", "b", "c"):
        (album / f"{name}.jpg").write_bytes(b"no picture")
    photo(7, 100, 100).save(album / "large.png")
    index(indexed, [album], encoder, IndexSettings(decode=DecodeSettings(max_pixels=5_000)))
    assert client.get("/api/v1/failures/reasons").json() == [
        {"reason": "undecodable", "files": 3},
        {"reason": "too-large", "files": 1},
    ]

    def names(**options: str | int) -> list[str]:
        return [Path(each["path"]).name for each in client.get("/api/v1/failures", params=options).json()]

    assert names() == ["a.jpg", "b.jpg", "c.jpg", "large.png"]
    assert names(k=2, offset=1) == ["b.jpg", "c.jpg"]
    assert names(reason="undecodable", k=2, offset=2) == ["c.jpg"]
    assert names(reason="unsupported") == []
    assert client.get("/api/v1/failures", params={"k": 1001}).status_code == 422


def ready_when_loaded(client: TestClient) -> dict[str, object]:
    """Ask until the model has been loaded, and return the answer."""
    deadline = time.monotonic() + 60
    while True:
        answer = client.get("/health/ready")
        report: dict[str, object] = answer.json()
        assert answer.status_code == (200 if report["ready"] else 503)
        if report["model"] != "loading":
            return report
        assert not report["ready"]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_server_is_ready_once_its_model_is_loaded(client: TestClient, indexed: Library, album: Path) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").status_code == 503
    current = {"ready": True, "catalogue": "reachable", "model": "loaded", "index": "current"}
    assert ready_when_loaded(client) == current
    (album / "red.png").unlink()
    index(indexed, [album], FakeEncoder())
    assert client.get("/health/ready").json() == current | {"index": "behind"}  # searches are still answered, and right
    assert len(client.post("/api/v1/search", json={"query": "red"}).json()["hits"]) == 3
    assert client.get("/health/ready").json() == current


def test_empty_library_is_ready(library: Library, settings: ServeSettings) -> None:
    with TestClient(create_app(library, settings), base_url=BASE_URL) as client:
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["model"], answer.json()["index"]) == (200, "none", "none")


def test_server_without_the_model_is_not_ready(
    indexed: Library, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EncoderError("The model is not there.")

    monkeypatch.setattr(registry, "load_for_space", fail)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        assert ready_when_loaded(client)["model"] == "unavailable"
        assert client.get("/health/ready").status_code == 503


def test_server_without_its_catalogue_is_alive_but_not_ready(
    client: TestClient, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ready_when_loaded(client)["ready"]

    def fail() -> None:
        raise LibraryUnusable(indexed.path, "the disk is away")

    monkeypatch.setattr(indexed, "read", fail)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["catalogue"]) == (503, "unreachable")
    assert client.get("/health").status_code == 503
    assert client.get("/health/live").status_code == 200


def test_server_that_stops_is_not_ready(client: TestClient) -> None:
    assert ready_when_loaded(client)["ready"]
    client.app.state.service.readiness.stopping = True  # type: ignore[attr-defined]
    assert client.get("/health/ready").status_code == 503


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
