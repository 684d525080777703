"""A server over a library of plain colours, asked in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from web import ServeSettings, create_app

HERE = "http://127.0.0.1:8765"

MakeClient = Callable[..., TestClient]


@pytest.fixture
def settings(tmp_path: Path) -> ServeSettings:
    """Loopback, no token, and a cache of the test's own."""
    return ServeSettings(cache=tmp_path / "cache")


@pytest.fixture
def indexed(library: Library, album: Path, encoder: FakeEncoder) -> Library:
    """Four pictures, each of one colour."""
    index(library, [album], encoder)
    return library


@pytest.fixture
def client(indexed: Library, settings: ServeSettings) -> Iterator[TestClient]:
    """A client on this machine; faults of the server come as answers, as they would to a browser."""
    with TestClient(create_app(indexed, settings), base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened
