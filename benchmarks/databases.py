"""The same library in SQLite and in PostgreSQL, in turns: `python -m benchmarks.databases --help`.

Both have the same generated pictures (`benchmarks.filters`) and random vectors of 256 dimensions, on the same disk.
Each question is put to one and then to the other, warm. The server is started for the measurement, with `fsync` on, and
stopped afterwards. Indexing is timed as processes of the command, with an encoder that needs no time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.filters import fill
from benchmarks.photos import write_photos
from encoders import registry
from search import Filters, Searcher, SearchOptions
from search.filters import parse_where
from store import Library
from store.filters.facets import count_facets
from store.queries import count_contents, load_content_records
from store.spaces import index_cache
from store.spaces.index_engines import ENGINE_VARIABLE
from store.timeline import load_days, load_from_day
from tests.support.postgres import PostgresServer, running_server

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "effective_cache_size": "8GB",
}
"""All others are those of the server: `fsync` and `synchronous_commit` on, autovacuum on."""

DIM = 256
PAGE = 60
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"

FILTERS = {
    "1 %": Filters(where=parse_where("tag:rare")),
    "10 %": Filters(where=parse_where("iso>25600")),
    "half": Filters(where=parse_where("has:gps")),
    "a folder, 5 %": Filters(within=(Path("/photos/year 7"),)),
    "a month, 0.4 %": Filters(where=parse_where("date:2015-03")),
}


@dataclass(frozen=True)
class Times:
    """Milliseconds of one question to one database: elapsed, and processor time of this process and of the server."""

    first: float
    p50: float
    p95: float
    busy_p50: float
    server_mean: float


@dataclass(frozen=True)
class Ingest:
    """Seconds of indexing: elapsed, and processor time of all indexing processes and of the server."""

    what: str
    processes: int
    pictures: int
    seconds: float
    busy: float
    server: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print Markdown tables or JSON."""
    options = _options(arguments)
    with _environment(options.folder) as base, running_server(SETTINGS, base) as server:
        searches = _searches(base, server, options) if options.count else {}
        ingests = _ingests(base, server, options) if options.pictures else []
    load = f"{options.count:,} pictures, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    if options.json:
        rows = {name: {place: asdict(times) for place, times in each.items()} for name, each in searches.items()}
        print(json.dumps({"conditions": load, "searches": rows, "ingest": [asdict(each) for each in ingests]}))
        return
    print(load)
    _print_searches(searches)
    _print_ingests(ingests)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.databases", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N", help="generated pictures; 0 asks nothing")
    parser.add_argument("--questions", type=int, default=40, metavar="N", help="how often each is asked")
    parser.add_argument("--pictures", type=int, default=4_000, metavar="N", help="JPEGs to index; 0 indexes nothing")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often they are indexed")
    parser.add_argument("--folder", type=Path, help="for temporary files")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


@contextmanager
def _environment(folder: Path | None) -> Iterator[Path]:
    """Yield a temporary folder, to which also the files of this machine for a library on a server go."""
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-", dir=folder) as name:
        base = Path(name)
        base.chmod(0o755)  # the server may run as another user
        changed = {"SIGHTLINE_LOCAL": str(base / "local"), ENGINE_VARIABLE: "flat"}
        before = {variable: os.environ.get(variable) for variable in changed}
        os.environ.update(changed)
        try:
            yield base
        finally:
            for variable, value in before.items():
                if value is None:
                    del os.environ[variable]
                else:
                    os.environ[variable] = value


def _searches(base: Path, server: PostgresServer, options: argparse.Namespace) -> dict[str, dict[str, Times]]:
    """Return the times of each question by database."""
    places = {SQLITE: str(base / "library"), POSTGRESQL: server.url(server.create_database())}
    libraries = {name: Library.open(place, create=True) for name, place in places.items()}
    try:
        for name, library in libraries.items():
            started = perf_counter()
            generate(library, options.count)
            print(f"{name}: generated in {perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        _settle(places[POSTGRESQL])
        asked = {name: questions(library) for name, library in libraries.items()}
        return {
            what: compared({name: asked[name][what] for name in libraries}, options.questions, server)
            for what in asked[SQLITE]
        }
    finally:
        for library in libraries.values():
            library.close()


def generate(library: Library, count: int) -> None:
    """Fill an empty library with `count` pictures that have vectors, and publish the index file of this machine."""
    rng = np.random.default_rng(1)

    def vectors(number: int) -> NDArray[np.float32]:
        block = rng.standard_normal((number, DIM), dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        return block

    stored = fill(library, count, registry.load("mini").space, vectors)
    index_cache.publish(library, stored)


def _settle(url: str) -> None:
    """Have a server do what it would do in the background within minutes, and during the first questions."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            connection.execute(statement)


def questions(library: Library) -> dict[str, Callable[[int], object]]:
    """Return what is asked. Each takes a number, so that no text is asked twice."""
    searcher = Searcher(library)
    asked: dict[str, Callable[[int], object]] = {"search": lambda number: searcher.search(f"question {number}")}

    def search(name: str, number: int) -> object:
        return searcher.search(f"{name} {number}", SearchOptions(filters=FILTERS[name]))

    for name in FILTERS:
        asked[f"search, {name}"] = partial(search, name)
    asked[f"search, {PAGE} results"] = lambda number: searcher.search(f"page {number}", k=PAGE)
    ids = np.random.default_rng(2).choice(len(searcher), min(PAGE, len(searcher)), replace=False) + 1
    tenth, year = FILTERS["10 %"].condition(), parse_where("year:2015")
    return asked | {
        f"facts of {PAGE} pictures": lambda _: load_content_records(library, ids.tolist()),
        "count": lambda _: count_contents(library),
        "count, 10 %": lambda _: count_contents(library, tenth),
        "facets": lambda _: count_facets(library),
        "facets, 10 %": lambda _: count_facets(library, tenth),
        "timeline": lambda _: load_days(library, None),
        "timeline, a year": lambda _: load_days(library, year),
        "100 pictures from a day": lambda _: load_from_day(library, None, date(2015, 5, 5), 0, 100),
    }


def compared(asked: Mapping[str, Callable[[int], object]], times: int, server: PostgresServer) -> dict[str, Times]:
    """Return the times of a question that is put to each database in turns, after a first time that warms caches."""
    first = {name: _timed(partial(ask, -1), server)[0] for name, ask in asked.items()}
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in asked}
    for number in range(times):
        for name in sorted(asked, reverse=number % 2 == 1):  # neither is always the first
            taken[name].append(_timed(partial(asked[name], number), server))
    return {name: _times(first[name], np.array(taken[name])) for name in asked}


def _times(first: float, taken: NDArray[np.float64]) -> Times:
    """Summarise (N, 3) milliseconds: elapsed, of this process, of the server."""
    p50, p95 = np.percentile(taken[:, 0], [50, 95])
    return Times(first, float(p50), float(p95), float(np.median(taken[:, 1])), float(taken[:, 2].mean()))


def _timed(work: Callable[[], object], server: PostgresServer) -> tuple[float, float, float]:
    """Return milliseconds: elapsed, processor time of this process, and of the server."""
    spent, busy, started = server_seconds(server.pid), process_time(), perf_counter()
    work()
    walls = perf_counter() - started
    return 1000 * walls, 1000 * (process_time() - busy), 1000 * (server_seconds(server.pid) - spent)


def server_seconds(pid: int) -> float:
    """Return the processor time of a server and its processes, those that ended included; 0 except on Linux.

    It is counted in steps of 10 ms.
    """
    if sys.platform != "linux":
        return 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own, ended = _ticks(str(pid))
    return (own + ended + sum(_ticks(child)[0] for child in children)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: str) -> tuple[int, int]:
    """Return the processor time of a process, and of its children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has just ended
        return 0, 0
    return int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


def _ingests(base: Path, server: PostgresServer, options: argparse.Namespace) -> list[Ingest]:
    """Return the medians of a few rounds, in which the databases take turns."""
    folders = [base / "one", base / "two"]
    for folder in folders:
        write_photos(folder, options.pictures // 2, (320, 240), quality=85)
        for number, file in enumerate(folder.iterdir()):
            file.write_bytes(file.read_bytes() + folder.name.encode() + b"%d" % number)
    everything = [[folder] for folder in folders]
    taken = [
        (
            _indexed(SQLITE, str(base / f"library-{number}"), [folders], server),
            _indexed(POSTGRESQL, server.url(server.create_database()), [folders], server),
            _indexed(POSTGRESQL, server.url(server.create_database()), everything, server),
        )
        for number in range(options.rounds)
    ]
    return [_median(list(each)) for each in zip(*taken, strict=True)]


def _median(runs: list[Ingest]) -> Ingest:
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _indexed(what: str, place: str, parts: list[list[Path]], server: PostgresServer) -> Ingest:
    """Index each part by a process of its own, all at the same time, into a new library."""
    Library.open(place, create=True).close()
    script = str(Path(sys.executable).parent / "sightline")
    command = [script, "--library", place, "index", "--model", "fake", "--json"]
    busy, spent, started = _children_seconds(), server_seconds(server.pid), perf_counter()
    processes = [
        subprocess.Popen([*command, *map(str, part)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for part in parts
    ]
    faults = [process.communicate()[1] for process in processes]
    seconds = perf_counter() - started
    for process, fault in zip(processes, faults, strict=True):
        if process.returncode:
            raise RuntimeError(fault.decode(errors="replace"))
    facts = seconds, _children_seconds() - busy, server_seconds(server.pid) - spent
    with Library.open(place) as library:
        return Ingest(what, len(parts), count_contents(library), *facts)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _print_searches(searches: Mapping[str, Mapping[str, Times]]) -> None:
    if not searches:
        return
    print("\n| question | SQLite p50 | p95 | processor | PostgreSQL p50 | p95 | processor | server | times | first |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for what, times in searches.items():
        one, other = times[SQLITE], times[POSTGRESQL]
        shown = (one.p50, one.p95, one.busy_p50, other.p50, other.p95, other.busy_p50, other.server_mean)
        cells = " | ".join(f"{each:.1f}" for each in shown)
        print(f"| {what} | {cells} | {other.p50 / one.p50:.2f} | {one.first:.0f} / {other.first:.0f} |")


def _print_ingests(ingests: Sequence[Ingest]) -> None:
    if not ingests:
        return
    print("\n| index | processes | pictures | s | processor s | server s |\n|---|---|---|---|---|---|")
    for each in ingests:
        figures = f"{each.seconds:.1f} | {each.busy:.1f} | {each.server:.1f}"
        print(f"| {each.what} | {each.processes} | {each.pictures:,} | {figures} |")


if __name__ == "__main__":
    main()
