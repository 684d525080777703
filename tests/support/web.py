"""Helpers for tests of the web server and its HTTP API."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi.testclient import TestClient

from store import Library
from web import ServeSettings, create_app
from web.server import listen

__all__ = [
    "API",
    "BASE_URL",
    "JOBS",
    "PICTURES",
    "TOKEN",
    "finished",
    "opened_library_server",
    "picture_id",
    "running_server",
]

BASE_URL = "http://127.0.0.1:8765"
API = "/api/v1"
JOBS = f"{API}/jobs"
PICTURES = f"{API}/pictures"
TOKEN = "0123456789abcdef"


def picture_id(client: TestClient, name: str) -> int:
    """Return the ID of the picture whose file has this name."""
    hits = client.post(f"{API}/search", json={}).json()["hits"]
    return int(next(hit["id"] for hit in hits if hit["name"] == name))


def finished(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until a job is over, and return it."""
    for _ in range(1800):
        state: dict[str, Any] = client.get(f"{JOBS}/{job['id']}").json()
        if state["state"] not in {"queued", "running"}:
            return state
        time.sleep(0.05)
    raise AssertionError("the job does not end")


@contextmanager
def running_server(library: Library, settings: ServeSettings) -> Iterator[str]:
    """Run a server on a free port of this machine, and yield its URL."""
    listening = listen(settings)
    port = listening.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(library, settings), log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def opened_library_server(library: Library, folder: Path) -> Iterator[str]:
    """Run a server of `library` with its cache in `folder`, yield its URL, and close both."""
    with library, running_server(library, ServeSettings(port=0, cache=folder / "cache")) as url:
        yield url
