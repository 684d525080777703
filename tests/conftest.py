"""Fixtures for all tests. No test uses a folder of the user who runs it."""

import os
import shutil
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from PIL import Image
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.util import LRUCache

import indexer.places
import store.catalog.engine
from encoders.fake import FakeEncoder
from indexer import index
from indexer.reader_pool import ReaderPool
from store import Library
from tests.support.catalogues import POSTGRESQL, FolderCatalogues, skip_others, statements_shared
from tests.support.indexing import LONG_AGO, copied_library
from tests.support.postgres import PostgresServer, running_server
from tests.support.s3_server import S3Server, serve_s3, use_server
from tests.support.tools import NOT_RUN, miss
from tests.support.user_folders import left_in, use_folders_below, use_new_home

settings.register_profile("sightline", deadline=None)  # a loaded machine is no fault
settings.load_profile("sightline")

COLOURS = {"red.png": "red", "green.png": "lime", "blue.png": "blue", "more/yellow.png": "yellow"}
"""The pictures that the fixture `album` paints."""

LEFT_OUT = ("browser", "processes")
"""Markers of tests that `make test` leaves out, because they take minutes."""

REPORTED_LIBRARIES = ("faiss-cpu", "faiss-gpu", "numpy", "pillow", "onnxruntime", "sqlalchemy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of the database."""
    choices = ("sqlite", POSTGRESQL)
    parser.addoption("--catalogue", choices=choices, default="sqlite", help="database of libraries in folders")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what works with one database only, and try tests of several processes once more if they fail."""
    if config.getoption("--catalogue") == POSTGRESQL:
        skip_others(items)
    for item in items:
        if item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_configure(config: pytest.Config) -> None:
    """Set what the processes of tests inherit, with an empty home folder.

    The threads of PyTorch and FAISS sleep while they wait. By default they spin, and test processes that run side by
    side take the cores from each other. Processes keep the bytecode of their modules, because compiling it takes longer
    than the rest of their start. Ctrl-C stops them, even if this process runs in the background and ignores it.
    """
    if not hasattr(config, "workerinput"):  # the processes of pytest-xdist inherit it
        config.add_cleanup(use_new_home())
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run fail that leaves something in the home folder."""
    has_passed = session.exitstatus == pytest.ExitCode.OK
    if has_passed and not hasattr(session.config, "workerinput") and left_in(Path.home()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_report_header() -> str:
    """Show the versions of the libraries that affect results."""
    parts = [f"SQLite {sqlite3.sqlite_version}"]
    for name in REPORTED_LIBRARIES:
        with suppress(PackageNotFoundError):  # only one build of FAISS is installed
            parts.append(f"{name} {version(name)}")
    return "sightline: " + ", ".join(parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that were not run: they look like passed ones in a long output."""
    for path in left_in(Path.home()):
        text = f"FAILED: a test has left ~/{path.relative_to(Path.home())} in the home folder"
        terminalreporter.write_line(text, red=True, bold=True)
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]) for report in reports if NOT_RUN in str(report.longrepr))
    for reason, tests in reasons.items():
        terminalreporter.write_sep("!", f"{tests} tests {reason.removeprefix('Skipped: ')}", yellow=True, bold=True)
    expression = terminalreporter.config.option.markexpr
    if left_out := [name for name in LEFT_OUT if f"not {name}" in expression]:
        names = " and ".join(f"`{name}`" for name in left_out)
        text = f"tests marked {names} were left out of this run; `make test-ci` has them all"
        terminalreporter.write_sep("!", text, yellow=True, bold=True)


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the default library, the models and the cache into the test's folder.

    Models of PyTorch are not compiled, which would take seconds for each test.
    """
    use_folders_below(tmp_path, monkeypatch.setenv)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "torch")


@pytest.fixture(autouse=True)
def readers_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Index runs start no processes, however slow the machine is: replaced functions are replaced in threads only."""
    defaults = ReaderPool.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "start_after", None)


@pytest.fixture(autouse=True)
def positions_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Index runs do not load the gazetteer, which takes seconds."""
    monkeypatch.setattr(indexer.places, "gazetteer_is_installed", lambda: False)


@pytest.fixture(scope="session", autouse=True)
def compiled_statements_are_shared() -> None:
    """Compile each SQL statement once, not once for each library: compiling takes half of the time of an index run.

    SQLAlchemy caches compiled statements by engine and dialect, so all engines get the same cache and dialect.
    """
    in_memory = create_engine("sqlite://")
    in_memory.connect().close()  # the first connection configures the dialect
    statements: LRUCache[Any, Any] = LRUCache(2_000)

    def create(url: URL) -> Engine:
        engine = create_engine(url)
        engine.dialect = in_memory.dialect
        engine.update_execution_options(compiled_cache=statements)
        return engine

    store.catalog.engine.create_engine = create  # type: ignore[assignment, attr-defined]


@pytest.fixture(scope="session", autouse=True)
def folder_catalogues(request: pytest.FixtureRequest) -> Iterator[FolderCatalogues | None]:
    """The databases of libraries in folders with `--catalogue postgresql`."""
    if request.config.getoption("--catalogue") != POSTGRESQL:
        yield None
        return
    statements_shared()
    catalogues = FolderCatalogues(request.getfixturevalue("postgres_server"))
    with catalogues.in_use():
        yield catalogues


@pytest.fixture(autouse=True)
def own_databases(folder_catalogues: FolderCatalogues | None, tmp_path: Path) -> Iterator[None]:
    """Delete the databases of a test after it."""
    yield
    if folder_catalogues is not None:
        folder_catalogues.drop_below(tmp_path)


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library without pictures to copy, which is faster than migrating a new one for every test."""
    path = tmp_path_factory.mktemp("template") / "library"
    Library.open(path, create=True).close()
    return path


@pytest.fixture
def library(tmp_path: Path, empty_library: Path) -> Iterator[Library]:
    """A new, empty library."""
    shutil.copytree(empty_library, tmp_path / "library")
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def encoder() -> FakeEncoder:
    """A model that embeds colours."""
    return FakeEncoder()


@pytest.fixture
def paint() -> Callable[..., Path]:
    """Write a picture of one colour: `paint(path, "red", size=(8, 8))`. Folders are created."""

    def write(path: Path, colour: str | tuple[int, int, int] = "red", size: tuple[int, int] = (8, 8)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path

    return write


@pytest.fixture
def album(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    """A folder of four pictures, each of the colour it is named after, one of them in a subfolder."""
    folder = tmp_path / "album"
    for name, colour in COLOURS.items():
        paint(folder / name, colour)
    return folder


@pytest.fixture(scope="session")
def indexed_once(tmp_path_factory: pytest.TempPathFactory, empty_library: Path) -> Path:
    """A library of the four pictures, to be copied, since indexing for each test would take longer than most tests."""
    folder = tmp_path_factory.mktemp("indexed")
    shutil.copytree(empty_library, folder / "library")
    for name, colour in COLOURS.items():
        path = folder / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(path)
        os.utime(path, ns=(LONG_AGO, LONG_AGO))
    with Library.open(folder / "library") as opened:
        index(opened, [folder / "album"], FakeEncoder())
    return folder / "library"


@pytest.fixture
def indexed(tmp_path: Path, indexed_once: Path, album: Path) -> Iterator[Library]:
    """Four pictures, each of one colour, in a library that the test may change."""
    with copied_library(indexed_once, tmp_path / "library", album) as opened:
        yield opened


@pytest.fixture(scope="session")
def s3_process() -> Iterator[S3Server]:
    """A server that speaks the protocol of S3."""
    with serve_s3() as server:
        yield server


@pytest.fixture
def s3_server(s3_process: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """A server for `s3://`, with an empty bucket of the name `bucket`."""
    use_server(monkeypatch, s3_process)
    return s3_process


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test process."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def pgvector_url(postgres_server: PostgresServer, postgres_url: str) -> str:
    """The URL of a new, empty database on a server that has pgvector."""
    if not postgres_server.has_extension("vector"):
        miss("pgvector", "the server has no extension of that name.")
    return postgres_url
