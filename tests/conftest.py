"""Fixtures for all tests. No test uses the library of the user who runs it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from store import Library

REPORTED_LIBRARIES = ("faiss-cpu", "numpy", "pillow", "onnxruntime", "sqlalchemy")


def pytest_report_header() -> str:
    """Show the versions of the libraries that affect results."""
    parts = [f"SQLite {sqlite3.sqlite_version}", *(f"{name} {version(name)}" for name in REPORTED_LIBRARIES)]
    return "sightline: " + ", ".join(parts)


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the default library and the models into the test's folder. They do not exist yet."""
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(tmp_path / "default-library"))
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "models"))


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
