"""Jobs: indexing, model changes, progress, cancellation, and permissions."""

import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from uvicorn import Config

from encoders import registry
from encoders.fake import FakeEncoder
from indexer.jobs import activity
from indexer.jobs.control import READ_INTERVAL_SECONDS, JobControl
from store import Library
from store.backup.snapshot_folder import newest_intact_snapshot
from store.jobs import Action, add_job, claim_next, list_jobs
from store.jobs import act as act_on_job
from store.ratings import rate
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
        assert self.go.wait(60)
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
    assert (started.status_code, started.json()["state"]) == (202, "queued")
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


def test_server_without_jobs_leaves_them_to_others(indexed: Library, settings: ServeSettings) -> None:
    app = create_app(indexed, replace(settings, run_jobs=False))
    with TestClient(app, base_url=BASE_URL) as without:
        assert not app.state.service.jobs.is_running()
        job = without.post(JOBS, json={"kind": "duplicates"}).json()
        with TestClient(create_app(indexed, settings), base_url=BASE_URL):
            assert finished(without, job)["state"] == "done"
        again = without.post(JOBS, json={"kind": "duplicates"}).json()
        assert not app.state.service.jobs.is_running()
        assert without.get(f"{JOBS}/{again['id']}").json()["state"] == "queued"


def test_failed_job_reports_its_error(client: TestClient, album: Path) -> None:
    album.rename(album.with_name("unmounted"))
    data = finished(client, client.post(JOBS, json={"kind": "index", "folders": [str(album)]}).json())
    assert (data["state"], data["problem"]) == ("failed", "RootUnavailable")
    assert str(album) in data["error"]


def test_job_for_a_folder_that_does_not_exist_is_refused_at_once(client: TestClient, tmp_path: Path) -> None:
    refused = client.post(JOBS, json={"kind": "index", "folders": [str(tmp_path / "nothing")]})
    assert (refused.status_code, refused.json()["title"]) == (404, "NoSuchFolder")
    assert client.get(JOBS).json() == []


