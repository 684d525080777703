"""Downloads of models by clients: the plan, the licence to accept, progress, and what a server refuses."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from encoders.hub import model_folder, read_manifest
from encoders.hub.manifest import PARTIAL
from store import Library
from tests.support.hub_server import Hub, Repository, serving
from tests.support.web import API, BASE_URL, JOBS, TOKEN, finished
from web import ServeSettings, create_app

NAME = "BAAI/AltCLIP"
PLAN = f"{API}/models/download-plan"
WEIGHTS = 3_000_000


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the repository of a model of the catalogue."""
    with serving(monkeypatch) as server:
        files = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": os.urandom(WEIGHTS)}
        server.repositories[NAME] = Repository(files, "mit")
        yield server


def ask(client: TestClient, **parameters: Any) -> dict[str, Any]:
    answer = client.post(JOBS, json={"kind": "model", "model": NAME, "parameters": parameters})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def listed(client: TestClient, language: str = "de") -> dict[str, dict[str, Any]]:
    answer = client.get(f"{API}/models", params={"language": language})
    return {model["name"]: model for model in answer.json()}


def test_model_is_downloaded_after_its_licence_was_accepted(client: TestClient, hub: Hub) -> None:
    assert listed(client)[NAME]["can_download"]
    assert hub.agents == set()  # no request before a user asks for one
    plan = client.post(PLAN, json={"name": NAME}).json()
    assert (plan["size"], plan["licence"], plan["use"]) == (WEIGHTS + 4, "mit", "commercial")
    assert plan["repositories"] == [f"{hub.address}/{NAME}"]
    assert hub.asked == []  # no file
    job = finished(client, ask(client, licence="mit"))
    assert (job["state"], job["phase"], job["done"], job["total"]) == ("done", "downloading", WEIGHTS + 4, WEIGHTS + 4)
    manifest = read_manifest(model_folder(NAME))
    assert manifest is not None
    assert manifest.licence == "mit"
    assert (listed(client)[NAME]["location"], listed(client)[NAME]["can_download"]) == ("pulled", False)


@pytest.mark.parametrize("stated", ["cc-by-nc-4.0", None])
def test_model_with_another_licence_than_the_accepted_one_is_not_downloaded(
    client: TestClient, hub: Hub, stated: str | None
) -> None:
    hub.repositories[NAME].licence = stated
    job = finished(client, ask(client, licence="mit"))
    assert (job["state"], job["problem"]) == ("failed", "LicenceNotAccepted")
    assert (stated or "unknown") in job["error"]
    assert hub.asked == []


@pytest.mark.parametrize(
    ("parameters", "model"),
    [({}, NAME), ({"licence": 3}, NAME), ({"licence": "mit", "use": 1}, NAME), ({"licence": "mit", "x": 1}, NAME)],
)
def test_job_without_an_accepted_licence_is_refused(
    client: TestClient, hub: Hub, parameters: dict[str, Any], model: str
) -> None:
    answer = client.post(JOBS, json={"kind": "model", "model": model, "parameters": parameters})
    assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed")
    assert hub.agents == set()


@pytest.mark.parametrize(
    "name", ["evil/model", "hf-hub:evil/model", "../../etc", "/etc", "mini", "http://evil.example/x"]
)
def test_only_models_of_the_catalogue_are_downloaded(client: TestClient, hub: Hub, name: str) -> None:
    answer = client.post(PLAN, json={"name": name})
    assert (answer.status_code, answer.json()["title"]) == (404, "UnknownModel")
    answer = client.post(JOBS, json={"kind": "model", "model": name, "parameters": {"licence": "mit"}})
    assert (answer.status_code, answer.json()["title"]) == (404, "UnknownModel")
    assert hub.agents == set()


