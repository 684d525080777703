"""Albums over HTTP."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from store import Library
from store.forget import forget

ALBUMS = "/api/v1/albums"


def test_albums_are_saved_listed_used_and_deleted(client: TestClient) -> None:
    kept = client.put(f"{ALBUMS}/Warm ones", json={"query": "name:red* or name:yellow*"})
    album = {
        "name": "Warm ones",
        "by_hand": False,
        "query": "name:red* or name:yellow*",
        "top": 100,
        "is_ranked": False,
        "pictures": None,
        "missing": 0,
        "cover": None,
    }
    assert kept.json() == [album]
    assert client.get(ALBUMS).json() == [album]
    counted = client.get(f"{ALBUMS}/warm ONES").json()
    assert (counted["pictures"], counted["name"]) == (2, "Warm ones")
    assert counted["cover"] is not None
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


@pytest.fixture
def ids(client: TestClient) -> dict[str, int]:
    """The IDs of red, green, blue and yellow."""
    hits = client.post("/api/v1/search", json={}).json()["hits"]
    return {hit["name"].removesuffix(".png"): hit["id"] for hit in hits}


def listed(client: TestClient, name: str, **options: Any) -> list[str]:
    answer = client.get("/api/v1/pictures", params={"album": name, **options})
    assert answer.status_code == 200, answer.text
    return [hit["name"].removesuffix(".png") for hit in answer.json()["hits"]]


def change(client: TestClient, album: str, /, **what: Any) -> dict[str, Any]:
    answer = client.patch(f"{ALBUMS}/{quote(album)}", json=what)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()
    return data


def test_album_is_put_together_by_hand(client: TestClient, ids: dict[str, int]) -> None:
    made = client.post(ALBUMS, json={"name": " Trips/Rome", "pictures": [ids["blue"], ids["red"]]})
    assert made.status_code == 201
    assert made.json() == {
        "name": "Trips/Rome",
        "by_hand": True,
        "query": "",
        "top": 0,
        "is_ranked": False,
        "pictures": 2,
        "missing": 0,
        "cover": ids["blue"],
    }
    assert change(client, "trips/rome", add=[ids["green"], ids["red"], 12345])["pictures"] == 3
    assert listed(client, "trips/Rome") == ["blue", "red", "green"]
    change(client, "Trips/Rome", move={"pictures": [ids["green"]], "before": ids["blue"]})
    change(client, "Trips/Rome", move={"pictures": [ids["blue"]], "before": None})
    assert listed(client, "Trips/Rome") == ["green", "red", "blue"]
    assert change(client, "Trips/Rome", cover=ids["red"])["cover"] == ids["red"]
    assert change(client, "Trips/Rome", cover=None)["cover"] == ids["green"]
    assert change(client, "Trips/Rome", remove=[ids["green"]])["pictures"] == 2
    assert change(client, "Trips/Rome", name="Roma")["name"] == "Roma"
    found = client.post("/api/v1/search", json={"query": "red", "where": "album:roma"}).json()
    assert [hit["name"] for hit in found["hits"]] == ["red.png", "blue.png"]
    assert client.get(f"/api/v1/pictures/{ids['red']}").json()["albums"] == ["Roma"]
    assert client.delete(f"{ALBUMS}/Roma").json() == []
    assert client.get(f"/api/v1/pictures/{ids['red']}").json()["albums"] == []


def test_pages_of_an_album(client: TestClient, ids: dict[str, int]) -> None:
    client.post(ALBUMS, json={"name": "a", "pictures": [ids["yellow"], ids["blue"], ids["red"]]})
    first = client.get("/api/v1/pictures", params={"album": "a", "k": 2}).json()
    assert ([hit["rank"] for hit in first["hits"]], first["searched"]) == ([1, 2], 3)
    rest = client.get("/api/v1/pictures", params={"album": "A", "k": 2, "cursor": first["next"]}).json()
    assert ([hit["name"] for hit in rest["hits"]], rest["next"]) == (["red.png"], None)
    assert rest["hits"][0]["rank"] == 3
    assert listed(client, "a", where="-name:blue*") == ["yellow", "red"]
    client.post(ALBUMS, json={"name": "b"})
    other = client.get("/api/v1/pictures", params={"album": "b", "cursor": first["next"]})
    assert (other.status_code, other.json()["title"]) == (400, "InvalidQuery")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "title"),
    [
        ("POST", "", {"name": "HAND"}, 409, "AlbumExists"),
        ("POST", "", {"name": "saved"}, 409, "AlbumExists"),
        ("POST", "", {"name": " / "}, 400, "InvalidTag"),
        ("PUT", "/hand", {"query": "name:a"}, 409, "AlbumExists"),
        ("PATCH", "/saved", {"add": [1]}, 409, "AlbumIsSearch"),
        ("PATCH", "/none", {"add": [1]}, 404, "UnknownAlbum"),
        ("PATCH", "/hand", {"move": {"pictures": [12345]}}, 409, "NotInAlbum"),
        ("PATCH", "/hand", {"cover": 12345}, 409, "NotInAlbum"),
        ("PATCH", "/hand", {"name": "saved"}, 409, "AlbumExists"),
        ("PATCH", "/hand", {}, 422, None),
        ("PATCH", "/hand", {"name": None}, 422, None),
        ("PATCH", "/hand", {"name": "a", "cover": None}, 422, None),
        ("GET", "/none", None, 404, "UnknownAlbum"),
    ],
)
def test_impossible_changes_are_refused(
    client: TestClient, ids: dict[str, int], method: str, path: str, body: Any, status: int, title: str | None
) -> None:
    client.post(ALBUMS, json={"name": "hand", "pictures": [ids["red"]]})
    client.put(f"{ALBUMS}/saved", json={"query": "name:blue*"})
    answer = client.request(method, f"{ALBUMS}{path}", json=body)
    assert answer.status_code == status, answer.text
    assert title is None or answer.json()["title"] == title
    assert listed(client, "hand") == ["red"]


def test_saved_query_has_no_order_of_its_own(client: TestClient) -> None:
    client.put(f"{ALBUMS}/saved", json={"query": "name:blue*"})
    answer = client.get("/api/v1/pictures", params={"album": "saved"})
    assert (answer.status_code, answer.json()["title"]) == (409, "AlbumIsSearch")


def test_renaming_an_album_keeps_phrases_of_saved_queries(client: TestClient, ids: dict[str, int]) -> None:
    client.post(ALBUMS, json={"name": "rome", "pictures": [ids["red"]]})
    client.put(f"{ALBUMS}/saved", json={"query": '"old album:rome shots" ａｌｂｕｍ：“rome”'})
    change(client, "rome", name="Roma trip")
    saved = client.get(f"{ALBUMS}/saved").json()
    assert saved["query"] == '"old album:rome shots" ａｌｂｕｍ："Roma trip"'
    hits = client.post("/api/v1/search", json={"query": saved["query"]}).json()["hits"]
    assert [hit["name"] for hit in hits] == ["red.png"]


def test_saved_query_that_cannot_be_run_any_more_can_be_changed(
    client: TestClient, ids: dict[str, int], album: Path, indexed: Library
) -> None:
    client.post(ALBUMS, json={"name": "hand", "pictures": [ids["red"]]})
    for name, query in (("by album", "album:hand"), ("by folder", f'in:"{album}"'), ("by itself", "name:red*")):
        assert client.put(f"{ALBUMS}/{name}", json={"query": query}).status_code == 200
    assert client.put(f"{ALBUMS}/by itself", json={"query": 'album:"by itself"'}).status_code == 200
    assert client.delete(f"{ALBUMS}/hand").status_code == 200
    forget(indexed, album)
    for name in ("by album", "by folder", "by itself"):
        renamed = change(client, name, name=f"{name} 2")
        assert (renamed["name"], renamed["pictures"], renamed["cover"]) == (f"{name} 2", None, None)
        assert change(client, f"{name} 2", cover=None) == renamed == client.get(f"{ALBUMS}/{name} 2").json()
    assert [each["name"] for each in client.get(ALBUMS).json()] == ["by album 2", "by folder 2", "by itself 2"]
