"""Status, failures, health and metrics."""

from pathlib import Path

from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
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
