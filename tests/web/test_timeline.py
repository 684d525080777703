"""The timeline over HTTP: days, shapes, and pictures from a day on."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library


def photograph(path: Path, colour: str, taken: str, size: tuple[int, int] = (16, 8)) -> None:
    """Write a picture with a date."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    Image.new("RGB", size, colour).save(path, exif=exif)


@pytest.fixture
def dated(client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder) -> TestClient:
    """A client of a library of three dated pictures and four without a date."""
    photograph(album / "a.jpg", "red", "2021:05:01 10:00:00")
    photograph(album / "b.jpg", "blue", "2022:05:01 10:00:00", (8, 16))
    photograph(album / "c.jpg", "white", "2022:05:01 09:00:00")
    index(indexed, [album], encoder)
    return client


def names(answer: dict[str, Any]) -> list[str]:
    return [picture["name"] for picture in answer["pictures"]]


def test_days_and_shapes_are_in_the_order_of_a_search_without_a_query(dated: TestClient) -> None:
    found = dated.get("/api/v1/timeline").json()
    assert found["days"] == [
        {"day": "2022-05-01", "count": 2},
        {"day": "2021-05-01", "count": 1},
        {"day": None, "count": 4},
    ]
    assert (found["count"], found["shapes"]) == (7, "5YYGGGG")  # 1:2, 2:1, 2:1, and squares
    hits = dated.post("/api/v1/search", json={"sort": "date"}).json()["hits"]
    listed = dated.get("/api/v1/timeline/pictures", params={"day": "2022-05-01"}).json()
    assert [hit["id"] for hit in hits] == [picture["id"] for picture in listed["pictures"]]
    assert names(listed)[:3] == ["b.jpg", "c.jpg", "a.jpg"]


def test_pictures_begin_at_an_offset_of_a_day(dated: TestClient) -> None:
    part = dated.get("/api/v1/timeline/pictures", params={"day": "2022-05-01", "offset": 1, "k": 2}).json()
    assert names(part) == ["c.jpg", "a.jpg"]
    assert [picture["rank"] for picture in part["pictures"]] == [2, 3]
    assert part["pictures"][0]["color"] == "#ffffff"
    undated = dated.get("/api/v1/timeline/pictures", params={"offset": 3}).json()
    assert len(undated["pictures"]) == 1
    assert undated["pictures"][0]["taken_at"] is None


def test_filters_apply_and_other_words_do_not(dated: TestClient) -> None:
    for params in ({"where": "year:2022"}, {"query": "a dog year:2022"}, {"query": "year:2022", "where": "width:16"}):
        found = dated.get("/api/v1/timeline", params=params).json()
        listed = dated.get("/api/v1/timeline/pictures", params={"day": "9999-12-31", **params}).json()
        expected = ["c.jpg"] if "query" in params and "where" in params else ["b.jpg", "c.jpg"]
        assert (found["count"], names(listed)) == (len(expected), expected)


def test_timeline_notices_changes_of_the_library(
    dated: TestClient, indexed: Library, album: Path, encoder: FakeEncoder
) -> None:
    assert dated.get("/api/v1/timeline").json()["count"] == 7
    photograph(album / "later.jpg", "red", "2023:05:01 10:00:00")
    index(indexed, [album], encoder)
    assert dated.get("/api/v1/timeline").json()["days"][0] == {"day": "2023-05-01", "count": 1}


@pytest.mark.parametrize(
    "params", [{"day": "yesterday"}, {"offset": -1}, {"offset": 2**40}, {"k": 0}, {"k": 1_001}, {"where": "a dog"}]
)
def test_wrong_parameters_are_refused(client: TestClient, params: dict[str, str | int]) -> None:
    assert client.get("/api/v1/timeline/pictures", params=params).status_code in {400, 422}


def test_empty_timeline(client: TestClient) -> None:
    assert client.get("/api/v1/timeline", params={"where": "year:1950"}).json() == {
        "count": 0,
        "days": [],
        "shapes": "",
    }
