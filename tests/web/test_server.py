"""`sightline serve` as a separate process: start, output, shutdown, and several servers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from core.errors import AddressUnavailable
from encoders.mini.encoder import MiniEncoder
from indexer import index
from store import Library
from tests.support.web import TOKEN
from web import ServeSettings
from web.server import listen

RUN = "from cli.main import main; main()"
PATIENCE_SECONDS = 90
"""Time after which a server counts as hung."""

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.processes


class Server:
    """A running server."""

    def __init__(self, library: Path | str, *options: str, setup: str = "", **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", setup + RUN, "serve", "--library", str(library), "--port", "0", *options],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.output = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", self.output)
        assert found, self.output + self.process.communicate(timeout=60)[1]
        self.url = found[0]

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=30, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=30, **more)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Stop the server, and return its exit code and its output."""
        self.process.send_signal(sign)
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, self.output + out + err


@contextmanager
def served(library: Path | str, *options: str, setup: str = "", **environment: str) -> Iterator[Server]:
    """Run a server in a process that runs the Python statements in `setup` first."""
    server = Server(library, *options, setup=setup, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


@pytest.fixture
def gallery(library: Library, album: Path) -> Path:
    """The path of a library indexed with the built-in model."""
    index(library, [album], MiniEncoder())
    return library.path


def index_by_job(server: Server, folder: Path) -> str:
    """Start to index a folder, and return the ID of the job."""
    name: str = server.post("api/v1/jobs", json={"kind": "index", "folders": [str(folder)]}).json()["id"]
    return name


def state(server: Server, job: str) -> dict[str, Any]:
    data: dict[str, Any] = server.get(f"api/v1/jobs/{job}").json()
    return data


def wait_until(server: Server, job: str, reached: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until a job has reached a state. It must not end before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached(data := state(server, job)):
        assert data["state"] in {"queued", "running"}, data
        assert time.monotonic() < deadline, data
        time.sleep(0.02)


def paint_many(folder: Path, number: int) -> None:
    folder.mkdir()
    for each in range(number):
        Image.effect_noise((240, 180), 10 + each % 90).convert("RGB").save(folder / f"{each}.jpg")


def test_server_output_does_not_contain_queries_or_tokens(gallery: Path) -> None:
    secret = "a-very-secret-wish"
    with served(gallery, SIGHTLINE_TOKEN=TOKEN) as server:
        assert server.get("health").json() == {"status": "ok"}
        assert server.get("api/v1/status").status_code == 401
        assert server.get("", params={"token": TOKEN}).status_code == 200
        assert server.get("", params={"token": "wrong" + TOKEN}).status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        for body in ({"query": secret}, {"query": f'"{secret}'}, {"where": secret}, {"parts": [{"upload": secret}]}):
            server.post("api/v1/search", json=body, headers=headers)
        found = server.post("api/v1/search", json={"query": secret}, headers=headers).json()
        assert len(found["hits"]) == 4
        assert server.get(f"nothing/{secret}?q={secret}", headers=headers).status_code == 404
        with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":")[-1].strip("/")))) as raw:
            raw.sendall(f"GET /{secret} HTTP/9.9\r\nAuthorization: {TOKEN}\r\n\r\n".encode())
            raw.recv(1000)
        code, output = server.stop()
    assert code in {0, -signal.SIGTERM}
    assert "Sightline is running at" in output
    assert TOKEN not in output
    assert secret not in output
    assert "Traceback" not in output


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_server_stop_ends_a_running_job(gallery: Path, tmp_path: Path, sign: signal.Signals) -> None:
    paint_many(tmp_path / "many", 250)
    with served(gallery) as server:
        job = index_by_job(server, tmp_path / "many")
        with server.get(f"api/v1/jobs/{job}/events", stream=True) as events:  # a watcher must not delay the shutdown
            for line in events.iter_lines():
                if line.startswith(b"data") and json.loads(line[5:])["done"] >= 32:
                    break
            code, output = server.stop(sign)
    assert code in {0, 1, 130, -sign}, output
    assert "Traceback" not in output
    with served(gallery) as server:  # finished work is kept, and another run continues
        before = server.get("api/v1/status").json()["present"]
        assert 4 <= before < 254


