"""Malicious requests that edit albums or tell pictures apart."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

API = "/api/v1"
CHANGES: list[tuple[str, str, Any]] = [
    ("POST", f"{API}/albums", {"name": "mine"}),
    ("PATCH", f"{API}/albums/mine", {"add": [1]}),
    ("DELETE", f"{API}/albums/mine", None),
    ("POST", f"{API}/duplicates/verdicts", {"pictures": [1, 2]}),
    ("DELETE", f"{API}/duplicates/verdicts", {"pictures": [1, 2]}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_other_sites_cannot_edit(client: TestClient, method: str, path: str, body: Any) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = client.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (403, "CrossSite")
    assert client.get(f"{API}/albums").json() == []
    assert client.get(f"{API}/duplicates").json()["verdicts"] == 0


@pytest.mark.parametrize("path", [f"{API}/duplicates", f"{API}/duplicates/rest", f"{API}/pictures?album=a"])
def test_other_sites_cannot_read(shared: TestClient, path: str) -> None:
    answer = shared.get(path, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["title"]) == (403, "CrossSite")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{API}/albums", {"name": "a", "pictures": [1] * 10_001}),
        ("POST", f"{API}/albums", {"name": "a" * 201}),
        ("POST", f"{API}/albums", {"name": "a", "pictures": [-1]}),
        ("PATCH", f"{API}/albums/a", {"add": [1] * 10_001}),
        ("PATCH", f"{API}/albums/a", {"remove": [2**80]}),
        ("PATCH", f"{API}/albums/a", {"move": {"pictures": [1] * 10_001}}),
        ("PATCH", f"{API}/albums/a", {"by_hand": True}),
        ("POST", f"{API}/duplicates/verdicts", {"pictures": [1], "others": [2] * 10_001}),
    ],
)
def test_oversized_and_unknown_changes_are_refused(client: TestClient, method: str, path: str, body: Any) -> None:
    client.post(f"{API}/albums", json={"name": "a", "pictures": [1]})
    assert client.request(method, path, json=body).status_code == 422
    (album,) = client.get(f"{API}/albums").json()
    assert (album["name"], album["pictures"], album["by_hand"]) == ("a", 1, True)


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fetc", "<script>alert(1)</script>", "a\u202eb", "%00"])
def test_hostile_names_are_only_names(client: TestClient, name: str) -> None:
    answer = client.post(f"{API}/albums", json={"name": name, "pictures": [1]})
    assert answer.status_code in {201, 400}
    assert answer.headers["content-type"].startswith(("application/json", "application/problem+json"))
    for album in client.get(f"{API}/albums").json():
        found = client.get(f"{API}/pictures", params={"album": album["name"]})
        assert [hit["id"] for hit in found.json()["hits"]] == [1]
