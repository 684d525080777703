"""The files of the page: its manifest, icons and service worker."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from store import Library
from store.library_key import KEY_FILE, library_key
from web.page import SERVICE_WORKER, STATIC_FOLDER, service_worker, shell_files


def test_service_worker_keeps_every_file_of_the_page_and_nothing_else(shared: TestClient) -> None:
    answer = shared.get(SERVICE_WORKER)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert "worker-src 'self'" in answer.headers["content-security-policy"]
    found = re.match(r'const VERSION = "([0-9a-f]{16})";\nconst FILES = (\[.*\]);\n', answer.text)
    assert found
    files = json.loads(found[2])
    assert files == shell_files()
    assert {"/", "/static/js/main.js", "/static/i18n/ar.json", "/static/manifest.webmanifest"} <= set(files)
    assert [file for file in files if shared.get(file).status_code != 200] == []
    assert not any(file.startswith("/api") or file == SERVICE_WORKER for file in files)


@pytest.mark.parametrize("file", ["js/main.js", "css/base.css", "i18n/de.json", "icons.svg"])
def test_files_are_asked_for_each_time_so_that_no_two_versions_are_mixed(shared: TestClient, file: str) -> None:
    answer = shared.get(f"/static/{file}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    again = shared.get(f"/static/{file}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")


def test_service_worker_has_a_new_version_when_a_file_of_the_page_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "main.js").write_text("one")
    monkeypatch.setattr("web.page.STATIC_FOLDER", tmp_path)
    versions = []
    for text in ("one", "two", "two"):
        (tmp_path / "js" / "main.js").write_text(text)
        versions.append(service_worker.__wrapped__().partition("\n")[0])
    assert versions[0] != versions[1] == versions[2]


def test_manifest_names_icons_that_exist(shared: TestClient) -> None:
    answer = shared.get("/static/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    sizes = {}
    for icon in manifest["icons"]:
        file = STATIC_FOLDER / icon["src"].removeprefix("/static/")
        assert file.is_file()
        if icon["type"] == "image/png":
            with Image.open(file) as image:
                assert icon["sizes"] == f"{image.width}x{image.height}"
                if icon.get("purpose") == "maskable":  # no corner is cut off
                    assert image.convert("RGBA").getpixel((0, 0)) == (29, 78, 216, 255)
            sizes[icon["sizes"], icon.get("purpose")] = file
    assert set(sizes) == {(size, purpose) for size in ("192x192", "512x512") for purpose in (None, "maskable")}
    page = shared.get("/").text
    assert '<link rel="manifest" href="/static/manifest.webmanifest" crossorigin="use-credentials">' in page


@pytest.mark.sqlite("the key of a library is a file; copies of a database have the same key")
def test_images_of_different_libraries_have_different_addresses(
    library: Library, shared: TestClient, tmp_path: Path
) -> None:
    key = library_key(library)
    assert re.fullmatch("[0-9a-f]{16}", key)
    assert library_key(library) == key  # also after a restart
    assert key not in shared.get("/").text
    assert re.search('<html data-library="[0-9a-f]{16}-[0-9]+" ', shared.get("/").text)
    (library.path / KEY_FILE).write_bytes(b"<script>")
    assert re.fullmatch("[0-9a-f]{16}", library_key(library))


def test_key_of_a_library_that_cannot_be_written_stays_the_same(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.library_key.write_atomically", refuse)
    assert re.fullmatch("[0-9a-f]{16}", library_key(library))
    assert library_key(library) == library_key(library)


def refuse(*_: object) -> None:
    raise PermissionError


def test_icon_is_found_where_browsers_look_for_it(shared: TestClient) -> None:
    """They ask beside answers that name no icon, and write a missing one to their console."""
    answer = shared.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
