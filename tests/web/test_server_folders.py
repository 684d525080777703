"""Folders of the server's machine: which of them a client may see, and add."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from encoders import registry
from store import Library
from tests.support.web import BASE_URL, JOBS, TOKEN, finished
from web import ServeSettings, create_app
from web.server_folders import folder_of, folder_uri
from web.settings import default_places

FOLDERS = "/api/v1/server-folders"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two folders of pictures, a hidden one, and links that stay and links that lead out."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    for folder in ("Pictures/Trip 10", "Pictures/Trip 2", ".private/nested"):
        (home / folder).mkdir(parents=True)
    (outside / "secret").mkdir(parents=True)
    for name in ("a.JPG", "b.png", ".hidden.jpg", "notes.txt"):
        (home / "Pictures" / "Trip 2" / name).write_bytes(b"")
    (home / "Pictures" / "out").symlink_to(outside)
    (home / "Pictures" / "in").symlink_to(home / "Pictures" / "Trip 2")
    (home / "Pictures" / "hidden").symlink_to(home / ".private")
    (home / "Pictures" / "loop").symlink_to("loop")
    return home


@pytest.fixture
def browsing(library: Library, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of a server that lets clients look below `home`, with a token."""
    settings = ServeSettings(cache=tmp_path / "cache", token=TOKEN, allowed_folders=(home,))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    monkeypatch.setattr(registry, "DEFAULT_MODEL", "fake")
    with TestClient(create_app(library, settings), base_url=BASE_URL, headers=headers) as client:
        yield client


def names(client: TestClient, folder: Path | str) -> list[str]:
    answer = client.get(FOLDERS, params={"folder": str(folder)})
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["folders"]]


def test_folders_are_listed_with_numbers_of_pictures_but_without_files(browsing: TestClient, home: Path) -> None:
    places = browsing.get(FOLDERS).json()
    assert [(each["path"], each["folders"]) for each in places["folders"]] == [(str(home), 1)]
    assert (places["folder"], places["parent"]) == (None, None)
    found = browsing.get(FOLDERS, params={"folder": str(home / "Pictures")}).json()
    assert [(each["name"], each["pictures"]) for each in found["folders"]] == [("in", 2), ("Trip 2", 2), ("Trip 10", 0)]
    assert found["parent"] == folder_uri(home)
    assert browsing.get(FOLDERS, params={"folder": str(home)}).json()["parent"] is None
    answer = browsing.get(FOLDERS, params={"folder": str(home / "Pictures/Trip 2")})
    assert answer.json()["folder"]["pictures"] == 2
    assert "a.JPG" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc",
        "{home}/..",
        "{home}/../outside",
        "{home}/Pictures/../../outside/secret",
        "{home}/Pictures/out",
        "{home}/Pictures/out/secret",
        "{home}/.private",
        "{home}/Pictures/hidden",
        "{home}/Pictures/hidden/nested",
        "{home}side",
        "file:///etc",
        "file://{home}/%2e%2e/outside",
        "~root",
        "{home}/Pictures/in/../../../outside",
    ],
)
def test_folders_elsewhere_are_refused_whether_or_not_they_exist(browsing: TestClient, home: Path, path: str) -> None:
    for given in (path.format(home=home), path.format(home=home) + "/no-such-folder"):
        answer = browsing.get(FOLDERS, params={"folder": given})
        assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed"), given
        answer = browsing.post(JOBS, json={"kind": "index", "folders": [given]})
        assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed"), given


@pytest.mark.parametrize(("path", "status"), [("relative", 404), ("", 404), ("/a\0b", 404), ("/" + "x" * 300, 400)])
def test_impossible_paths_are_refused(browsing: TestClient, path: str, status: int) -> None:
    assert browsing.get(FOLDERS, params={"folder": path}).status_code == status
    assert browsing.get(FOLDERS, params={"folder": "/" + "x" * 20_000}).status_code == 422


def test_missing_folder_and_file_are_not_found(browsing: TestClient, home: Path) -> None:
    for path in (home / "nothing", home / "Pictures" / "Trip 2" / "a.JPG", home / ("x" * 300)):
        assert browsing.get(FOLDERS, params={"folder": str(path)}).status_code in {404, 409}


def test_folder_below_an_allowed_one_is_indexed_also_with_a_token(browsing: TestClient, home: Path) -> None:
    folder = folder_uri(home / "Pictures" / "Trip 10")
    job = browsing.post(JOBS, json={"kind": "index", "folders": [folder]}).json()
    assert job["parameters"]["folders"] == [str(home / "Pictures" / "Trip 10")]


