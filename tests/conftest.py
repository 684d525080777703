"""Fixtures for all tests. No test uses the library of the user who runs it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from indexer.reader_pool import ReaderPool
from store import Library

LONG_AGO = 1_700_000_000_000_000_000
"""Modification time of the pictures in nanoseconds, so that a copy of the library finds them unchanged."""

COLOURS = {"red.png": "red", "green.png": "lime", "blue.png": "blue", "more/yellow.png": "yellow"}
"""The pictures that the fixture `album` paints."""

REPORTED_LIBRARIES = ("faiss-cpu", "faiss-gpu", "numpy", "pillow", "onnxruntime", "sqlalchemy")


def pytest_configure() -> None:
    """Set what the processes of tests inherit.

    The threads of PyTorch and FAISS sleep while they wait. By default they spin, and test processes that run side by
    side take the cores from each other. Processes keep the bytecode of their modules, because compiling it takes longer
    than the rest of their start.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_report_header() -> str:
    """Show the versions of the libraries that affect results."""
    parts = [f"SQLite {sqlite3.sqlite_version}"]
    for name in REPORTED_LIBRARIES:
        with suppress(PackageNotFoundError):  # only one build of FAISS is installed
            parts.append(f"{name} {version(name)}")
    return "sightline: " + ", ".join(parts)


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the default library and the models into the test's folder. They do not exist yet.

    Models of PyTorch are not compiled, which would take seconds for each test.
    """
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(tmp_path / "default-library"))
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "torch")


@pytest.fixture(autouse=True)
def readers_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Index runs start no processes, however slow the machine is: replaced functions are replaced in threads only."""
    defaults = ReaderPool.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "start_after", None)


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
    for name in COLOURS:
        os.utime(album / name, ns=(LONG_AGO, LONG_AGO))
    shutil.copytree(indexed_once, tmp_path / "library")
    with closing(sqlite3.connect(tmp_path / "library" / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("UPDATE roots SET path = ?", (os.fsencode(album),))
    with Library.open(tmp_path / "library") as opened:
        yield opened
