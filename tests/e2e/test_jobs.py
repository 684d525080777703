"""The queue of jobs in real processes: a server that is killed, two servers, and a terminal beside them.

Servers that must not finish a job too early wait for a file, the gate, when they are about to embed the third of its
five batches.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.processes import Cli, finish

Paint = Callable[..., list[Path]]
PATIENCE_SECONDS = 90
COUNT = 160
"""Pictures that the job indexes: five batches of 32."""


@pytest.fixture
def ready(cli: Cli, tmp_path: Path, paint: Paint) -> Cli:
    """The script on a library with one picture, which has the model `fake`."""
    paint(tmp_path / "first", red="red")
    cli.index_in_process(tmp_path / "first")
    return cli


@pytest.fixture
def pictures(tmp_path: Path, paint: Paint) -> Path:
    """The folder that the job indexes."""
    paint(tmp_path / "pictures", **{f"blue{level:03}": f"rgb({level},0,255)" for level in range(COUNT)})
    return tmp_path / "pictures"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "go on"


class Server(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def refuses_connections(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) != 0


def serve(cli: Cli, gate: Path | None = None) -> Server:
    """Start a server, and return it once it listens. With a gate, it waits within the first job."""
    arguments = ("serve", "--port", "0")
    process = cli.start(*arguments) if gate is None else cli.held_at("indexer.batching:embed", 3, gate, *arguments)
    assert process.stderr is not None
    address = re.search(rb"Sightline is running at http://127\.0\.0\.1:(\d+)/", process.stderr.readline())
    assert address is not None
    return Server(process, int(address[1]))


def serve_until_held(cli: Cli, gate: Path) -> Server:
    """Start a server, and return it once it has written the first batch of a job and waits for the gate."""
    server = serve(cli, gate)
    wait_until(lambda: cli.embedded() > 1)
    return server


def jobs(cli: Cli) -> list[dict[str, Any]]:
    names = ("id", "state", "done", "summary", "crashes")
    rows = cli.query(f"SELECT {', '.join(names)} FROM jobs ORDER BY id")
    return [{**dict(zip(names, row, strict=True)), "summary": json.loads(row[3] or "null")} for row in rows]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_job_of_a_killed_server_is_continued_by_the_next(ready: Cli, pictures: Path, gate: Path) -> None:
    ready("jobs", "add", "index", pictures)
    serve_until_held(ready, gate).kill()
    before = ready.embedded()
    assert 1 < before < COUNT + 1
    assert [job["state"] for job in jobs(ready)] == ["running"]

    serve(ready)
    wait_until(lambda: jobs(ready)[0]["state"] == "done")
    (job,) = jobs(ready)
    assert job["summary"]["new"] == COUNT + 1 - before
    assert job["summary"]["unchanged"] == before - 1
    assert ready.embedded() == COUNT + 1
    assert ready.is_intact()


def test_paused_job_stays_paused_when_the_server_is_killed(
    ready: Cli, pictures: Path, gate: Path, tmp_path: Path, paint: Paint
) -> None:
    ready("jobs", "add", "index", pictures)
    server = serve_until_held(ready, gate)
    ready("jobs", "pause", "1")
    server.kill()
    before = ready.embedded()
    paint(tmp_path / "other", green="lime")
    ready("jobs", "add", "index", tmp_path / "other")
    serve(ready)
    wait_until(lambda: jobs(ready)[1]["state"] == "done")  # the later one is done, and the paused one is not
    assert jobs(ready)[0]["state"] == "paused"
    assert ready.embedded() == before + 1 < COUNT
    ready("jobs", "resume", "1")
    wait_until(lambda: jobs(ready)[0]["state"] == "done")
    assert ready.embedded() == COUNT + 2


def test_second_server_takes_over_when_the_first_is_killed(ready: Cli, pictures: Path, gate: Path) -> None:
    servers = [serve(ready, gate), serve(ready, gate)]
    ready("jobs", "add", "index", pictures)
    wait_until(lambda: ready.embedded() > 1)
    owner = int(ready.query("SELECT owner FROM jobs")[0][0].rpartition(":")[2])
    (running,) = (server for server in servers if server.process.pid == owner)
    running.kill()
    assert ready.embedded() < COUNT + 1
    gate.touch()
    wait_until(lambda: jobs(ready)[0]["state"] == "done")
    assert ready.embedded() == COUNT + 1
    assert ready.query("SELECT owner FROM jobs") != [(str(owner),)]
    assert ready.is_intact()


def test_terminal_goes_before_the_job_of_a_server(
    ready: Cli, pictures: Path, gate: Path, tmp_path: Path, paint: Paint
) -> None:
    ready("jobs", "add", "index", pictures)
    serve_until_held(ready, gate)
    # Other roots are not waited for, and neither are tags.
    paint(tmp_path / "other", green="lime")
    assert ready.index(tmp_path / "other")["new"] == 1
    ready("tag", tmp_path / "first" / "red.png", "mine")
    # The job makes way on its own root, and then finds nothing left to do.
    terminal = ready.start("index", pictures, "--json")
    assert terminal.stderr is not None
    assert b"another run is indexing" in terminal.stderr.readline()
    gate.touch()
    summary = json.loads(finish(terminal).stdout)
    assert summary["new"] > 0
    assert summary["new"] + summary["unchanged"] == COUNT
    wait_until(lambda: jobs(ready)[0]["state"] == "done")
    assert jobs(ready)[0]["summary"]["unchanged"] == COUNT
    assert ready.embedded() == COUNT + 2
    assert ready.is_intact()


def test_cancelled_job_ends_although_it_runs_elsewhere(ready: Cli, pictures: Path, gate: Path) -> None:
    ready("jobs", "add", "index", pictures)
    server = serve_until_held(ready, gate)
    ready("jobs", "cancel", "1")
    gate.touch()
    wait_until(lambda: jobs(ready)[0]["state"] == "cancelled")
    assert ready.embedded() < COUNT + 1
    assert server.process.poll() is None
    ready("jobs", "retry", "1")
    wait_until(lambda: jobs(ready)[0]["state"] == "done")
    assert ready.embedded() == COUNT + 1


def test_stopped_server_leaves_its_job_to_the_next(ready: Cli, pictures: Path, gate: Path) -> None:
    ready("jobs", "add", "index", pictures)
    server = serve_until_held(ready, gate)
    server.process.send_signal(signal.SIGINT)
    wait_until(server.refuses_connections)  # the signal was handled
    gate.touch()
    server.process.communicate(timeout=PATIENCE_SECONDS)
    assert [job["state"] for job in jobs(ready)] == ["queued"]
    assert ready("jobs", "run").stdout.startswith(b"1  done  index ")
    assert ready.embedded() == COUNT + 1
