"""Tags over HTTP."""

import pytest
from fastapi.testclient import TestClient

from store import Library
from store.catalog.tables import TagSource
from store.tags import Tagging, add_tags
from tests.support.web import picture_id


def test_tags_are_added_listed_filtered_and_removed(client: TestClient) -> None:
    red, blue = picture_id(client, "red.png"), picture_id(client, "blue.png")
    given = client.post("/api/v1/tags", json={"tag": "Best of", "pictures": [red, blue, 12345]})
    assert given.json() == {"changed": 2, "pictures": sorted([red, blue])}
    again = client.post("/api/v1/tags", json={"tag": "best of", "pictures": [red]})
    assert again.json() == {"changed": 0, "pictures": []}
    assert client.get("/api/v1/tags").json() == [{"name": "Best of", "pictures": 2}]
    found = client.post("/api/v1/search", json={"query": "red", "where": 'tag:"best of"'}).json()
    assert [hit["name"] for hit in found["hits"]] == ["red.png", "blue.png"]
    removed = client.request("DELETE", "/api/v1/tags", json={"tag": "best of", "pictures": [red, blue, 12345]})
    assert removed.json() == {"changed": 2, "pictures": sorted([red, blue])}
    assert client.get("/api/v1/tags").json() == []
    assert client.post("/api/v1/tags", json={"tag": " , ", "pictures": [red]}).status_code in {200, 400}


def test_tags_and_albums_do_not_wait_for_another_writer(
    client: TestClient, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = picture_id(client, "red.png")
    with Library.open(indexed.path) as other, other.exclusive():  # like an index run
        monkeypatch.setattr(Library, "exclusive", lambda *_: pytest.fail("would wait for the other writer"))
        assert client.post("/api/v1/tags", json={"tag": "mine", "pictures": [red]}).json()["changed"] == 1
        body = {"tag": "mine", "pictures": [red]}
        assert client.request("DELETE", "/api/v1/tags", json=body).json()["changed"] == 1
        assert client.put("/api/v1/ratings", json={"rating": 3, "pictures": [red]}).json()["changed"] == 1
        assert client.put("/api/v1/albums/Reds", json={"query": "name:red*"}).status_code == 200
        assert client.delete("/api/v1/albums/Reds").json() == []


def test_tag_needs_a_letter(client: TestClient) -> None:
    for method in ("POST", "DELETE"):
        answer = client.request(method, "/api/v1/tags", json={"tag": " / ", "pictures": [1]})
        assert (answer.status_code, answer.json()["title"]) == (400, "InvalidTag")


def test_pictures_are_rated_found_and_rated_back(client: TestClient) -> None:
    red, blue = picture_id(client, "red.png"), picture_id(client, "blue.png")
    client.put("/api/v1/ratings", json={"rating": 2, "pictures": [blue]})
    answer = client.put("/api/v1/ratings", json={"rating": 5, "pictures": [red, blue, 12345]}).json()
    assert answer == {
        "changed": 2,
        "previous": [{"rating": None, "pictures": [red]}, {"rating": 2, "pictures": [blue]}],
    }
    found = client.post("/api/v1/search", json={"where": "rating:5"}).json()
    assert sorted(hit["name"] for hit in found["hits"]) == ["blue.png", "red.png"]
    details = client.get(f"/api/v1/pictures/{red}").json()
    assert (details["rating"], details["rating_source"]) == (5, "user")
    for request in answer["previous"]:
        client.put("/api/v1/ratings", json=request)
    assert client.get(f"/api/v1/pictures/{red}").json()["rating"] is None
    assert client.get(f"/api/v1/pictures/{blue}").json()["rating"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {"rating": 6, "pictures": [1]},
        {"rating": -2, "pictures": [1]},
        {"rating": 2.5, "pictures": [1]},
        {"rating": 3, "pictures": []},
        {"rating": 3, "pictures": list(range(1, 10_002))},
        {"pictures": [1]},
        {"rating": 3, "pictures": [1], "user": "me"},
    ],
)
def test_ratings_have_limits(client: TestClient, body: dict[str, object]) -> None:
    assert client.put("/api/v1/ratings", json=body).status_code == 422


def test_picture_lists_its_tags_with_their_sources(client: TestClient, indexed: Library) -> None:
    red = picture_id(client, "red.png")
    add_tags(indexed, [Tagging(red, "warm", 0.9)], TagSource.MODEL)
    client.post("/api/v1/tags", json={"tag": "mine", "pictures": [red]})
    assert client.get(f"/api/v1/pictures/{red}").json()["tags"] == [
        {"name": "mine", "source": "user", "probability": None},
        {"name": "warm", "source": "model", "probability": 0.9},
    ]