@pytest.mark.parametrize("settings", [{"token": TOKEN}, {"index_folders": False}])
def test_nothing_is_shown_where_clients_may_not_index(
    library: Library, tmp_path: Path, home: Path, settings: dict[str, str]
) -> None:
    made = ServeSettings(cache=tmp_path / "cache", **settings)  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(library, made), base_url=BASE_URL, headers=headers) as client:
        for params in ({}, {"folder": str(home)}):
            answer = client.get(FOLDERS, params=params)
            assert (answer.status_code, answer.json()["title"]) == (400, "NotAllowed")


def test_other_sites_and_clients_without_the_token_see_nothing(browsing: TestClient, home: Path) -> None:
    path = {"folder": str(home)}
    assert browsing.get(FOLDERS, params=path, headers={"Origin": "http://evil.example"}).status_code == 403
    assert browsing.get(FOLDERS, params=path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browsing.get(FOLDERS, params=path, headers={"Host": "evil.example"}).status_code == 421
    assert browsing.get(FOLDERS, params=path, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_names_that_are_not_utf8_are_shown_opened_and_indexed(browsing: TestClient, home: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    (home / name / "inside").mkdir(parents=True)
    found = browsing.get(FOLDERS, params={"folder": str(home)}).json()["folders"]
    uri = next(each["uri"] for each in found if each["name"] == "caf\\xe9")
    assert uri == f"file://{quote(str(home))}/caf%E9"
    assert names(browsing, uri) == ["inside"]
    job = browsing.post(JOBS, json={"kind": "index", "folders": [uri]}).json()
    assert finished(browsing, job)["state"] == "done"
    assert browsing.get("/api/v1/status").json()["roots"][0]["uri"] == uri


def test_home_folder_is_expanded_for_the_user_of_the_server(
    library: Library, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("web.settings.MOUNT_FOLDERS", ())
    monkeypatch.setattr(registry, "DEFAULT_MODEL", "fake")
    with TestClient(create_app(library, ServeSettings(cache=tmp_path / "cache")), base_url=BASE_URL) as client:
        assert [each["path"] for each in client.get(FOLDERS).json()["folders"]] == [str(home)]
        assert names(client, "~/Pictures") == ["in", "Trip 2", "Trip 10"]
        job = client.post(JOBS, json={"kind": "index", "folders": ["~/Pictures/Trip 2"]}).json()
    assert job["parameters"]["folders"] == [str(home / "Pictures" / "Trip 2")]
    monkeypatch.setenv("HOME", "/")  # as of some services: it would show the whole disk
    assert default_places() == ()


def test_library_folders_are_marked(browsing: TestClient, library: Library, home: Path) -> None:
    finished(browsing, browsing.post(JOBS, json={"kind": "index", "folders": [str(home / "Pictures")]}).json())
    (place,) = browsing.get(FOLDERS, params={"folder": str(home)}).json()["folders"]
    assert (place["name"], place["in_library"]) == ("Pictures", True)
    assert browsing.get(FOLDERS).json()["folders"][0]["in_library"] is False


def test_many_folders_are_cut(browsing: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.server_folders.MAX_FOLDERS", 2)
    monkeypatch.setattr("web.server_folders.COUNT_SECONDS", -1.0)
    found = browsing.get(FOLDERS, params={"folder": str(home / "Pictures")}).json()
    assert [(each["name"], each["pictures"]) for each in found["folders"]] == [("in", None), ("Trip 2", None)]
    assert found["truncated"]


def test_only_links_are_resolved_and_not_many_of_them(
    browsing: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "Pictures" / "many"
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        (folder / f"link-{name}").symlink_to(folder / name)
    monkeypatch.setattr("web.server_folders.MAX_LINKS", 2)
    resolved, resolve = list[str](), os.path.realpath

    def realpath(path: str | Path) -> str:
        resolved.append(Path(path).name)
        return resolve(path)

    monkeypatch.setattr("web.server_folders.os.path.realpath", realpath)
    found = browsing.get(FOLDERS, params={"folder": str(folder)}).json()
    assert [each["name"] for each in found["folders"]] == ["a", "b", "c", "link-a", "link-b"]
    assert found["truncated"]
    assert sorted(set(resolved) & {each.name for each in folder.iterdir()}) == ["link-a", "link-b"]


def test_uris_and_paths_name_the_same_folder() -> None:
    assert folder_uri(Path("/a b/ü")) == "file:///a%20b/%C3%BC"
    assert folder_of("file:///a%20b/%C3%BC") == folder_of("/a b/x/../ü") == Path("/a b/ü")
