"""The balancer of `deploy/Caddyfile` in front of two servers.

Caddy itself reads the file. Then only addresses are changed: those that it listens on, and those of the servers. There
is no TLS here, for which it would ask an authority for a certificate.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from store import Library
from tests.support.tools import miss
from tests.support.web import TOKEN
from tests.web.test_server import PATIENCE_SECONDS, Server, served

pytestmark = pytest.mark.processes

CADDYFILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
NAME = "photos.example.org"
HEADERS = {"Host": NAME, "Authorization": f"Bearer {TOKEN}"}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Proxy:
    """A running Caddy in front of `servers`."""

    def __init__(self, folder: Path, servers: list[Server]) -> None:
        self.servers = servers
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
        (folder / "caddy.json").write_text(json.dumps(self._configuration()))
        environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with (folder / "caddy.log").open("w") as log:
            self.process = subprocess.Popen(
                ["caddy", "run", "--config", str(folder / "caddy.json")], env=environment, stdout=log, stderr=log
            )

    def _configuration(self) -> dict[str, Any]:
        """Return what Caddy reads in the file, with the addresses of this machine."""
        adapted = subprocess.run(
            ["caddy", "adapt", "--config", str(CADDYFILE)],
            env={**os.environ, "SIGHTLINE_NAME": NAME},
            check=True,
            capture_output=True,
        )
        read: dict[str, Any] = json.loads(adapted.stdout)
        (server,) = read["apps"]["http"]["servers"].values()
        assert server["listen"] == [":443"]
        server |= {"listen": [self.url.split("/")[2]], "automatic_https": {"disable": True}}
        (handler,) = server["routes"][0]["handle"][0]["routes"][0]["handle"]
        assert [each["dial"] for each in handler["upstreams"]] == ["server-1:8765", "server-2:8765"]
        handler["upstreams"] = [{"dial": each.url.split("/")[2]} for each in self.servers]
        return read | {"admin": {"disabled": True}}

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        options: dict[str, Any] = {"headers": HEADERS, "timeout": PATIENCE_SECONDS, **more}
        return requests.request(method, self.url + path, **options)

    def status(self, path: str) -> int | None:
        """Return the status of an answer; None if there is none in time."""
        try:
            return self.ask("GET", path, timeout=15).status_code
        except (requests.ConnectionError, requests.Timeout):
            assert self.process.poll() is None
            return None

    def is_up(self) -> bool:
        return self.status("health/ready") == 200


@pytest.fixture
def proxy(indexed: Library, tmp_path: Path) -> Iterator[Proxy]:
    if shutil.which("caddy") is None:
        miss("caddy", "it is not installed.")
    (tmp_path / "shared").mkdir()
    with ExitStack() as stack:
        options = ("--name", NAME, "--token", TOKEN, "--allow-folder", str(tmp_path))
        servers = [
            stack.enter_context(served(indexed.path, *options, SIGHTLINE_SHARED=str(tmp_path / "shared")))
            for _ in range(2)
        ]
        running = Proxy(tmp_path, servers)
        try:
            wait_until(running.is_up)
            yield running
        finally:
            running.process.terminate()
            running.process.wait(PATIENCE_SECONDS)


def test_pages_files_and_searches_come_through(proxy: Proxy) -> None:
    page = proxy.ask("GET", "")
    assert page.status_code == 200
    assert "/static/js/main.js" in page.text
    assert "javascript" in proxy.ask("GET", "static/js/main.js").headers["Content-Type"]
    hits = proxy.ask("POST", "api/v1/search", json={"query": "red"}).json()["hits"]
    assert hits[0]["name"] == "red.png"
    original = f"api/v1/pictures/{hits[0]['id']}/original"
    whole, head = proxy.ask("GET", original), proxy.ask("HEAD", original)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.content)) == whole.headers["Content-Length"]
    part = proxy.ask("GET", original, headers=HEADERS | {"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    unchanged = proxy.ask("GET", original, headers=HEADERS | {"If-None-Match": whole.headers["ETag"]})
    assert unchanged.status_code == 304
    assert proxy.ask("GET", "api/v1/status", headers={"Host": NAME}).status_code == 401
    assert proxy.ask("GET", "api/v1/status", headers=HEADERS | {"Host": "elsewhere.example.org"}).text == ""


def test_large_uploads_come_through_up_to_the_limit_of_the_server(proxy: Proxy) -> None:
    encoded = BytesIO()
    Image.effect_noise((3000, 3000), 90).convert("RGB").save(encoded, "PNG")
    assert len(encoded.getvalue()) > 8_000_000
    upload = proxy.ask("POST", "api/v1/uploads", data=encoded.getvalue())
    assert upload.status_code == 201
    found = [proxy.ask("POST", "api/v1/search", json={"parts": [{"upload": upload.json()["id"]}]}) for _ in range(4)]
    assert [answer.status_code for answer in found] == [200] * 4  # whichever server has it
    refused = proxy.ask("POST", "api/v1/uploads", data=b"x" * 40_000_000)
    assert refused.status_code == 413


def test_events_of_a_job_come_through_while_it_runs(proxy: Proxy, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(600):
        Image.effect_noise((240, 180), 10 + number % 90).convert("RGB").save(folder / f"{number}.jpg")
    job = proxy.ask("POST", "api/v1/jobs", json={"kind": "index", "folders": [str(folder)]}).json()["id"]
    with proxy.ask("GET", f"api/v1/jobs/{job}/events", stream=True) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        lines = events.iter_lines(chunk_size=1, decode_unicode=True)
        names = (line for line in lines if str(line).startswith("event:"))
        states = [proxy.ask("GET", f"api/v1/jobs/{job}").json()["state"] for _ in names]
    assert "running" in states[:-1]  # they are not kept until the end
    assert states[-1] == "done"


def test_a_server_that_is_killed_or_hangs_gets_no_requests(proxy: Proxy) -> None:
    first, second = proxy.servers
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.communicate()
    answers = [proxy.ask("GET", "api/v1/pictures/1") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200}  # what only reads is sent to the other server
    found = [proxy.ask("POST", "api/v1/search", json={"query": "red"}) for _ in range(40)]
    assert {answer.status_code for answer in found} == {200}
    os.kill(second.process.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: proxy.status("health/live") == 503)  # no server is left
    finally:
        os.kill(second.process.pid, signal.SIGCONT)
    wait_until(proxy.is_up)
    assert proxy.ask("POST", "api/v1/search", json={"query": "red"}).json()["hits"][0]["name"] == "red.png"
