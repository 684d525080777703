"""Fixtures with a server of a library of plain colours, called in the same process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from store import Library
from tests.support.web import BASE_URL
from web import ServeSettings, create_app

MakeClient = Callable[..., TestClient]


@pytest.fixture
def settings(tmp_path: Path) -> ServeSettings:
    """Loopback, no token, and a cache in the test's folder."""
    return ServeSettings(cache=tmp_path / "cache")


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
