"""Relevance judgements over HTTP."""

import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from encoders.fake import FakeEncoder
from indexer import index
from search.evaluate.trec import read_qrels
from store import Library
from tests.support.web import BASE_URL, picture_id
from web import ServeSettings, create_app


def test_judgements_are_written_as_a_data_set(client: TestClient, indexed: Library) -> None:
    red, blue = picture_id(client, "red.png"), picture_id(client, "blue.png")
    for picture, grade in ((red, 1), (blue, 0)):
        client.put("/api/v1/judgements", json={"query": "something  red", "picture": picture, "grade": grade})
    asked: dict[str, str | list[int]] = {"query": "something red", "picture": [red, blue, 12345]}
    assert client.get("/api/v1/judgements", params=asked).json() == {"grades": {str(red): 1, str(blue): 0}}
    (grades,) = read_qrels(indexed.path / "judged" / "qrels.txt").values()
    assert sorted(grades.values()) == [0, 1]
    client.put("/api/v1/judgements", json={"query": "something red", "picture": blue, "grade": None})
    assert client.get("/api/v1/judgements", params=asked).json() == {"grades": {str(red): 1}}


def test_judgements_of_other_servers_are_kept(client: TestClient, indexed: Library, settings: ServeSettings) -> None:
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as other:
        for asked, picture in ((client, 1), (other, 2), (client, 3)):
            asked.put("/api/v1/judgements", json={"query": "red", "picture": picture, "grade": 1})
        params: dict[str, str | list[int]] = {"query": "red", "picture": [1, 2, 3, 4]}
        for asked in (client, other):
            assert asked.get("/api/v1/judgements", params=params).json() == {"grades": {"1": 1, "2": 1, "3": 1}}


def test_judgement_requires_a_known_picture_and_a_query(client: TestClient) -> None:
    put = {"query": "red", "picture": 12345, "grade": 1}
    assert client.put("/api/v1/judgements", json=put).status_code == 404
    assert client.put("/api/v1/judgements", json=put | {"picture": 1, "query": " "}).status_code == 400
    assert client.put("/api/v1/judgements", json=put | {"picture": 1, "grade": 7}).status_code == 422
    assert client.get("/api/v1/judgements", params={"query": "red"}).json() == {"grades": {}}


@pytest.mark.parametrize("name", [b"re\nd.png", b"red\xff.png"])
def test_a_picture_whose_name_is_not_a_line_of_text_cannot_be_judged(
    client: TestClient, indexed: Library, album: Path, name: bytes
) -> None:
    """Its name would make the files of judgements unreadable."""
    red, blue = picture_id(client, "red.png"), picture_id(client, "blue.png")
    (album / "red.png").rename(album / os.fsdecode(name))
    index(indexed, [album], FakeEncoder())
    put: dict[str, str | int] = {"query": "red", "picture": red, "grade": 1}
    assert client.put("/api/v1/judgements", json=put).json()["title"] == "NotAllowed"
    client.put("/api/v1/judgements", json=put | {"picture": blue})
    asked: dict[str, str | list[int]] = {"query": "red", "picture": [red, blue]}
    assert client.get("/api/v1/judgements", params=asked).json() == {"grades": {str(blue): 1}}
    assert client.get("/api/v1/judgements/unjudged", params=asked).json() == {"pictures": []}


def test_unjudged_results_begin_with_the_most_influential(client: TestClient) -> None:
    """Of three results without judgements the first; if it is right, the third: it would lower nDCG, the second not."""
    ranked: dict[str, str | list[int]] = {"query": "red", "picture": [3, 1, 2]}

    def unjudged() -> list[int]:
        pictures: list[int] = client.get("/api/v1/judgements/unjudged", params=ranked).json()["pictures"]
        return pictures

    assert unjudged() == [3, 1, 2]
    client.put("/api/v1/judgements", json={"query": "red", "picture": 3, "grade": 1})
    assert unjudged() == [2, 1]
    client.put("/api/v1/judgements", json={"query": "red", "picture": 2, "grade": 0})
    assert unjudged() == [1]
    ranked["picture"] = [3, 12345]
    assert unjudged() == []  # unknown pictures are left out
    assert client.get("/api/v1/judgements/unjudged", params={"query": ""}).status_code == 422