def wait_for(client: TestClient, job: dict[str, Any], state: str) -> dict[str, Any]:
    """Wait until a job is in a state, and return it."""
    deadline = time.monotonic() + 30
    while (found := client.get(f"{JOBS}/{job['id']}").json())["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return dict(found)


def act(client: TestClient, job: dict[str, Any], action: str) -> dict[str, Any]:
    answer = client.post(f"{JOBS}/{job['id']}/{action}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_jobs_wait_for_each_other(client: TestClient, album: Path, paint: Paint, held: threading.Event) -> None:
    paint(album / "new.png", "cyan")
    first = client.post(JOBS, json={"kind": "index"}).json()
    wait_for(client, first, "running")
    second = client.post(JOBS, json={"kind": "index"}).json()
    assert client.post(JOBS, json={"kind": "index"}).json()["id"] == second["id"]  # it waits already
    assert client.post("/api/v1/search", json={"query": "red"}).status_code == 200  # searches continue
    assert [(job["id"], job["state"]) for job in client.get(JOBS).json()] == [
        (first["id"], "running"),
        (second["id"], "queued"),
    ]
    held.set()
    assert [finished(client, job)["state"] for job in (first, second)] == ["done", "done"]


def test_urgent_job_goes_first_and_the_other_continues(
    client: TestClient, album: Path, paint: Paint, tmp_path: Path, held: threading.Event
) -> None:
    for number in range(6):
        paint(album / f"new{number}.png", (0, 10 * number, 200))
    paint(tmp_path / "urgent" / "cyan.png", "cyan")
    slow = client.post(JOBS, json={"kind": "index", "priority": "low"}).json()
    wait_for(client, slow, "running")
    urgent = client.post(JOBS, json={"kind": "index", "folders": [str(tmp_path / "urgent")]}).json()
    time.sleep(READ_INTERVAL_SECONDS)
    held.set()
    ended = [finished(client, job) for job in (urgent, slow)]
    assert [job["state"] for job in ended] == ["done", "done"]
    assert ended[0]["ended_at"] < ended[1]["ended_at"]
    assert ended[0]["summary"]["new"] == 1
    assert client.get("/api/v1/status").json()["present"] == 11


def test_paused_job_continues_where_it_stopped(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    for number in range(6):
        paint(album / f"new{number}.png", (0, 10 * number, 200))
    job = client.post(JOBS, json={"kind": "index"}).json()
    wait_for(client, job, "running")
    assert act(client, job, "pause")["wish"] == "pause"
    time.sleep(READ_INTERVAL_SECONDS)
    held.set()
    wait_for(client, job, "paused")
    before = client.get("/api/v1/status").json()["present"]
    assert before < 10
    time.sleep(1)
    assert client.get("/api/v1/status").json()["present"] == before
    assert act(client, job, "resume")["state"] == "queued"
    assert finished(client, job)["summary"]["new"] == 10 - before


def test_queued_job_can_be_cancelled_and_tried_again(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    paint(album / "new.png", "cyan")
    wait_for(client, client.post(JOBS, json={"kind": "index"}).json(), "running")
    job = client.post(JOBS, json={"kind": "duplicates"}).json()
    assert client.delete(f"{JOBS}/{job['id']}").json()["state"] == "cancelled"
    assert act(client, job, "cancel")["state"] == "cancelled"
    refused = client.post(f"{JOBS}/{job['id']}/pause")
    assert (refused.status_code, refused.json()["title"]) == (409, "JobActionRefused")
    assert refused.json()["detail"] == f"Job {job['id']} is cancelled, so 'pause' does not apply to it."
    assert act(client, job, "retry")["state"] == "queued"
    held.set()
    assert finished(client, job)["state"] == "done"
    assert client.post(f"{JOBS}/{job['id']}/retry").status_code == 409


def test_job_whose_folder_vanished_fails_and_succeeds_once_it_is_back(client: TestClient, album: Path) -> None:
    away = album.with_name("away")
    album.rename(away)
    failed = finished(client, client.post(JOBS, json={"kind": "index"}).json())
    assert (failed["state"], failed["problem"]) == ("failed", "RootUnavailable")
    away.rename(album)
    act(client, failed, "retry")
    again = finished(client, failed)
    assert (again["state"], again["error"], again["summary"]["unchanged"]) == ("done", None, 4)


@pytest.mark.parametrize(
    "request_body",
    [
        {"kind": "sing"},
        {"kind": "space"},
        {"kind": "index", "model": "mini"},
        {"kind": "duplicates", "folders": ["/photos"]},
        {"kind": "duplicates", "parameters": {"x": 1}},
        {"kind": "index", "parameters": {"folders": ["/etc"]}},
        {"kind": "space", "model": "mini", "parameters": {"model": "fake"}},
        {"kind": "index", "priority": "now"},
    ],
)
def test_wrong_jobs_are_refused(shared: TestClient, request_body: dict[str, Any]) -> None:
    before = shared.get(JOBS).json()
    assert shared.post(JOBS, json=request_body).status_code in {400, 422}
    assert shared.get(JOBS).json() == before


def test_job_of_another_process_is_run_and_of_one_that_ended_is_continued(
    indexed: Library, settings: ServeSettings
) -> None:
    add_job(indexed, "index", {})
    left = claim_next(indexed)  # by a process that does not exist any more
    assert left is not None
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        assert finished(client, {"id": left.id})["state"] == "done"
        job = add_job(indexed, "duplicates", {})
        assert finished(client, {"id": job.id})["state"] == "done"


def test_two_servers_run_the_jobs_of_a_library_once(
    indexed: Library, settings: ServeSettings, album: Path, paint: Paint, held: threading.Event
) -> None:
    paint(album / "new.png", "cyan")
    with (
        Library.open(indexed.path) as other,
        TestClient(create_app(other, settings), base_url=BASE_URL) as second,
    ):
        with TestClient(create_app(indexed, settings), base_url=BASE_URL) as first:
            job = first.post(JOBS, json={"kind": "index"}).json()
            wait_for(second, job, "running")
            assert [each["state"] for each in second.get(JOBS).json()] == ["running"]
            held.set()
            assert finished(second, job)["summary"]["new"] == 1
        job = second.post(JOBS, json={"kind": "index"}).json()  # whichever ran jobs before
        assert finished(second, job)["state"] == "done"


def test_search_goes_before_the_next_batch(indexed: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "MAX_WAIT_SECONDS", 60.0)
    add_job(indexed, "index", {})
    job = claim_next(indexed)
    assert job is not None
    searches = activity.Activity()
    control = JobControl(indexed, job, searches, lambda: False)
    went_on = threading.Event()

    def begin_batch() -> None:
        control.check()
        went_on.set()

    batch = threading.Thread(target=begin_batch)
    with searches.search():
        batch.start()
        assert not went_on.wait(0.3)
    batch.join()
    assert went_on.is_set()
    assert searches.is_quiet


def test_cancelled_job_keeps_finished_work(
    client: TestClient, album: Path, paint: Paint, held: threading.Event
) -> None:
    for number in range(6):
        paint(album / f"new{number}.png", (0, 10 * number, 200))
    job = client.post(JOBS, json={"kind": "index"}).json()
    wait_for(client, job, "running")
    client.delete(f"{JOBS}/{job['id']}")
    time.sleep(READ_INTERVAL_SECONDS)
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
    wait_for(client, job, "running")
    stopping = Server(Config("nowhere:app"), client.app.state.service)  # type: ignore[attr-defined]
    stopping.handle_exit(signal.SIGTERM, None)
    stream = client.get(f"{JOBS}/{job['id']}/events")  # ends before the job does
    assert '"state":"running"' in stream.text
    held.set()
    wait_for(client, job, "queued")  # to be continued by the next server


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


@pytest.mark.parametrize("path", ["1", "1/pause", "1/cancel", "1/retry", ""])
def test_other_sites_cannot_change_jobs(client: TestClient, indexed: Library, path: str) -> None:
    client.app.state.service.jobs.close()  # type: ignore[attr-defined]
    add_job(indexed, "index", {})
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.request("DELETE" if path == "1" else "POST", f"{JOBS}/{path}", headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (403, "CrossSite")
    assert [job.state for job in list_jobs(indexed)] == ["queued"]


def test_metrics_count_jobs(client: TestClient) -> None:
    job = client.post(JOBS, json={"kind": "duplicates"}).json()
    assert finished(client, job)["state"] == "done"
    assert 'sightline_jobs{kind="duplicates",state="done"} 1.0' in client.get("/metrics").text


def test_folder_is_removed_from_the_library(client: TestClient, indexed: Library, album: Path) -> None:
    (root,) = client.get("/api/v1/status").json()["roots"]
    rate(indexed, [1], 5)
    job = finished(client, client.post(JOBS, json={"kind": "forget", "folders": [root["uri"]]}).json())
    snapshot = newest_intact_snapshot(indexed.path)
    assert snapshot is not None
    assert snapshot.header.counts == {"picture": 1}
    assert (job["state"], job["summary"]) == ("done", {"forgotten": 4})
    assert client.get("/api/v1/status").json()["roots"] == []
    assert (album / "red.png").exists()
    again = client.post(JOBS, json={"kind": "forget", "folders": [root["uri"]]})
    assert (again.status_code, again.json()["title"]) == (400, "NotAllowed")


@pytest.mark.parametrize("folder", ["more", "..", "", "red.png"])
def test_only_a_whole_folder_of_the_library_is_removed(client: TestClient, album: Path, folder: str) -> None:
    path = str(album / folder) if folder else "relative"
    answer = client.post(JOBS, json={"kind": "forget", "folders": [path]})
    assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed")
    assert client.post(JOBS, json={"kind": "forget"}).status_code == 400
    assert client.get("/api/v1/status").json()["present"] == 4


def test_folder_is_not_removed_where_clients_may_not_index(indexed: Library, album: Path, tmp_path: Path) -> None:
    settings = ServeSettings(cache=tmp_path / "cache", token=TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(indexed, settings), base_url=BASE_URL, headers=headers) as client:
        answer = client.post(JOBS, json={"kind": "forget", "folders": [str(album)]})
        assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed")


def test_only_failed_files_are_read_again(client: TestClient, album: Path, paint: Paint) -> None:
    (album / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    finished(client, client.post(JOBS, json={"kind": "index"}).json())
    assert client.get("/api/v1/failures/reasons").json() == [{"reason": "undecodable", "files": 1}]
    paint(album / "new.png", "cyan")
    retry = {"kind": "index", "parameters": {"retry_failed": True}}
    job = finished(client, client.post(JOBS, json=retry).json())
    assert (job["summary"]["failed"], job["summary"]["new"], job["total"]) == (1, 0, 1)
    (failure,) = client.get("/api/v1/failures", params={"reason": "undecodable"}).json()
    assert (failure["path"], failure["tries"]) == (str(album / "broken.jpg"), 2)
    assert client.get("/api/v1/failures", params={"reason": "crashed"}).json() == []
    paint(album / "broken.jpg", "cyan")
    job = finished(client, client.post(JOBS, json=retry).json())
    assert job["summary"]["failed"] == 0
    status = client.get("/api/v1/status").json()
    assert (status["present"], status["failed"]) == (5, 0)  # without new.png
    (album / "red.png").rename(album / "moved.png")  # is not read, so its picture must not be lost
    finished(client, client.post(JOBS, json=retry).json())
    assert client.get("/api/v1/status").json()["present"] == 5
    assert client.post(JOBS, json={"kind": "index", "parameters": {"retry_failed": "yes"}}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("forget", {"folders": ["ALBUM"]}), ("index", {"folders": ["/elsewhere"]}), ("model", {"model": "BAAI/AltCLIP"})],
)
def test_job_of_a_server_that_allowed_more_is_not_started_again(
    indexed: Library, album: Path, tmp_path: Path, kind: str, parameters: dict[str, Any]
) -> None:
    """It was cancelled while the server had no token."""
    given = {name: [str(album)] if value == ["ALBUM"] else value for name, value in parameters.items()}
    number = add_job(indexed, kind, given).id
    act_on_job(indexed, number, Action.CANCEL)
    settings = ServeSettings(cache=tmp_path / "cache", token=TOKEN)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:
        answer = client.post(f"{JOBS}/{number}/retry", headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed")
    assert [job.state for job in list_jobs(indexed)] == ["cancelled"]
