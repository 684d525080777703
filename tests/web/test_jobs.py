"""Indexing from the page: one job at a time, watched, stopped, and what may not be indexed."""

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
    """Embeds one picture at a time, and the first one only once it is let go."""

    go = threading.Event()

    def __init__(self) -> None:
        super().__init__(batch_size=1)

    def forward_images(self, pixels: Any) -> Any:
        assert self.go.wait(30)
        return super().forward_images(pixels)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until it is set, no picture is embedded."""
    Held.go = threading.Event()
    monkeypatch.setattr(registry, "load_for_space", lambda *_: Held())
    return Held.go


def test_a_job_brings_the_library_up_to_date(client: TestClient, album: Path, paint: Paint) -> None:
    paint(album / "new.png", "cyan")
    started = client.post(JOBS, json={"kind": "index"})
    assert (started.status_code, started.json()["state"]) == (202, "running")
    told = finished(client, started.json())
    assert (told["state"], told["summary"]["new"], told["summary"]["unchanged"]) == ("done", 1, 4)
    assert client.get("/api/v1/status").json()["present"] == 5
    assert [job["id"] for job in client.get(JOBS).json()] == [told["id"]]


def test_a_new_folder_can_be_added_on_this_machine(client: TestClient, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "other" / "cyan.png", "cyan")
    job = client.post(JOBS, json={"kind": "index", "folders": [str(tmp_path / "other")]}).json()
    assert finished(client, job)["summary"]["new"] == 1


def test_an_empty_library_takes_its_first_folder(
    library: Library, settings: ServeSettings, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DEFAULT_MODEL", "fake")
    with TestClient(create_app(library, settings), base_url=BASE_URL) as client:
        assert finished(client, client.post(JOBS, json={"kind": "index"}).json())["state"] == "done"  # of nothing
        job = client.post(JOBS, json={"kind": "index", "folders": [str(album)]}).json()
        assert finished(client, job)["summary"]["new"] == 4
        assert client.post("/api/v1/search", json={"query": "red"}).json()["hits"][0]["name"] == "red.png"


def test_what_fails_says_why(client: TestClient, tmp_path: Path) -> None:
    told = finished(client, client.post(JOBS, json={"kind": "index", "folders": [str(tmp_path / "nothing")]}).json())
    assert (told["state"], told["problem"]) == ("failed", "NoSuchFolder")
    assert "nothing" in told["error"]


def test_there_is_one_job_at_a_time(client: TestClient, album: Path, paint: Paint, held: threading.Event) -> None:
    paint(album / "new.png", "cyan")
    job = client.post(JOBS, json={"kind": "index"}).json()
    busy = client.post(JOBS, json={"kind": "index"})
    assert (busy.status_code, busy.json()["title"]) == (409, "Busy")
    assert client.post("/api/v1/search", json={"query": "red"}).status_code == 200  # people go on searching
    held.set()
    assert finished(client, job)["state"] == "done"
    assert client.post(JOBS, json={"kind": "index"}).status_code == 202


def test_a_job_that_is_stopped_keeps_what_it_has_done(
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


def test_a_job_is_watched_until_its_end(client: TestClient, album: Path, paint: Paint) -> None:
    paint(album / "new.png", "cyan")
    job = client.post(JOBS, json={"kind": "index"}).json()
    stream = client.get(f"{JOBS}/{job['id']}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n") for event in stream.text.strip().split("\n\n") if event.startswith("event")]
    assert [name for name, _ in events][-1] == "event: end"
    assert json.loads(events[-1][1].removeprefix("data: "))["summary"]["new"] == 1


def test_whoever_watches_is_let_go_when_the_server_stops(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    paint(album / "new.png", "cyan")
    job = client.post(JOBS, json={"kind": "index"}).json()
    running = client.app.state.service.jobs  # type: ignore[attr-defined]
    stopping = Server(Config("nowhere:app"), running)
    stopping.handle_exit(signal.SIGTERM, None)
    stream = client.get(f"{JOBS}/{job['id']}/events")  # ends, although the job does not
    assert '"state":"running"' in stream.text
    assert client.post(JOBS, json={"kind": "index"}).status_code == 409  # nothing new begins
    held.set()
    assert finished(client, job)["state"] == "cancelled"


def test_an_unknown_job_is_not_there(client: TestClient) -> None:
    for path in (f"{JOBS}/nope", f"{JOBS}/nope/events"):
        assert client.get(path).status_code == 404
    assert client.delete(f"{JOBS}/nope").status_code == 404


@pytest.mark.parametrize("folder", ["relative", "./x", ""])
def test_a_folder_is_named_by_its_whole_path(client: TestClient, folder: str) -> None:
    assert client.post(JOBS, json={"kind": "index", "folders": [folder]}).status_code in {400, 422}


def test_strangers_index_what_is_covered_and_nothing_else(indexed: Library, album: Path, tmp_path: Path) -> None:
    settings = ServeSettings(host="0.0.0.0", token=TOKEN, cache=tmp_path / "cache")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(indexed, settings), base_url=BASE_URL, headers=headers) as client:
        for folder in (tmp_path, Path("/etc"), album / ".." / "other", Path(f"{album}-private")):
            refused = client.post(JOBS, json={"kind": "index", "folders": [str(folder)]})
            assert (refused.status_code, refused.json()["title"]) == (400, "NotAllowed"), folder
        job = client.post(JOBS, json={"kind": "index", "folders": [str(album / "more")]}).json()
        assert finished(client, job)["state"] == "done"


def test_a_space_needs_a_model(client: TestClient) -> None:
    assert client.post(JOBS, json={"kind": "space"}).json()["title"] == "NotAllowed"
    assert client.post(JOBS, json={"kind": "space", "model": "nonsense"}).status_code in {404, 503}


def test_another_model_takes_over(client: TestClient) -> None:
    job = client.post(JOBS, json={"kind": "space", "model": "mini"}).json()
    told = finished(client, job)
    assert (told["state"], told["summary"]) == ("done", told["summary"] | {"embedded": 4, "switched": True})
    assert [(space["model"], space["active"]) for space in client.get("/api/v1/spaces").json()] == [
        ("fake", False),
        ("mini", True),
    ]
    assert client.post("/api/v1/search", json={"query": "red"}).json()["space"] == "mini"
    back = client.put("/api/v1/spaces/active", json={"name": "fake"})
    assert [space["active"] for space in back.json()] == [True, False]
    assert client.post("/api/v1/search", json={"query": "red"}).json()["space"] == "fake"
    assert client.put("/api/v1/spaces/active", json={"name": "nope"}).status_code == 404
