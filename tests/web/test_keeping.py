"""What people say of their pictures, and what they take along: tags, judgements, exports, highlights."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from search.evaluate.trec import read_qrels
from store import Library
from tests.support.web import BASE_URL, picture_id
from web import ServeSettings, create_app


def test_tags_are_given_listed_chosen_and_taken_away(client: TestClient) -> None:
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
    with Library.open(indexed.path) as other, other.exclusive():  # as an index run does
        monkeypatch.setattr(Library, "exclusive", lambda *_: pytest.fail("would wait for the other writer"))
        assert client.post("/api/v1/tags", json={"tag": "mine", "pictures": [red]}).json() == {"changed": 1}
        body = {"tag": "mine", "pictures": [red]}
        assert client.request("DELETE", "/api/v1/tags", json=body).json() == {"changed": 1}
        assert client.put("/api/v1/albums/Reds", json={"query": "name:red*"}).status_code == 200
        assert client.delete("/api/v1/albums/Reds").json() == []


def test_judgements_are_a_data_set(client: TestClient, indexed: Library) -> None:
    red, blue = picture_id(client, "red.png"), picture_id(client, "blue.png")
    for picture, grade in ((red, 1), (blue, 0)):
        client.put("/api/v1/judgements", json={"query": "something  red", "picture": picture, "grade": grade})
    asked: dict[str, str | list[int]] = {"query": "something red", "picture": [red, blue, 12345]}
    assert client.get("/api/v1/judgements", params=asked).json() == {"grades": {str(red): 1, str(blue): 0}}
    (grades,) = read_qrels(indexed.path / "judged" / "qrels.txt").values()
    assert sorted(grades.values()) == [0, 1]
    client.put("/api/v1/judgements", json={"query": "something red", "picture": blue, "grade": None})
    assert client.get("/api/v1/judgements", params=asked).json() == {"grades": {str(red): 1}}


def test_judgements_of_others_are_not_lost(client: TestClient, indexed: Library, settings: ServeSettings) -> None:
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as other:
        for asked, picture in ((client, 1), (other, 2), (client, 3)):
            asked.put("/api/v1/judgements", json={"query": "red", "picture": picture, "grade": 1})
        params: dict[str, str | list[int]] = {"query": "red", "picture": [1, 2, 3, 4]}
        for asked in (client, other):
            assert asked.get("/api/v1/judgements", params=params).json() == {"grades": {"1": 1, "2": 1, "3": 1}}


def test_a_tag_needs_a_letter(client: TestClient) -> None:
    for method in ("POST", "DELETE"):
        answer = client.request(method, "/api/v1/tags", json={"tag": " / ", "pictures": [1]})
        assert (answer.status_code, answer.json()["title"]) == (400, "InvalidTag")


def test_a_list_is_no_program_of_a_spreadsheet(client: TestClient, indexed: Library, tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0110] = "=HYPERLINK(1)"
    Image.new("RGB", (9, 9), "cyan").save(folder / "a.jpg", exif=exif)
    index(indexed, [folder], FakeEncoder())
    picture = picture_id(client, "a.jpg")
    rows = client.post("/api/v1/export", json={"pictures": [picture], "format": "csv"}).text
    (row,) = csv.DictReader(io.StringIO(rows))
    assert (row["camera"], row["lens"]) == ("'=HYPERLINK(1)", "")


def test_a_judgement_is_about_a_picture_and_words(client: TestClient) -> None:
    put = {"query": "red", "picture": 12345, "grade": 1}
    assert client.put("/api/v1/judgements", json=put).status_code == 404
    assert client.put("/api/v1/judgements", json=put | {"picture": 1, "query": " "}).status_code == 400
    assert client.put("/api/v1/judgements", json=put | {"picture": 1, "grade": 7}).status_code == 422
    assert client.get("/api/v1/judgements", params={"query": "red"}).json() == {"grades": {}}


def test_what_is_picked_comes_along_in_its_order(client: TestClient, album: Path) -> None:
    ids = [picture_id(client, name) for name in ("yellow.png", "red.png")]
    wanted = [str(album / "more" / "yellow.png"), str(album / "red.png")]

    def export(form: str) -> bytes:
        answer = client.post("/api/v1/export", json={"pictures": [*ids, 12345], "format": form})
        assert "attachment" in answer.headers["content-disposition"]
        return answer.content

    assert export("paths").decode().splitlines() == wanted
    assert [json.loads(line)["path"] for line in export("json").decode().splitlines()] == wanted
    assert [row["path"] for row in csv.DictReader(io.StringIO(export("csv").decode()))] == wanted
    archive = zipfile.ZipFile(io.BytesIO(export("zip")))
    assert archive.namelist() == ["0001_yellow.png", "0002_red.png"]
    assert archive.read("0002_red.png") == (album / "red.png").read_bytes()
    assert client.post("/api/v1/export", json={"pictures": [12345], "format": "csv"}).status_code == 404


def test_a_highlight_says_where(client: TestClient, indexed: Library, tmp_path: Path) -> None:
    halves = Image.new("RGB", (400, 200), "blue")
    halves.paste("red", (0, 0, 200, 200))
    (tmp_path / "halves").mkdir()
    halves.save(tmp_path / "halves" / "halves.png")
    index(indexed, [tmp_path / "halves"], FakeEncoder())
    combined_filters = picture_id(client, "halves.png")
    found = client.get(f"/api/v1/pictures/{combined_filters}/highlight", params={"prompt": "red"}).json()
    left, top, width, height = found["boxes"][0]
    assert (left, top) == (0, 0)
    assert 140 <= width <= 300
    assert height == 200
    assert found["mask"]["size"] == [200, 400]
    drawn = client.get(f"/api/v1/pictures/{combined_filters}/highlight.png", params={"prompt": "red"})
    heat = Image.open(io.BytesIO(drawn.content))
    assert (heat.mode, heat.size) == ("RGBA", (400, 200))
    mask = Image.open(
        io.BytesIO(client.get(f"/api/v1/pictures/{combined_filters}/highlight.png?prompt=red&kind=mask").content)
    )
    assert mask.getpixel((20, 100))
    assert not mask.getpixel((380, 100))


@pytest.mark.parametrize("prompt", ["", " ", "x" * 501])
def test_a_prompt_without_words_finds_nothing(client: TestClient, prompt: str) -> None:
    assert client.get("/api/v1/pictures/1/highlight", params={"prompt": prompt}).status_code in {400, 422}


def test_a_highlight_of_nothing_is_not_there(client: TestClient) -> None:
    for what in ("highlight", "highlight.png"):
        assert client.get(f"/api/v1/pictures/12345/{what}", params={"prompt": "red"}).status_code == 404
