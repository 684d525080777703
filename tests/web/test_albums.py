"""Questions that were given a name."""

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

ALBUMS = "/api/v1/albums"


def test_albums_are_kept_listed_chosen_and_forgotten(client: TestClient) -> None:
    kept = client.put(f"{ALBUMS}/Warm ones", json={"query": "name:red* or name:yellow*"})
    album = {"name": "Warm ones", "query": "name:red* or name:yellow*", "top": 100, "is_ranked": False}
    assert kept.json() == [album]
    assert client.get(ALBUMS).json() == [album]
    found = client.post("/api/v1/search", json={"where": 'album:"warm ones"'}).json()
    assert sorted(hit["name"] for hit in found["hits"]) == ["red.png", "yellow.png"]
    client.put(f"{ALBUMS}/warm ones", json={"query": "a red one -blue", "top": 5})
    (changed,) = client.get(ALBUMS).json()
    assert (changed["query"], changed["top"], changed["is_ranked"]) == ("a red one -blue", 5, True)
    assert client.post("/api/v1/search", json={"where": 'album:"warm ones"'}).json()["title"] == "InvalidQuery"
    assert client.delete(f"{ALBUMS}/Warm ones").json() == []


def test_names_may_have_levels_and_many_scripts(client: TestClient) -> None:
    for name in ("Trips/Rome", "Ferien am Meer", "假期", "a?b#c%d"):
        assert client.put(f"{ALBUMS}/{quote(name)}", json={"query": "name:red*"}).status_code == 200
    assert {album["name"] for album in client.get(ALBUMS).json()} == {"Trips/Rome", "Ferien am Meer", "假期", "a?b#c%d"}


@pytest.mark.parametrize("query", ["  ", "year:20x3", "name:a (year:2020", "album:nope", "in:/nowhere/at/all"])
def test_what_cannot_be_asked_is_not_kept(client: TestClient, query: str) -> None:
    answer = client.put(f"{ALBUMS}/mine", json={"query": query})
    assert answer.status_code in {400, 404}, answer.text
    assert client.get(ALBUMS).json() == []


def test_a_name_needs_a_letter_and_an_album_to_be_forgotten_must_be_there(client: TestClient) -> None:
    assert client.put(f"{ALBUMS}/%20", json={"query": "name:a"}).json()["title"] == "InvalidTag"
    answer = client.delete(f"{ALBUMS}/nope")
    assert (answer.status_code, answer.json()["title"]) == (404, "UnknownAlbum")
