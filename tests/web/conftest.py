"""Fixtures with a server of a library of plain colours, called in the same process."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import BASE_URL
from web import ServeSettings, create_app

LONG_AGO = 1_700_000_000_000_000_000
"""Modification time of the pictures in nanoseconds, so that a copy of the library finds them unchanged."""

COLOURS = {"red.png": "red", "green.png": "lime", "blue.png": "blue", "more/yellow.png": "yellow"}
"""The pictures that the fixture `album` paints."""

MakeClient = Callable[..., TestClient]


@pytest.fixture
def settings(tmp_path: Path) -> ServeSettings:
    """Loopback, no token, and a cache in the test's folder."""
    return ServeSettings(cache=tmp_path / "cache")


@pytest.fixture(scope="session")
def indexed_once(tmp_path_factory: pytest.TempPathFactory, empty_library: Path) -> Path:
    """A library of the four pictures, to be copied, since indexing for every test would take longer than the tests."""
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


@pytest.fixture
def client(indexed: Library, settings: ServeSettings) -> Iterator[TestClient]:
    """A local client; server errors are responses, as for a browser."""
    with TestClient(create_app(indexed, settings), base_url=BASE_URL, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared(indexed_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of one server for all tests that change nothing."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(indexed_once, folder / "library")
    with (
        Library.open(folder / "library") as opened,
        TestClient(
            create_app(opened, ServeSettings(cache=folder)), base_url=BASE_URL, raise_server_exceptions=False
        ) as client,
    ):
        yield client
