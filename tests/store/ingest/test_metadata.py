"""Writing metadata to the catalogue: every field reaches its column."""

from datetime import datetime

from core.metadata import METADATA_VERSION, DateSource, Person, PhotoMetadata
from store.ingest.metadata import content_columns

METADATA = PhotoMetadata(
    taken_at=datetime(2021, 5, 9, 19, 30),  # noqa: DTZ001 (local time is meant)
    camera="Canon EOS 5D",
    lens="EF50mm f/1.8",
    latitude=1.5,
    longitude=2.5,
    focal_length=50.0,
    aperture=1.8,
    exposure=0.004,
    iso=400,
    rating=4,
    title="Title",
    description="Description",
    utc_offset=120,
    date_source=DateSource.ORIGINAL,
    sublocation="Prater",
    city="Wien",
    region="Wien",
    country="Austria",
    duration=2.5,
    people=(Person("Anna"),),
    keywords=("keyword",),
)


def test_every_field_becomes_a_column_value() -> None:
    expected = {**vars(METADATA), "facts_version": METADATA_VERSION}
    del expected["keywords"], expected["people"]  # rows of their own
    assert None not in expected.values()
    assert content_columns(METADATA) == expected


def test_texts_become_clean_single_lines() -> None:
    values = content_columns(PhotoMetadata(title=" two\nlines ", description="\0"))
    assert (values["title"], values["description"]) == ("two lines", None)


def test_names_of_places_have_no_control_characters() -> None:
    values = content_columns(PhotoMetadata(city="Ro\x1b[31mme\n", region="\x07", country="It\x9baly"))
    assert (values["city"], values["region"], values["country"]) == ("Ro [31mme", None, "It aly")
