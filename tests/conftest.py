"""Fixtures for all tests. No test uses the library of the user who runs it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer.reader_pool import ReaderPool
from store import Library

REPORTED_LIBRARIES = ("faiss-cpu", "faiss-gpu", "numpy", "pillow", "onnxruntime", "sqlalchemy")


def pytest_configure() -> None:
    """Let the threads of PyTorch and FAISS sleep while they wait; their processes inherit this.

    By default such threads spin. Test processes that run side by side then take the cores from each other.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


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
    for name in ("red.png", "green.png", "blue.png", "more/yellow.png"):
        paint(folder / name, {"green": "lime"}.get(Path(name).stem, Path(name).stem))
    return folder
