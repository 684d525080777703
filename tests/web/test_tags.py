"""Tags over HTTP."""

import pytest
from fastapi.testclient import TestClient

from store import Library
from tests.support.web import picture_id


def test_tags_are_added_listed_filtered_and_removed(client: TestClient) -> None:
    red, blue = picture_id(client, "red.png"), picture_id(client, "blue.png")
    given = client.post("/api/v1/tags", json={"tag": "Best of", "pictures": [red, blue, 12345]})
    assert given.json() == {"changed": 2}
    assert client.get("/api/v1/tags").json() == [{"name": "Best of", "pictures": 2}]
    found = client.post("/api/v1/search", json={"query": "red", "where": 'tag:"best of"'}).json()
    assert [hit["name"] for hit in found["hits"]] == ["red.png", "blue.png"]
    client.request("DELETE", "/api/v1/tags", json={"tag": "best of", "pictures": [red, blue]})
    assert client.get("/api/v1/tags").json() == []
    assert client.post("/api/v1/tags", json={"tag": " , ", "pictures": [red]}).status_code in {200, 400}


def test_tags_and_albums_do_not_wait_for_another_writer(
    client: TestClient, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = picture_id(client, "red.png")
    with Library.open(indexed.path) as other, other.exclusive():  # like an index run
        monkeypatch.setattr(Library, "exclusive", lambda *_: pytest.fail("would wait for the other writer"))
        assert client.post("/api/v1/tags", json={"tag": "mine", "pictures": [red]}).json() == {"changed": 1}
        body = {"tag": "mine", "pictures": [red]}
        assert client.request("DELETE", "/api/v1/tags", json=body).json() == {"changed": 1}
        assert client.put("/api/v1/albums/Reds", json={"query": "name:red*"}).status_code == 200
        assert client.delete("/api/v1/albums/Reds").json() == []


def test_tag_needs_a_letter(client: TestClient) -> None:
    for method in ("POST", "DELETE"):
        answer = client.request(method, "/api/v1/tags", json={"tag": " / ", "pictures": [1]})
        assert (answer.status_code, answer.json()["title"]) == (400, "InvalidTag")
