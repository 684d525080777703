"""Relevance judgements over HTTP."""

from fastapi.testclient import TestClient

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
