"""Looking up places in an index run: what is looked up, when again, and what is stored."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import delete, func, select, update

import indexer.places
from encoders.fake import FakeEncoder
from indexer import index
from indexer.places import update_places
from search.filters import parse_where
from store import Library
from store.catalog.tables import Content, ContentPlace, NamedPlace, PlaceName, PlaceRow
from store.filters.selection import matching_ids
from store.places import CityName, Place

ROME = Place(1, "Rome", "Lazio", "Italy", "IT", frozenset({"Rome", "Rom", "ROMA", "roma", "Italy"}))


class TwoPlaces:
    """Rome in the north, nothing in the south. Counts the positions that it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def nearest(self, positions: Sequence[tuple[float, float]]) -> list[Place | None]:
        self.asked += len(positions)
        return [ROME if latitude > 0 else None for latitude, _ in positions]

    def named(self, names: Collection[CityName]) -> dict[CityName, Place | None]:
        return {name: ROME if name.city in ("Rom", "Roma") and name.country != "USA" else None for name in names}


@pytest.fixture
def gazetteer(monkeypatch: pytest.MonkeyPatch) -> TwoPlaces:
    fake = TwoPlaces()
    monkeypatch.setattr(indexer.places, "gazetteer_is_installed", lambda: True)
    monkeypatch.setattr(indexer.places, "gazetteer_name", lambda: "fake 1")
    monkeypatch.setattr(indexer.places, "load_gazetteer", lambda: fake)
    return fake


@pytest.fixture
def located(library: Library, tmp_path: Path, encoder: FakeEncoder, gazetteer: TwoPlaces) -> Library:
    """A picture in Rome, one at sea, and one without a position."""
    folder = tmp_path / "located"
    folder.mkdir()
    for number, hemisphere in enumerate("NS "):
        exif = Image.Exif()
        if hemisphere != " ":
            exif.get_ifd(0x8825).update({1: hemisphere, 2: (41.0, 53.0, 0.0), 3: "E", 4: (12.0, 29.0, 0.0)})
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number}.jpg", exif=exif)
    index(library, folder, encoder)
    return library


def places(library: Library) -> dict[int, str | None]:
    statement = select(ContentPlace.content_id, PlaceRow.city).outerjoin(PlaceRow)
    with library.read() as connection:
        return {row.content_id: row.city for row in connection.execute(statement)}


def test_every_position_is_looked_up_once(located: Library, gazetteer: TwoPlaces) -> None:
    assert places(located) == {1: "Rome", 2: None}
    assert update_places(located) == 0
    assert gazetteer.asked == 2


def test_equal_names_are_stored_once(located: Library) -> None:
    with located.read() as connection:
        assert set(connection.execute(select(PlaceName.key)).scalars()) == {"rome", "rom", "roma", "italy"}


def test_changed_position_is_looked_up_again(located: Library, gazetteer: TwoPlaces) -> None:
    with located.transaction() as connection:
        connection.execute(update(Content).where(Content.id == 2).values(latitude=1.0))
    assert update_places(located) == 1
    assert places(located) == {1: "Rome", 2: "Rome"}
    assert gazetteer.asked == 3


def test_newer_data_replaces_places_and_their_names(located: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    class Renamed(TwoPlaces):
        def nearest(self, positions: Sequence[tuple[float, float]]) -> list[Place | None]:
            return [Place(1, "Roma", None, "Italia", "IT", frozenset({"Roma"})) for _ in positions]

    monkeypatch.setattr(indexer.places, "gazetteer_name", lambda: "fake 2")
    monkeypatch.setattr(indexer.places, "load_gazetteer", Renamed)
    assert update_places(located) == 2
    assert places(located) == {1: "Roma", 2: "Roma"}
    with located.read() as connection:
        assert connection.execute(select(PlaceName.key)).scalars().all() == ["roma"]


def test_nothing_is_looked_up_without_the_extra(
    library: Library, tmp_path: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, located: Library
) -> None:
    with located.transaction() as connection:
        connection.execute(delete(ContentPlace))
    monkeypatch.setattr(indexer.places, "gazetteer_is_installed", lambda: False)
    assert update_places(located) == 0
    assert places(located) == {}


def test_cities_that_files_name_are_found_by_their_other_names(located: Library, gazetteer: TwoPlaces) -> None:
    named = {1: ("Roma", "Italia"), 2: ("Rom", None), 3: ("Rom", "USA")}
    with located.transaction() as connection:
        for content, (city, country) in named.items():
            connection.execute(update(Content).where(Content.id == content).values(city=city, country=country))
    update_places(located)

    def found(query: str) -> list[int]:
        return sorted(matching_ids(located, parse_where(query)))

    assert found("place:Rome") == [1, 2]
    assert found("place:Rom") == [1, 2, 3]  # the third file names this city itself
    assert found("city:Rome") == [1, 2]
    assert found("country:Italy") == [1, 2]
    assert found("region:Lazio") == [1, 2]
    with located.read() as connection:
        assert connection.scalar(select(func.count()).select_from(NamedPlace)) == 3
    with located.transaction() as connection:
        connection.execute(update(Content).where(Content.id == 2).values(city=None))
    update_places(located)
    assert found("place:Rome") == [1]