BUSY = """
import indexer.jobs.worker, os, pathlib
from encoders.mini.encoder import MiniEncoder
indexer.jobs.worker.STOP_TIMEOUT_SECONDS = 0.0
forward = MiniEncoder.forward_images
def endless(self, pixels):
    while True:
        forward(self, pixels)
        pathlib.Path(os.environ["BATCH_BEGUN"]).touch()
MiniEncoder.forward_images = endless
"""
"""Jobs get no time to stop, and embedding a batch never ends."""


def test_server_stop_during_a_batch_exits_without_abort(gallery: Path, tmp_path: Path) -> None:
    paint_many(tmp_path / "many", 40)
    begun = tmp_path / "begun"
    with served(gallery, setup=BUSY, BATCH_BEGUN=str(begun)) as server:
        job = index_by_job(server, tmp_path / "many")
        wait_until(server, job, lambda _: begun.exists())
        code, output = server.stop(signal.SIGINT)
    assert code == 130, output
    assert output.endswith("run the same command again to continue.\n")
    with Library.open(gallery) as library, library.exclusive_if_free() as writer:
        assert writer is not None


def test_library_is_usable_after_the_server_is_killed(gallery: Path, tmp_path: Path) -> None:
    paint_many(tmp_path / "many", 100)
    with served(gallery) as server:
        job = index_by_job(server, tmp_path / "many")
        wait_until(server, job, lambda data: data["done"] >= 32)
        server.process.kill()
        server.process.communicate()
    with served(gallery) as server:
        assert len(server.post("api/v1/search", json={"query": "noise"}).json()["hits"]) >= 4
        job = index_by_job(server, tmp_path / "many")
        wait_until(server, job, lambda data: data["state"] == "done")  # after the job of the killed server
        assert server.get("api/v1/status").json()["present"] == 104
    with Library.open(gallery) as library:
        assert library.revision() > 0


def test_two_servers_respond_while_another_process_indexes(gallery: Path, tmp_path: Path) -> None:
    paint_many(tmp_path / "many", 60)
    with served(gallery) as one, served(gallery) as other:
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, "index", str(tmp_path / "many"), "--library", str(gallery)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        asked = 0
        while run.poll() is None:
            for server in (one, other):
                answer = server.post("api/v1/search", json={"query": "red", "k": 3})
                assert answer.status_code == 200, answer.text
                assert server.get(f"api/v1/pictures/{answer.json()['hits'][0]['id']}/thumbnail").status_code == 200
                asked += 1
        output = run.communicate()[1]
        assert run.returncode == 0, output
        assert asked > 2
        counts = {server.post("api/v1/search", json={"query": "red"}).json()["searched"] for server in (one, other)}
        assert counts == {64}
        tag = {"tag": "seen", "pictures": [1]}
        assert one.post("api/v1/tags", json=tag).json()["changed"] == 1
        assert other.get("api/v1/tags").json() == [{"name": "seen", "pictures": 1}]


def test_port_in_use_is_reported(gallery: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-c", RUN, "serve", "--library", str(gallery), "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "--port 0" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nagle_algorithm_is_disabled() -> None:
    with listen(ServeSettings(port=0)) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # or asyncio leaves Nagle's algorithm on: 44 ms per response


@pytest.mark.parametrize("host", ["no..name", "\u2603" * 70])
def test_invalid_host_is_reported(host: str) -> None:
    with pytest.raises(AddressUnavailable, match="Cannot listen on"):
        listen(ServeSettings(host=host, token=TOKEN))


def test_missing_extra_is_reported(gallery: Path) -> None:
    blocked = "import sys; sys.modules['uvicorn'] = None; from cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", blocked, "serve", "--library", str(gallery)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "pip install 'sightline[web]'" in ended.stderr
