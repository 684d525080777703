"""Text in pictures over HTTP: found lines, all lines of a picture, the ranking, and the job that reads it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from encoders.text_recognizer import DEFAULT_RECOGNIZER, RECOGNIZERS
from store import Library
from tests.support.frame_files import index_files
from tests.support.web import API, BASE_URL
from tests.support.written import PixelTextRecognizer, write_picture
from web import ServeSettings, create_app


@pytest.fixture
def ids(library: Library, tmp_path: Path) -> dict[str, int]:
    write_picture(tmp_path / "signs" / "sign.png", "Platform 9", "King's Cross")
    write_picture(tmp_path / "signs" / "plain.png", colour="yellow")
    return index_files(library, tmp_path / "signs", FakeEncoder())


@pytest.fixture
def client(
    library: Library, ids: dict[str, int], settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setitem(RECOGNIZERS._loaded, DEFAULT_RECOGNIZER, PixelTextRecognizer)
    with TestClient(create_app(library, settings), base_url=BASE_URL) as opened:
        yield opened


def read_all(client: TestClient) -> dict[str, Any]:
    """Run the job that reads text, and return its last state."""
    job = client.post(f"{API}/jobs", json={"kind": "texts"}).json()
    deadline = time.monotonic() + 60
    while job["state"] in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.05)
        job = client.get(f"{API}/jobs/{job['id']}").json()
    found: dict[str, Any] = job
    return found


LINE = {
    "frame": 0,
    "text": "Platform 9",
    "confidence": 0.9,
    "corners": [[0, 0], [1, 0], [1, pytest.approx(1 / 16)], [0, pytest.approx(1 / 16)]],
}


def test_a_job_reads_text_and_the_status_counts_it(client: TestClient, ids: dict[str, int]) -> None:
    assert client.get(f"{API}/status").json()["texts"] == {
        "contents": 2, "read": 0, "with_text": 0, "failed": 0, "can_read": True,
    }  # fmt: skip
    job = read_all(client)
    assert job["state"] == "done", job
    assert (job["summary"]["read"], job["summary"]["lines"]) == (2, 2)
    assert client.get(f"{API}/status").json()["texts"]["with_text"] == 1
    picture = client.get(f"{API}/pictures/{ids['sign.png']}").json()
    assert [line["text"] for line in picture["texts"]] == ["Platform 9", "King's Cross"]
    assert client.get(f"{API}/pictures/{ids['plain.png']}").json()["texts"] == []


@pytest.mark.parametrize("query", ["text:platform", "red text:platform"])
def test_hits_have_the_found_lines(client: TestClient, ids: dict[str, int], query: str) -> None:
    read_all(client)
    (hit,) = client.post(f"{API}/search", json={"query": query}).json()["hits"]
    assert hit["id"] == ids["sign.png"]
    assert hit["texts"] == [LINE]
    assert hit["text_match"] is None


def test_words_in_pictures_count_on_request(client: TestClient, ids: dict[str, int]) -> None:
    read_all(client)
    first = [
        client.post(f"{API}/search", json={"query": "yellow platform", "text_weight": weight}).json()["hits"][0]
        for weight in (0, 1)
    ]
    assert [hit["id"] for hit in first] == [ids["plain.png"], ids["sign.png"]]
    assert [hit["text_match"] for hit in first] == [None, pytest.approx(8 / 14)]
    assert client.post(f"{API}/search", json={"query": "red", "text_weight": 2}).status_code == 422
