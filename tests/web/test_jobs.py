"""Jobs: indexing, model changes, progress, cancellation, and permissions."""

import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from uvicorn import Config

from encoders import registry
from encoders.fake import FakeEncoder
from store import Library
from tests.support.web import BASE_URL, JOBS, TOKEN, finished
from web import ServeSettings, create_app
from web.server import Server

Paint = Callable[..., Path]


class Held(FakeEncoder):
    """Embeds one picture at a time, the first one only after `go` is set."""

    go = threading.Event()

    def __init__(self) -> None:
        super().__init__(batch_size=1)

    def forward_images(self, pixels: Any) -> Any:
        assert self.go.wait(30)
        return super().forward_images(pixels)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """An event that embedding waits for."""
    Held.go = threading.Event()
    monkeypatch.setattr(registry, "load_for_space", lambda *_: Held())
    return Held.go


def test_index_job_updates_the_library(client: TestClient, album: Path, paint: Paint) -> None:
    paint(album / "new.png", "cyan")
    started = client.post(JOBS, json={"kind": "index"})
    assert (started.status_code, started.json()["state"]) == (202, "running")
    data = finished(client, started.json())
    assert (data["state"], data["summary"]["new"], data["summary"]["unchanged"]) == ("done", 1, 4)
    assert client.get("/api/v1/status").json()["present"] == 5
    assert [job["id"] for job in client.get(JOBS).json()] == [data["id"]]


def test_local_client_can_index_a_new_folder(client: TestClient, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "other" / "cyan.png", "cyan")
    job = client.post(JOBS, json={"kind": "index", "folders": [str(tmp_path / "other")]}).json()
    assert finished(client, job)["summary"]["new"] == 1


def test_first_folder_can_be_indexed_in_an_empty_library(
    library: Library, settings: ServeSettings, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DEFAULT_MODEL", "fake")
    with TestClient(create_app(library, settings), base_url=BASE_URL) as client:
        assert finished(client, client.post(JOBS, json={"kind": "index"}).json())["state"] == "done"  # nothing to index
        job = client.post(JOBS, json={"kind": "index", "folders": [str(album)]}).json()
        assert finished(client, job)["summary"]["new"] == 4
        assert client.post("/api/v1/search", json={"query": "red"}).json()["hits"][0]["name"] == "red.png"


def test_failed_job_reports_its_error(client: TestClient, tmp_path: Path) -> None:
    data = finished(client, client.post(JOBS, json={"kind": "index", "folders": [str(tmp_path / "nothing")]}).json())
    assert (data["state"], data["problem"]) == ("failed", "NoSuchFolder")
    assert "nothing" in data["error"]


def test_second_job_is_rejected_while_one_runs(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    paint(album / "new.png", "cyan")
    job = client.post(JOBS, json={"kind": "index"}).json()
    busy = client.post(JOBS, json={"kind": "index"})
    assert (busy.status_code, busy.json()["title"]) == (409, "Busy")
    assert client.post("/api/v1/search", json={"query": "red"}).status_code == 200  # searches continue
    held.set()
    assert finished(client, job)["state"] == "done"
    assert client.post(JOBS, json={"kind": "index"}).status_code == 202


def test_cancelled_job_keeps_finished_work(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    for number in range(6):
        paint(album / f"new{number}.png", (0, 10 * number, 200))
    job = client.post(JOBS, json={"kind": "index"}).json()
    client.delete(f"{JOBS}/{job['id']}")
    held.set()
    assert finished(client, job)["state"] == "cancelled"
    before = client.get("/api/v1/status").json()["present"]
    assert before < 10
    assert finished(client, client.post(JOBS, json={"kind": "index"}).json())["summary"]["new"] == 10 - before


def test_job_events_end_with_the_job(client: TestClient, album: Path, paint: Paint) -> None:
    paint(album / "new.png", "cyan")
    job = client.post(JOBS, json={"kind": "index"}).json()
    stream = client.get(f"{JOBS}/{job['id']}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n") for event in stream.text.strip().split("\n\n") if event.startswith("event")]
    assert [name for name, _ in events][-1] == "event: end"
    assert json.loads(events[-1][1].removeprefix("data: "))["summary"]["new"] == 1


def test_job_events_end_when_the_server_stops(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    paint(album / "new.png", "cyan")
    job = client.post(JOBS, json={"kind": "index"}).json()
    running = client.app.state.service.jobs  # type: ignore[attr-defined]
    stopping = Server(Config("nowhere:app"), running)
    stopping.handle_exit(signal.SIGTERM, None)
    stream = client.get(f"{JOBS}/{job['id']}/events")  # ends before the job does
    assert '"state":"running"' in stream.text
    assert client.post(JOBS, json={"kind": "index"}).status_code == 409  # no new job starts
    held.set()
    assert finished(client, job)["state"] == "cancelled"


def test_unknown_job_is_not_found(client: TestClient) -> None:
    for path in (f"{JOBS}/nope", f"{JOBS}/nope/events"):
        assert client.get(path).status_code == 404
    assert client.delete(f"{JOBS}/nope").status_code == 404


@pytest.mark.parametrize("folder", ["relative", "./x", ""])
def test_folder_path_must_be_absolute(client: TestClient, folder: str) -> None:
    assert client.post(JOBS, json={"kind": "index", "folders": [folder]}).status_code in {400, 422}


def test_remote_clients_can_only_index_folders_of_the_library(indexed: Library, album: Path, tmp_path: Path) -> None:
    settings = ServeSettings(host="0.0.0.0", token=TOKEN, cache=tmp_path / "cache")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(indexed, settings), base_url=BASE_URL, headers=headers) as client:
        for folder in (tmp_path, Path("/etc"), album / ".." / "other", Path(f"{album}-private")):
            refused = client.post(JOBS, json={"kind": "index", "folders": [str(folder)]})
            assert (refused.status_code, refused.json()["title"]) == (400, "NotAllowed"), folder
        job = client.post(JOBS, json={"kind": "index", "folders": [str(album / "more")]}).json()
        assert finished(client, job)["state"] == "done"


def test_failed_job_says_what_can_be_done(client: TestClient, album: Path) -> None:
    for picture in album.rglob("*.png"):
        picture.unlink()
    data = finished(client, client.post(JOBS, json={"kind": "index"}).json())
    assert (data["state"], data["problem"]) == ("failed", "RootUnavailable")
    assert "Is it mounted?" in data["error"]
    assert "--accept-missing" in data["error"]


def test_space_job_requires_a_model(client: TestClient) -> None:
    assert client.post(JOBS, json={"kind": "space"}).json()["title"] == "NotAllowed"
    assert client.post(JOBS, json={"kind": "space", "model": "nonsense"}).status_code in {404, 503}


def test_space_job_switches_the_model(client: TestClient) -> None:
    job = client.post(JOBS, json={"kind": "space", "model": "mini"}).json()
    data = finished(client, job)
    assert (data["state"], data["summary"]) == ("done", data["summary"] | {"embedded": 4, "switched": True})
    assert [(space["model"], space["active"]) for space in client.get("/api/v1/spaces").json()] == [
        ("fake", False),
        ("mini", True),
    ]
    assert client.post("/api/v1/search", json={"query": "red"}).json()["space"] == "mini"
    back = client.put("/api/v1/spaces/active", json={"name": "fake"})
    assert [space["active"] for space in back.json()] == [True, False]
    assert client.post("/api/v1/search", json={"query": "red"}).json()["space"] == "fake"
    assert client.put("/api/v1/spaces/active", json={"name": "nope"}).status_code == 404
