"""Filters and facets of people and places: by whole words, from files, and from a gazetteer where files name none."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from core.errors import InvalidQuery
from core.metadata import Area, Person
from encoders.fake import FakeEncoder
from indexer import index
from search.filters import field_condition, parse_where
from store import Library
from store.catalog.tables import Content
from store.filters.conditions import Condition, FieldTest, Op
from store.filters.facets import Facet, count_facets
from store.filters.selection import matching_ids
from store.people import people_of, set_people
from store.places import Place, UnplacedContent, record_places
from store.queries import load_content_records
from store.tags import Tagging, add_tags

PEOPLE: dict[int, Sequence[str]] = {1: ["Anna Berg", "Ben"], 2: ["ANNA BERG"], 3: ["Annabel Tal"], 4: ["Élodie"], 5: []}
PLACES = {
    1: {"city": "Rome", "country": "Italy"},
    2: {"sublocation": "Central Park", "city": "New York", "region": "New York", "country": "USA"},
    3: {"country": "Italy"},
}
ROME = Place(7, "Roma", "Lazio", "Italien", "IT", frozenset({"Roma", "Rome", "罗马", "Lazio", "Italien", "Italy"}))
LYON = Place(8, "Lyon", None, "France", "FR", frozenset({"Lyon", "Lugdunum", "France"}))


@pytest.fixture
def pictures(library: Library, tmp_path: Path, encoder: FakeEncoder) -> Library:
    """Six pictures with people and places. The gazetteer knows those of the first, the fourth and the fifth."""
    folder = tmp_path / "all"
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (8, 8), (number * 40, 0, 0)).save(folder / f"{number}.png")
    index(library, folder, encoder)
    with library.transaction() as connection:
        set_people(connection, {key: [Person(name) for name in names] for key, names in PEOPLE.items()})
        for content_id, values in PLACES.items():
            connection.execute(update(Content).where(Content.id == content_id).values(**values))
    with library.exclusive() as writer:
        page = [UnplacedContent(content_id, 1.0, 2.0) for content_id in (1, 4, 5)]
        record_places(writer, "gazetteer", page, {1: LYON, 4: ROME, 5: LYON})
    return library


def found(library: Library, condition: Condition) -> list[int]:
    return sorted(matching_ids(library, condition))


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("Anna", [1, 2]),
        ("anna berg", [1, 2]),
        ("Berg", [1, 2]),
        ("Anna*", [1, 2, 3]),
        ("=Anna Berg", [1, 2]),
        ("=Anna", []),
        ("e\u0301lodie", [4]),
        ("elodie", []),
        ("?en", [1]),
        ("Zoe", []),
    ],
)
def test_people_are_found_by_whole_words(pictures: Library, value: str, ids: list[int]) -> None:
    assert found(pictures, field_condition("person", value)) == ids
    assert found(pictures, parse_where(f"-person:{value}")) == sorted({1, 2, 3, 4, 5, 6} - {*ids})


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("place:Rome", [1, 4]),
        ("place:罗马", [4]),
        ("place:Lazio", [4]),
        ("place:Italy", [1, 3, 4]),
        ("place:York", [2]),
        ("place:Central Park", [2]),
        ("place:Lug*", [5]),  # not the first: its file names another place
        ("place:Lyon", [5]),
        ("place=Lyon", [5]),
        ("place:New", [2]),
        ("city:Roma", [4]),
        ("city:Rome", [1]),
        ("city:Lazio", []),
        ("region:Lazio", [4]),
        ("country:Ital*", [1, 3, 4]),
        ("country=italy", [1, 3]),
        ("has:place", [1, 2, 3, 4, 5]),
        ("-has:place", [6]),
        ("has:person", [1, 2, 3, 4]),
    ],
)
def test_places_are_found_by_their_names(pictures: Library, condition: str, ids: list[int]) -> None:
    assert found(pictures, parse_where(condition)) == ids


def test_facets_of_people_and_places(pictures: Library) -> None:
    facets = count_facets(pictures, None, ("person", "country", "city")).counts
    assert {each.value: each.pictures for each in facets["person"]} == {
        "ANNA BERG": 2,
        "Annabel Tal": 1,
        "Ben": 1,
        "Élodie": 1,
    }
    assert facets["country"] == (
        Facet("Italy", 2),
        Facet("France", 1),
        Facet("Italien", 1),
        Facet("USA", 1),
        Facet(None, 1),
    )
    assert {each.value: each.pictures for each in facets["city"]} == {
        "Rome": 1, "New York": 1, "Roma": 1, "Lyon": 1, None: 2,
    }  # fmt: skip
    kept = count_facets(pictures, field_condition("person", "Ben"), ("person", "city")).counts
    assert kept == {"person": (Facet("Anna Berg", 1), Facet("Ben", 1)), "city": (Facet("Rome", 1),)}


def test_records_have_people_and_one_place(pictures: Library) -> None:
    records = load_content_records(pictures, range(1, 7))
    names = {key: (record.city, record.region, record.country) for key, record in records.items()}
    assert names == {
        1: ("Rome", None, "Italy"),
        2: ("New York", "New York", "USA"),
        3: (None, None, "Italy"),
        4: ("Roma", "Lazio", "Italien"),
        5: ("Lyon", None, "France"),
        6: (None, None, None),
    }
    assert records[2].sublocation == "Central Park"
    assert [person.name for person in records[1].people] == ["Anna Berg", "Ben"]


def test_people_are_replaced_with_their_areas(pictures: Library) -> None:
    area = Area(0.1, 0.2, 0.3, 0.4)
    with pictures.transaction() as connection:
        set_people(connection, {1: [Person(" Cleo\n", area), Person("CLEO"), Person("\0")]})
        assert people_of(connection, [1, 2, 6]) == {1: (Person("Cleo", area),), 2: (Person("ANNA BERG"),)}


def test_people_and_places_allow_no_other_tests(pictures: Library) -> None:
    for field in ("person", "place", "city"):
        for op, value in ((Op.LT, "a"), (Op.EQ, 5), (Op.EXISTS, "a"), (Op.WORDS, ("a", "b"))):
            with pytest.raises(InvalidQuery):
                matching_ids(pictures, FieldTest(field, op, value))
    with pytest.raises(InvalidQuery):
        matching_ids(pictures, FieldTest("title", Op.WORDS, "a"))


def test_people_are_found_as_tags_too(pictures: Library) -> None:
    add_tags(pictures, [Tagging(6, "Anna Berg"), Tagging(5, "People/Ben")])
    assert found(pictures, field_condition("tag", "anna berg")) == [1, 2, 6]
    assert found(pictures, field_condition("tag", "Anna*")) == [1, 2, 3, 6]
    assert found(pictures, field_condition("tag", "Anna")) == []
    assert found(pictures, parse_where("-tag:Anna Berg")) == [3, 4, 5]
    assert found(pictures, parse_where("has:tag")) == [5, 6]
    assert found(pictures, parse_where("person:Ben")) == [1]
