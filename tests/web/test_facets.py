"""Facets: counts, and the filters that select their values."""

from collections.abc import Sequence
from pathlib import Path
from time import process_time

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.filters.conditions import Condition
from store.filters.facets import Facet, Facets, count_facets
from store.forget import forget
from web.api.facets import folders, term


def photograph(path: Path, colour: str, camera: str, taken: str) -> None:
    """Write a picture with camera metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0110] = camera
    exif[0x0132] = taken
    exif.get_ifd(0x8769)[0x9003] = taken
    Image.new("RGB", (16, 8), colour).save(path, exif=exif)


@pytest.fixture
def varied(client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder) -> TestClient:
    """A client of a library with names that need quotes, several years, and nested folders."""
    photograph(album / 'trips "one"' / "a.jpg", "red", 'Odd "One" \\2', "2021:05:01 10:00:00")
    photograph(album / 'trips "one"' / "b.jpg", "blue", "Odd (or not)", "2022:05:01 10:00:00")
    photograph(album / 'trips "one"' / "in*it" / "c.jpg", "lime", "Odd", "2022:06:01 10:00:00")
    index(indexed, [album], encoder)
    return client


def test_facet_terms_select_as_many_pictures_as_counted(varied: TestClient) -> None:
    data = varied.get("/api/v1/facets").json()
    assert data["count"] == 7
    offered = [(name, value) for name, values in data["facets"].items() for value in values]
    assert len(offered) > 10
    for name, value in offered:
        kept = varied.post("/api/v1/search", json={"where": value["term"]}).json()["searched"]
        assert kept == value["count"], (name, value)


def test_years_are_sorted_and_folder_labels_are_short(varied: TestClient) -> None:
    facets = varied.get("/api/v1/facets").json()["facets"]
    assert [(value["label"], value["count"]) for value in facets["year"]] == [("2022", 2), ("2021", 1)]
    labels = [value["label"] for value in facets["folder"]]
    assert labels == ["album", 'trips "one"', "more", 'trips "one"/in*it']


def test_where_narrows_the_counts(varied: TestClient) -> None:
    data = varied.get("/api/v1/facets", params={"where": "year:2022"}).json()
    assert data["count"] == 2
    assert {value["value"] for value in data["facets"]["camera"]} == {"Odd", "Odd (or not)"}


def test_filters_in_the_query_narrow_the_counts(varied: TestClient) -> None:
    for params in ({"query": "a dog year:2022"}, {"query": "year:2022 dogs -people", "where": "camera:odd"}):
        assert varied.get("/api/v1/facets", params=params).json()["count"] == 2
    data = varied.get("/api/v1/facets", params={"query": "year:2022 camera:=Odd", "where": "year:2021"})
    assert data.json()["count"] == 0
    assert varied.get("/api/v1/facets", params={"query": '"a dog'}).status_code == 400


def test_many_folders_are_counted_quickly() -> None:
    counts = [Facet(f"/home/me/{number % 50}/{number}", 2) for number in range(5_000)]
    started = process_time()
    found = folders([*counts, Facet("/home/me", 1), Facet("/home/me/7", 3)])
    assert process_time() - started < 2  # comparing each with each would take half a minute
    assert [(each.label, each.count) for each in found[:3]] == [("me", 10_004), ("7", 203), ("0/0", 2)]


def test_folders_of_several_disks_are_told_apart_by_the_names_of_their_roots() -> None:
    counts = [Facet("/home/me/Pictures/2023/Rome", 3), Facet("/home/me/Pictures", 1), Facet("/mnt/disk/old/scans", 2)]
    roots = [Path("/home/me/Pictures"), Path("/mnt/disk/old")]
    assert {each.label for each in folders(counts, roots)} == {"Pictures", "Pictures/2023/Rome", "old/scans"}


def test_folders_of_roots_of_one_name_keep_the_rest_of_their_paths() -> None:
    counts = [Facet("/home/me/Pictures/a", 2), Facet("/mnt/Pictures/a", 1)]
    roots = [Path("/home/me/Pictures"), Path("/mnt/Pictures")]
    assert [each.label for each in folders(counts, roots)] == ["home/me/Pictures/a", "mnt/Pictures/a"]


def test_where_rejects_query_text(client: TestClient) -> None:
    answer = client.get("/api/v1/facets", params={"where": "a dog"})
    assert (answer.status_code, answer.json()["title"]) == (400, "InvalidQuery")


@pytest.mark.parametrize("quote", ['"', "\\", '\\"', "a or b", "(", ")", "-x", "=="])
def test_facet_terms_are_quoted(quote: str) -> None:
    from search.query_language import parse
    from store.filters.conditions import FieldTest

    condition = parse(term("camera", quote)).where
    assert isinstance(condition, FieldTest)
    assert condition.value == quote


def test_counts_are_cached_until_the_library_changes(
    client: TestClient, indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[Condition | None] = []

    def counting(library: Library, condition: Condition | None, facets: Sequence[str]) -> Facets:
        counted.append(condition)
        return count_facets(library, condition, facets)

    monkeypatch.setattr("web.api.facets.count_facets", counting)
    tagged = client.post("/api/v1/search", json={"query": "red", "k": 1}).json()["hits"][0]["id"]
    for _ in range(3):
        assert client.get("/api/v1/facets").json()["facets"]["tag"] == []
        assert client.get("/api/v1/facets", params={"where": "name:red*"}).json()["count"] == 1
    assert len(counted) == 2
    assert client.post("/api/v1/tags", json={"tag": "warm", "pictures": [tagged]}).is_success
    assert [tag["value"] for tag in client.get("/api/v1/facets").json()["facets"]["tag"]] == ["warm"]
    forget(indexed, album / "red.png")  # as another process would
    assert client.get("/api/v1/facets").json()["count"] == 3
    assert len(counted) == 4
