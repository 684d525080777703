"""The folders of a library over HTTP."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import API

FOLDERS = f"{API}/folders"

Paint = Callable[..., Path]


def every_folder(client: TestClient, parent: str | None = None) -> list[dict[str, Any]]:
    """Return the folders in and below `parent`."""
    inner = client.get(FOLDERS, params={} if parent is None else {"parent": parent}).json()["folders"]
    return [found for each in inner for found in (each, *every_folder(client, each["id"]))]


def test_terms_find_as_many_pictures_as_counted(
    client: TestClient, indexed: Library, album: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(album / 'a "b" \\c' / "cyan.png", "cyan")
    paint(album / "in*it ?" / "d：e" / "navy.png", "navy")
    odd = os.fsencode(album) + b"/\xfc \xff"
    os.mkdir(odd)  # noqa: PTH102 (bytes)
    os.link(os.fsencode(album) + b"/red.png", odd + b"/x.png")
    paint(album / "more" / "deeper" / "pink.png", "pink")
    index(indexed, [album], encoder)
    found = every_folder(client)
    assert [each["name"] for each in found] == [
        album.name, 'a "b" \\c', "in*it ?", "d：e", "more", "deeper", "\\xfc \\xff",
    ]  # fmt: skip
    assert [each["below"] for each in found] == [8, 1, 1, 1, 2, 1, 1]
    for each in found:
        kept = client.post(f"{API}/search", json={"where": each["term"], "k": 100}).json()["searched"]
        assert kept == each["below"] - (each["name"] == album.name), each  # a copy is not another picture


def test_folder_has_its_path_from_the_root(client: TestClient, album: Path) -> None:
    (root,) = client.get(FOLDERS).json()["folders"]
    assert (root["path"], root["inside"], root["below"], root["has_folders"]) == (str(album), 3, 4, True)
    more = client.get(FOLDERS, params={"parent": f"{root['id']}/more"}).json()
    assert (more["folder"]["term"], more["folders"], more["total"]) == (f'in:"{album}/more"', [], 0)
    assert [each["path"] for each in more["above"]] == [str(album)]


@pytest.mark.parametrize(
    "parent", ["1/..", "1/../../etc", "/etc", "../1", "1/%2e%2e/etc", "2", "1/\x00", "1/" + "a/" * 6_000, "1/%ff%fe"]
)
def test_no_folder_outside_of_the_library(shared: TestClient, parent: str) -> None:
    answer = shared.get(FOLDERS, params={"parent": parent})
    assert (answer.status_code, answer.json()["title"]) == (404, "NotThere")


def test_long_ids_are_rejected(shared: TestClient) -> None:
    assert shared.get(FOLDERS, params={"parent": "1/" + "a" * 13_000}).status_code == 422
