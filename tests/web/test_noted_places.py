"""A server that runs while its machine gets a folder of the library at another place."""

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.root_places import NotedPlaces, place_root
from tests.support.web import BASE_URL
from web import ServeSettings, create_app


@pytest.mark.servers
def test_server_shows_a_folder_where_it_is_now(
    postgres_url: str, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "local"))
    with Library.open(postgres_url, create=True) as library:
        index(library, album, FakeEncoder())
    settings = ServeSettings(cache=tmp_path / "cache", run_jobs=False)
    with (
        Library.open(postgres_url) as library,
        TestClient(create_app(library, settings), base_url=BASE_URL) as client,
        Library.open(postgres_url) as elsewhere,
    ):

        def shown() -> list[str]:
            return [folder["path"] for folder in client.get("/api/v1/folders").json()["folders"]]

        assert shown() == [str(album)]
        moved = shutil.copytree(album, tmp_path / "moved")
        place_root(elsewhere, album, moved)
        assert shown() == [str(moved)]


def test_library_in_a_folder_has_no_other_places(indexed: Library) -> None:
    assert not NotedPlaces(indexed).refresh()
