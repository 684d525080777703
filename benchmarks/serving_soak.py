"""A long run of a server: `python -m benchmarks.serving_soak --help`.

A `sightline serve --watch`, a process of its own on a free port of this machine, answers a bounded number of requests
per second. At the same time files come and go, tags and ratings change, the library is indexed again, and its model
changes back and forth. Memory, open files, threads and latencies are recorded for each interval. The run fails if any
of them grows beyond what the same run shows as noise.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from time import monotonic, perf_counter, sleep
from typing import Any, Self

import numpy as np

from benchmarks.changing import QUERIES
from benchmarks.photos import write_photos
from benchmarks.serving import JSON, memory_mb, processor_seconds, serving
from encoders import registry
from indexer import index
from store import Library

__all__ = ["Interval", "Limits", "Settings", "faults", "measure"]

QUIET_SECONDS = 1.0
"""Pause of the thread that changes the library between two changes."""


@dataclass(frozen=True)
class Settings:
    """How long the server runs, and how much it has to do."""

    seconds: float
    interval: float = 15.0
    """Seconds of one row of the table."""
    clients: int = 2
    per_second: float = 4.0
    """Requests per second of each client."""
    photos: int = 300
    models: tuple[str, str] = ("fake", "mini")
    change_model_every: float = 20.0
    """Seconds between two changes of the model."""


@dataclass(frozen=True)
class Limits:
    """What counts as noise."""

    growth_mb: float = 12.0
    """Growth of private memory over the measured time that the allocator alone may cause."""
    growth_share: float = 0.05
    """The same as a share of the memory."""
    files: int = 6
    """Open files beyond those of the first half: connections that are being opened or closed."""
    threads: int = 3
    latency_factor: float = 2.0
    latency_ms: float = 150.0
    """A model change in one interval more or less; both have to be exceeded."""


@dataclass(frozen=True)
class Interval:
    """What was measured in one interval, at its end."""

    minute: float
    memory_mb: float
    files: int
    threads: int
    requests: int
    p50_ms: float
    p99_ms: float
    failed: int
    processor_share: float
    changes: int
    """Changes of files, tags, ratings, jobs and models since the start."""


class Load:
    """Clients and changes of the library, in threads of this process."""

    def __init__(self, port: int, folder: Path, settings: Settings) -> None:
        self._port, self._folder, self._settings = port, folder, settings
        self._enough, self._lock = Event(), Lock()
        self._took: list[float] = []
        self._failed = 0
        self.changes = 0
        self.errors: list[str] = []
        clients = [Thread(target=self._ask, args=(number,)) for number in range(settings.clients)]
        self._threads = [*clients, Thread(target=self._change)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def taken(self) -> tuple[list[float], int]:
        """Return the seconds of each request since the last call, and the number of failed ones."""
        with self._lock:
            took, failed = self._took, self._failed
            self._took, self._failed = [], 0
        return took, failed

    def _ask(self, number: int) -> None:
        """Send searches and requests for thumbnails, not more than the limit, with a new connection now and then."""
        chance, pause = Random(number), 1 / self._settings.per_second
        connection, pictures = self._connect(), list[int]()
        while not self._enough.wait(pause * chance.uniform(0.5, 1.5)):
            if chance.random() < 0.02:
                connection.close()
                connection = self._connect()
            started = perf_counter()
            kind = chance.random()
            if pictures and kind < 0.4:
                path = f"/api/v1/pictures/{chance.choice(pictures)}/thumbnail?size=384"
                status, _ = self._sent(connection, "GET", path)
                ok = status in (200, 404)  # its file may have been removed
            elif kind < 0.5:
                ok = self._sent(connection, "GET", chance.choice(("/api/v1/facets", "/api/v1/tags")))[0] == 200
            else:
                query = {"query": f"{chance.choice(QUERIES)} {chance.randrange(10**6)}", "k": 30}
                status, answer = self._sent(connection, "POST", "/api/v1/search", json.dumps(query))
                ok = status == 200
                if ok:
                    pictures = [int(hit["id"]) for hit in json.loads(answer)["hits"]]
            with self._lock:
                self._took.append(perf_counter() - started)
                self._failed += not ok
        connection.close()

    def _connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=120)

    def _sent(self, connection: HTTPConnection, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        try:
            connection.request(method, path, body, JSON if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError as exc:
            connection.close()
            self.errors.append(f"{method} {path}: {exc}")
            return 0, b""

    def _change(self) -> None:
        """Change files, tags, ratings and the model, until the time is over."""
        chance, number, model = Random(1), 0, 1
        masters = sorted(self._folder.glob("*.jpg"))[:8]
        last_model = monotonic()
        connection = self._connect()
        while not self._enough.wait(QUIET_SECONDS):
            number += 1
            self._change_files(number, chance.choice(masters).read_bytes())
            pictures = [chance.randrange(1, self._settings.photos) for _ in range(5)]
            tag = {"tag": f"tag {number % 20}", "pictures": pictures}
            self._require(connection, "POST" if number % 2 else "DELETE", "/api/v1/tags", tag)
            self._require(connection, "PUT", "/api/v1/ratings", {"rating": number % 6, "pictures": pictures})
            if number % 15 == 0:
                self._leave_a_stream(self._require(connection, "POST", "/api/v1/jobs", {"kind": "index"}))
            if monotonic() - last_model > self._settings.change_model_every:
                name = self._settings.models[model % 2]
                self._require(connection, "POST", "/api/v1/jobs", {"kind": "space", "model": name})
                model, last_model = model + 1, monotonic()
            self.changes += 1
        connection.close()

    def _change_files(self, number: int, content: bytes) -> None:
        """Write a picture that was never there before, and delete an earlier one: their number stays the same."""
        name = self._folder / "new" / f"{number:06d}.jpg"
        name.parent.mkdir(exist_ok=True)
        name.write_bytes(content + b"new %d" % number)
        with suppress(FileNotFoundError):
            (name.parent / f"{number - 20:06d}.jpg").unlink()

    def _require(self, connection: HTTPConnection, method: str, path: str, body: dict[str, Any]) -> bytes:
        status, answer = self._sent(connection, method, path, json.dumps(body))
        if status not in (200, 202):
            self.errors.append(f"{method} {path}: {status} {answer[:200]!r}")
        return answer

    def _leave_a_stream(self, answer: bytes) -> None:
        """Watch a job, and leave without a word, as a browser does that is closed."""
        with suppress(ValueError, KeyError, OSError):
            connection = self._connect()
            connection.request("GET", f"/api/v1/jobs/{json.loads(answer)['id']}/events")
            connection.getresponse().read(1)
            connection.close()


def measure(settings: Settings, place: Path, every: Path | None = None) -> tuple[list[Interval], list[str]]:
    """Run a server with a new library in `place`; return what was measured, and what went wrong.

    Each interval is appended to the file `every` at once, as a line of JSON.
    """
    folder = place / "photos"
    write_photos(folder, settings.photos, (320, 240), 85)
    with Library.open(place / "library", create=True) as library:
        index(library, [folder], registry.load(settings.models[0]))
    rows = list[Interval]()
    with serving(place / "library", place / "cache", 8, "--watch") as (pid, port), Load(port, folder, settings) as load:
        began, spent = monotonic(), processor_seconds(pid)
        while monotonic() - began < settings.seconds:
            sleep(settings.interval)
            took, failed = load.taken()
            used, spent = processor_seconds(pid) - spent, processor_seconds(pid)
            rows.append(_interval(pid, monotonic() - began, took, failed, used / settings.interval, load.changes))
            if every is not None:
                with every.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(rows[-1])) + "\n")
    return rows, load.errors


def _interval(pid: int, seconds: float, took: list[float], failed: int, share: float, changes: int) -> Interval:
    p50, p99 = np.percentile(np.array(took or [0.0]) * 1000, [50, 99])
    files, threads = (len(list(Path(f"/proc/{pid}/{name}").iterdir())) for name in ("fd", "task"))
    values = (float(p50), float(p99), failed, share, changes)
    return Interval(seconds / 60, memory_mb(pid), files, threads, len(took), *values)


def slope(minutes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the slope of a line through the points, by least squares, and its standard error."""
    x, y = np.asarray(minutes, float), np.asarray(values, float)
    x = x - x.mean()
    value = float((x * y).sum() / (x**2).sum())
    rest = y - y.mean() - value * x
    return value, float(np.sqrt((rest**2).sum() / max(len(x) - 2, 1) / (x**2).sum()))


def faults(rows: Sequence[Interval], limits: Limits | None = None) -> list[str]:
    """Return what grew: from the first third on, when models and caches are loaded, to the end."""
    limits = limits or Limits()
    warm = list(rows[len(rows) // 3 :])
    if len(warm) < 6:
        return ["the run was too short: there are fewer than six intervals after the first third"]
    found = []
    minutes = [row.minute for row in warm]
    rise, error = slope(minutes, [row.memory_mb for row in warm])
    length = minutes[-1] - minutes[0]
    allowed = max(limits.growth_mb, limits.growth_share * warm[0].memory_mb)
    if (rise - 2 * error) * length > allowed:
        found.append(f"memory grows by {rise:.2f} MB a minute, with a standard error of {error:.2f}")
    first, second = warm[: len(warm) // 2], warm[len(warm) // 2 :]
    for name, allowance in (("files", limits.files), ("threads", limits.threads)):
        before, after = (float(np.median([getattr(row, name) for row in part])) for part in (first, second))
        if after > before + allowance:
            found.append(f"{name} grow from {before:.0f} to {after:.0f}")
    before, after = (float(np.median([row.p99_ms for row in part])) for part in (first, second))
    if after > limits.latency_factor * before and after > before + limits.latency_ms:
        found.append(f"p99 grows from {before:.0f} ms to {after:.0f} ms")
    return found


def main() -> None:
    """Measure, and print a table and what grew; the exit code is 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving_soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--interval", type=float, default=15, help="seconds of one row [default: 15]")
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--per-second", type=float, default=4, help="requests of each client [default: 4]")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--models", nargs=2, default=("fake", "mini"))
    parser.add_argument("--every", type=Path, help="append each row to this file at once, as JSON")
    options = parser.parse_args()
    settings = Settings(
        seconds=options.minutes * 60,
        interval=options.interval,
        clients=options.clients,
        per_second=options.per_second,
        photos=options.photos,
        models=tuple(options.models),
    )
    with tempfile.TemporaryDirectory() as place:
        rows, errors = measure(settings, Path(place), options.every)
    print("| minute | MB | files | threads | requests | p50 ms | p99 ms | failed | processor | changes |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        counts = f"{row.memory_mb:.1f} | {row.files} | {row.threads} | {row.requests} | {row.p50_ms:.1f}"
        rest = f"{row.p99_ms:.0f} | {row.failed} | {row.processor_share:.0%} | {row.changes}"
        print(f"| {row.minute:.1f} | {counts} | {rest} |")
    found = faults(rows) + [f"request failed: {error}" for error in dict.fromkeys(errors)]
    for fault in found:
        print(fault)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
