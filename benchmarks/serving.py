"""The throughput of a server: `python -m benchmarks.serving --help`.

Clients, each with a connection of its own and no pause between requests, ask a `sightline serve` that is started as a
process of its own on a free port of this machine. They share this machine's processors with it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic, perf_counter, sleep

import numpy as np

from benchmarks.changing import QUERIES

JSON = {"Content-Type": "application/json"}
MIX = {"thumbnail": 12, "search": 5, "filtered": 2, "facets": 1}
"""Requests of each kind among twenty: a page of hits requests many thumbnails."""
SEEN = 240
"""Number of pictures whose thumbnails are requested repeatedly, created before the measurement."""


@dataclass(frozen=True)
class Row:
    """The results for one kind of request."""

    kind: str
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    failed: int


@contextmanager
def serving(library: Path, cache: Path, threads: int, *more: str) -> Iterator[tuple[int, int]]:
    """Start a server with `more` options, and yield its process ID and port."""
    command = "from cli.main import main; main()"
    options = ["--library", str(library), "--port", "0", "--threads", str(threads), *more]
    process = subprocess.Popen(
        [sys.executable, "-c", command, "serve", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r":(\d+)/", said)
        if found is None:
            raise SystemExit(said + process.stderr.read())
        yield process.pid, int(found[1])
    finally:
        process.terminate()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def memory_mb(pid: int) -> float:
    """Return the private memory of a process: anonymous pages without those of mapped files."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process, which does not depend on other load."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """A client that sends requests without a pause."""

    def __init__(self, port: int, number: int, pictures: list[int]) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.failed: dict[str, int] = defaultdict(int)
        self._random = Random(number)
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._pictures = pictures

    def run(self, enough: Event) -> None:
        """Send requests until the time is over."""
        kinds = [kind for kind, number in MIX.items() for _ in range(number)]
        while not enough.is_set():
            kind = self._random.choice(kinds)
            started = perf_counter()
            status = self.ask(kind)
            self.took[kind].append(perf_counter() - started)
            self.failed[kind] += status != 200
        self._connection.close()

    def ask(self, kind: str) -> int:
        """Send one request of a kind, and return its status."""
        if kind == "thumbnail":
            return self._sent("GET", f"/api/v1/pictures/{self._random.choice(self._pictures)}/thumbnail?size=384")
        if kind == "facets":
            return self._sent("GET", "/api/v1/facets")
        # New words: their vectors are not cached yet.
        query = f"{self._random.choice(QUERIES)} {self._random.randrange(10**6)}"
        where = "name:1*" if kind == "filtered" else ""
        return self._sent("POST", "/api/v1/search", json.dumps({"query": query, "where": where}))

    def _sent(self, method: str, path: str, body: str | None = None) -> int:
        self._connection.request(method, path, body, JSON if body else {})
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def warmed(port: int) -> list[int]:
    """Request thumbnails, so that the server caches them, and return the ids of their pictures."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/v1/search", json.dumps({"query": QUERIES[0], "k": SEEN}), JSON)
    pictures = [int(hit["id"]) for hit in json.loads(connection.getresponse().read())["hits"]]
    for picture in pictures:
        connection.request("GET", f"/api/v1/pictures/{picture}/thumbnail?size=384")
        connection.getresponse().read()
    connection.close()
    return pictures


def asked(port: int, clients: int, seconds: float) -> list[Row]:
    """Run several clients at once for some time."""
    pictures, enough = warmed(port), Event()
    every = [Client(port, number, pictures) for number in range(clients)]
    threads = [Thread(target=client.run, args=(enough,)) for client in every]
    started = monotonic()
    for thread in threads:
        thread.start()
    sleep(seconds)
    enough.set()
    for thread in threads:
        thread.join()
    spent = monotonic() - started
    rows = []
    for kind in (*MIX, "all"):
        kinds = [kind] if kind in MIX else list(MIX)
        times = np.array([each for client in every for one in kinds for each in client.took[one]]) * 1000
        if not len(times):
            continue
        p50, p99 = np.percentile(times, [50, 99])
        failed = sum(client.failed[one] for client in every for one in kinds)
        rows.append(Row(kind, len(times), len(times) / spent, float(p50), float(p99), float(times.max()), failed))
    return rows


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, help="an indexed library; it is only read")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--threads", type=int, default=8, help="threads of the server")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache, serving(options.library, Path(cache), options.threads) as (pid, port):
        asked(port, 1, 1)  # loads the model
        for clients in options.clients:
            before, spent = memory_mb(pid), processor_seconds(pid)
            rows = asked(port, clients, options.seconds)
            after, spent = memory_mb(pid), processor_seconds(pid) - spent
            each_ms = 1000 * spent / rows[-1].requests
            if options.json:
                said = {"clients": clients, "before_mb": before, "after_mb": after, "processor_ms": each_ms}
                print(json.dumps(said | {"rows": [asdict(row) for row in rows]}))
                continue
            memory = f"{before:.0f} MB before, {after:.0f} MB after"
            print(f"\n{clients} clients; {memory}; {each_ms:.1f} ms of processor each\n")
            print("| requests | n | per second | p50 | p99 | longest | failed |\n|---|---|---|---|---|---|---|")
            for row in rows:
                times = f"{row.p50_ms:.1f} | {row.p99_ms:.1f} | {row.longest_ms:.0f}"
                print(f"| {row.kind} | {row.requests:,} | {row.per_second:.1f} | {times} | {row.failed} |")


if __name__ == "__main__":
    main()
