"""Near-duplicates over HTTP: groups, verdicts, and the rest to export."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
from search.duplicate_groups import GroupListing, group_duplicates
from search.filters import Filters
from store import Library
from tests.support.photos import photo
from tests.support.web import BASE_URL
from web import ServeSettings, create_app

DUPLICATES = "/api/v1/duplicates"


@pytest.fixture
def client(library: Library, tmp_path: Path, settings: ServeSettings) -> Iterator[TestClient]:
    """A server of two groups: a photo with a smaller version and a copy, and another with a smaller version."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, size in ((1, 300), (2, 200)):
        photo(seed, size, size).save(folder / f"{seed}-large.png")
        photo(seed, size, size).resize((90, 90)).save(folder / f"{seed}-small.png")
    shutil.copy(folder / "1-small.png", folder / "1-=copy.png")
    photo(3).save(folder / "alone.png")
    index(library, [folder], FakeEncoder())
    with TestClient(create_app(library, settings), base_url=BASE_URL, raise_server_exceptions=False) as opened:
        yield opened


def names(client: TestClient, **options: str) -> list[list[str]]:
    groups = client.get(DUPLICATES, params=options).json()["groups"]
    return [[Path(file["path"]).name for file in group["files"]] for group in groups]


def ids(client: TestClient) -> dict[str, int]:
    hits = client.post("/api/v1/search", json={}).json()["hits"]
    return {hit["name"].removesuffix(".png"): hit["id"] for hit in hits}


FIRST, SECOND = ["1-large.png", "1-=copy.png", "1-small.png"], ["2-large.png", "2-small.png"]


def test_groups_are_listed_best_first_with_the_reason(client: TestClient) -> None:
    data = client.get(DUPLICATES).json()
    assert (data["total"], data["files"], data["next"], data["waiting"], data["verdicts"]) == (2, 5, None, 0, 0)
    assert names(client) == [FIRST, SECOND]
    first = data["groups"][0]
    assert (first["reason"], first["count"]) == ("pixels", 3)
    assert first["spare"] == sum(file["picture"]["size"] for file in first["files"][1:])
    assert data["spare"] == first["spare"] + data["groups"][1]["spare"]


def test_pages_and_filters(client: TestClient) -> None:
    first = client.get(DUPLICATES, params={"k": 1}).json()
    assert names(client, k="1", cursor=first["next"]) == [SECOND]
    assert names(client, where="name:2*") == [SECOND]
    assert names(client, where="name:*small* or name:alone*") == [FIRST[1:]]  # copies of one content
    wrong = client.get(DUPLICATES, params={"where": "name:2*", "cursor": first["next"]})
    assert (wrong.status_code, wrong.json()["title"]) == (400, "InvalidQuery")


def test_group_told_apart_before_the_next_page_does_not_shift_it(client: TestClient) -> None:
    first = client.get(DUPLICATES, params={"k": 1}).json()
    pictures = [file["picture"]["id"] for file in first["groups"][0]["files"]]
    client.post(f"{DUPLICATES}/verdicts", json={"pictures": sorted(set(pictures))})
    assert names(client, k="1", cursor=first["next"]) == [SECOND]


def test_verdict_separates_groups_and_search_results_until_it_is_withdrawn(client: TestClient) -> None:
    known = ids(client)
    pair = {"pictures": [known["2-large"]], "others": [known["2-small"]]}

    def folded() -> list[int]:
        hits = client.post("/api/v1/search", json={"query": "red", "where": "name:2*"}).json()["hits"]
        return [hit["stack"] for hit in hits]

    assert folded() == [2]
    assert client.post(f"{DUPLICATES}/verdicts", json=pair).json() == {"changed": 1}
    assert client.post(f"{DUPLICATES}/verdicts", json=pair).json() == {"changed": 0}
    assert names(client) == [FIRST]
    assert folded() == [1, 1]
    listed = client.get(f"{DUPLICATES}/verdicts").json()
    assert listed["total"] == 1
    assert {picture["name"] for picture in listed["pairs"][0]["pictures"]} == set(SECOND)
    last = {"after_first": min(pair["pictures"] + pair["others"]), "after_second": max(known.values())}
    assert client.get(f"{DUPLICATES}/verdicts", params=last).json()["pairs"] == []
    assert client.request("DELETE", f"{DUPLICATES}/verdicts", json=pair).json() == {"changed": 1}
    assert names(client) == [FIRST, SECOND]
    assert folded() == [2]


def test_pages_group_once_until_the_library_changes(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    grouped = list[object]()

    def group(library: Library, filters: Filters) -> GroupListing:
        grouped.append(filters)
        return group_duplicates(library, filters)

    monkeypatch.setattr("web.api.duplicates.group_duplicates", group)
    first = client.get(DUPLICATES, params={"k": 1}).json()
    second = client.get(DUPLICATES, params={"k": 1, "cursor": first["next"]}).json()
    assert [len(page["groups"]) for page in (first, second)] == [1, 1]
    assert (second["next"], len(grouped)) == (None, 1)
    assert names(client, where="name:2*") == [SECOND]
    known = ids(client)
    client.post(f"{DUPLICATES}/verdicts", json={"pictures": [known["2-large"], known["2-small"]]})
    assert (names(client), names(client, where="name:2*"), len(grouped)) == ([FIRST], [], 4)


def test_rest_is_exported(client: TestClient) -> None:
    rest = [*FIRST[1:], *SECOND[1:]]
    paths = client.get(f"{DUPLICATES}/rest")
    assert [Path(line).name for line in paths.text.splitlines()] == rest
    assert paths.headers["content-disposition"] == 'attachment; filename="sightline-duplicates.txt"'
    lines = client.get(f"{DUPLICATES}/rest", params={"format": "json"}).text.splitlines()
    records = [json.loads(line) for line in lines]
    assert [(record["group"], Path(record["best"]).name) for record in records] == [
        (1, "1-large.png"),
        (1, "1-large.png"),
        (2, "2-large.png"),
    ]
    table = client.get(f"{DUPLICATES}/rest", params={"format": "csv", "bom": True, "where": "name:2*"})
    assert table.content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert (Path(row["path"]).name, row["width"], row["format"]) == ("2-small.png", "90", "PNG")
    assert client.get(f"{DUPLICATES}/rest", params={"bom": True}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"pictures": [1]}, 400),
        ({"pictures": [1], "others": [1]}, 400),
        ({"pictures": []}, 422),
        ({"pictures": list(range(1, 102))}, 422),
        ({"pictures": list(range(1, 101)), "others": list(range(200, 500))}, 400),
        ({"pictures": [2**63, 1]}, 422),
    ],
)
def test_impossible_verdicts_are_refused(client: TestClient, body: object, status: int) -> None:
    for method in ("POST", "DELETE"):
        assert client.request(method, f"{DUPLICATES}/verdicts", json=body).status_code == status
    assert client.get(DUPLICATES).json()["verdicts"] == 0


def test_unknown_pictures_are_ignored(client: TestClient) -> None:
    assert client.post(f"{DUPLICATES}/verdicts", json={"pictures": [12345, 12346]}).json() == {"changed": 0}