def test_download_is_cancelled_and_continued_where_it_stopped(
    client: TestClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.jobs.control.READ_INTERVAL_SECONDS", 0.0)
    hub.cut_after = 1_000_000  # then the connection breaks
    hub.dies = True
    monkeypatch.setattr("encoders.hub.client.MAX_RETRIES", 10**9)
    job = ask(client, licence="mit")
    while (now := client.get(f"{JOBS}/{job['id']}").json())["done"] < 1_000_000:
        time.sleep(0.02)
    assert (now["state"], now["phase"], now["total"]) == ("running", "downloading", WEIGHTS + 4)
    hub.cut_after, hub.dies = 1, False  # the next byte reports, and the job sees that it should stop
    client.post(f"{JOBS}/{job['id']}/cancel")
    assert finished(client, job)["state"] == "cancelled"
    assert read_manifest(model_folder(NAME)) is None
    (partial,) = (model_folder(NAME) / PARTIAL).iterdir()
    kept = partial.stat().st_size
    assert kept >= 1_000_000
    hub.cut_after = None
    client.post(f"{JOBS}/{job['id']}/retry")
    assert finished(client, job)["state"] == "done"
    assert hub.asked[-1] == (f"{NAME}/model.safetensors", f"bytes={kept}-")


def test_download_without_a_network_fails_with_the_reason(
    client: TestClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoders.hub.client.MAX_RETRIES", 0)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    answer = client.post(PLAN, json={"name": NAME})
    assert (answer.status_code, answer.json()["title"]) == (503, "PullFailed")
    assert "cannot reach http://127.0.0.1:9" in answer.json()["detail"]
    job = finished(client, ask(client, licence="mit"))
    assert (job["state"], job["problem"]) == ("failed", "PullFailed")


def test_model_is_used_after_the_download_if_wanted(client: TestClient, hub: Hub) -> None:
    finished(client, ask(client, licence="mit", use=True))
    space = next(job for job in client.get(JOBS).json() if job["kind"] == "space")
    assert space["parameters"] == {"model": NAME}
    assert finished(client, space)["state"] == "failed"  # these weights are random bytes


def test_forbidden_licence_is_not_offered(client: TestClient, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repositories[NAME].licence = "cc-by-nc-4.0"
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    assert client.post(PLAN, json={"name": NAME}).json()["title"] == "LicenceRefused"
    assert finished(client, ask(client, licence="cc-by-nc-4.0"))["problem"] == "LicenceRefused"


def test_server_with_a_token_downloads_nothing(indexed: Library, tmp_path: Path, hub: Hub) -> None:
    settings = ServeSettings(cache=tmp_path / "cache", token=TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(indexed, settings), base_url=BASE_URL, headers=headers) as client:
        assert not listed(client)[NAME]["can_download"]
        for path, body in (
            (PLAN, {"name": NAME}),
            (JOBS, {"kind": "model", "model": NAME, "parameters": {"licence": "mit"}}),
        ):
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed")
    assert hub.agents == set()


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_other_sites_cannot_start_a_download(client: TestClient, hub: Hub, headers: dict[str, str]) -> None:
    job = {"kind": "model", "model": NAME, "parameters": {"licence": "mit"}}
    assert client.post(PLAN, json={"name": NAME}, headers=headers).status_code == 403
    assert client.post(JOBS, json=job, headers=headers).status_code == 403
    assert hub.agents == set()


def test_model_is_recommended_for_a_language(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from encoders.machine import Machine

    monkeypatch.setattr("web.api.models.this_machine", lambda: Machine(64 * 2**30, has_gpu=False))
    for language, weak in (("de", False), ("th", True)):
        models = listed(client, language)
        (best,) = [name for name, model in models.items() if model["recommended"]]
        assert not models[best]["weak"]
        assert models["mini"]["weak"] is weak
    assert not any(model["recommended"] or model["weak"] for model in client.get(f"{API}/models").json())
    monkeypatch.setattr("web.api.models.this_machine", lambda: Machine(2**30, has_gpu=False))
    assert [name for name, model in listed(client).items() if model["recommended"]] == ["mini"]
    assert not any(model["recommended"] for model in listed(client, "th").values())
