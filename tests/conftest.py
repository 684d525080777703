"""Fixtures that every test may ask for. No test ever touches the library of the person who runs it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from store import Library

SHOWN_VERSIONS = ("faiss-cpu", "numpy", "pillow", "onnxruntime", "sqlalchemy")


def pytest_report_header() -> str:
    """The versions that decide how Sightline behaves."""
    parts = [f"SQLite {sqlite3.sqlite_version}", *(f"{name} {version(name)}" for name in SHOWN_VERSIONS)]
    return "sightline: " + ", ".join(parts)


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default library and the models lie in the test's own folder, and do not exist yet."""
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(tmp_path / "default-library"))
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "models"))


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library without pictures, to copy: migrating a new one for every test would take longer than the tests."""
    path = tmp_path_factory.mktemp("template") / "library"
    Library.open(path, create=True).close()
    return path


@pytest.fixture
def library(tmp_path: Path, empty_library: Path) -> Iterator[Library]:
    """An empty library of the test's own."""
    shutil.copytree(empty_library, tmp_path / "library")
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def encoder() -> FakeEncoder:
    """A model that sees colours."""
    return FakeEncoder()


@pytest.fixture
def paint() -> Callable[..., Path]:
    """Writes a picture of one colour: `paint(path, "red", size=(8, 8))`; the folders are made."""

    def write(path: Path, colour: str | tuple[int, int, int] = "red", size: tuple[int, int] = (8, 8)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path

    return write


@pytest.fixture
def album(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    """A folder of four pictures, each of the colour it is named after; one of them in a sub-folder."""
    folder = tmp_path / "album"
    for name in ("red.png", "green.png", "blue.png", "more/yellow.png"):
        paint(folder / name, {"green": "lime"}.get(Path(name).stem, Path(name).stem))
    return folder
