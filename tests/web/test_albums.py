"""Albums over HTTP."""

import io
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from PIL import Image

ALBUMS = "/api/v1/albums"


def test_albums_are_saved_listed_used_and_deleted(client: TestClient) -> None:
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


def test_album_names_may_contain_slashes_and_any_script(client: TestClient) -> None:
    for name in ("Trips/Rome", "Ferien am Meer", "假期", "a?b#c%d"):
        assert client.put(f"{ALBUMS}/{quote(name)}", json={"query": "name:red*"}).status_code == 200
    assert {album["name"] for album in client.get(ALBUMS).json()} == {"Trips/Rome", "Ferien am Meer", "假期", "a?b#c%d"}


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"query": "a beach -people"}, "a beach -people"),
        ({"query": "Paris - by night", "where": "year:2023"}, '"Paris - by night" year:2023'),
        (
            {"query": "name:red* or name:blue* a beach", "parts": [{"text": "dusk", "weight": -0.5}], "where": "iso:1"},
            'a beach - "dusk" name:red* or name:blue* iso:1',
        ),
        ({"query": "beach -red", "plain": True}, '"beach -red"'),
        ({"query": "this or", "where": "(name:red* or name:blue*)"}, "this or (name:red* or name:blue*)"),
        ({"query": "-name:red*", "where": "-name:blue*"}, "-name:red* -name:blue*"),
        ({"parts": [{"picture": 1, "weight": 2}, {"text": "3:30 pm"}]}, '2:like:1 + "3:30 pm"'),
    ],
)
def test_query_with_parts_and_filters_is_saved_as_an_equivalent_line(
    client: TestClient, asked: dict[str, Any], line: str
) -> None:
    (kept,) = client.put(f"{ALBUMS}/mine", json=asked).json()
    assert kept["query"] == line
    wanted, got = (client.post("/api/v1/search", json=each).json() for each in (asked, {"query": line}))
    assert [(hit["id"], hit["score"]) for hit in got["hits"]] == [(hit["id"], hit["score"]) for hit in wanted["hits"]]
    assert got["searched"] == wanted["searched"]


def test_uploads_regions_and_vectors_cannot_be_saved(client: TestClient) -> None:
    image = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(image, "PNG")
    sent = client.post("/api/v1/uploads", content=image.getvalue()).json()["id"]
    for part in ({"upload": sent}, {"picture": 1, "crop": [0, 0, 0.5, 0.5]}, {"vector": [1.0] * 8}):
        answer = client.put(f"{ALBUMS}/mine", json={"query": "red", "parts": [part]})
        assert (answer.status_code, answer.json()["title"]) == (400, "InvalidQuery"), part
    long = {"query": "red " * 2_000, "where": 'name:"red*"' + " " * 100 + "name:" + 3_000 * "r"}
    assert "too long" in client.put(f"{ALBUMS}/mine", json=long).json()["detail"]
    assert client.get(ALBUMS).json() == []


@pytest.mark.parametrize(
    "query", ["  ", "year:20x3", "name:a (year:2020", "album:nope", "in:/nowhere/at/all", "./red.png"]
)
def test_invalid_queries_cannot_be_saved(client: TestClient, query: str) -> None:
    answer = client.put(f"{ALBUMS}/mine", json={"query": query})
    assert answer.status_code in {400, 404}, answer.text
    assert client.get(ALBUMS).json() == []


def test_album_name_needs_a_letter_and_unknown_album_is_not_found(client: TestClient) -> None:
    assert client.put(f"{ALBUMS}/%20", json={"query": "name:a"}).json()["title"] == "InvalidTag"
    answer = client.delete(f"{ALBUMS}/nope")
    assert (answer.status_code, answer.json()["title"]) == (404, "UnknownAlbum")
