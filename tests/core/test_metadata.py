"""Merging metadata, and its path to the catalogue: a new field must not get lost between the reader and the column."""

from dataclasses import fields
from datetime import datetime

from core.metadata import MAX_KEYWORDS, Area, DateSource, Person, PhotoMetadata, merge_metadata
from store.catalog.tables import Content


def test_earlier_source_takes_precedence() -> None:
    xmp = PhotoMetadata(rating=0, title="XMP")
    iptc = PhotoMetadata(rating=3, title="IPTC", description="IPTC")
    exif = PhotoMetadata(rating=5, description="EXIF", iso=100)
    assert merge_metadata(xmp, iptc, exif) == PhotoMetadata(rating=0, title="XMP", description="IPTC", iso=100)


def test_keywords_of_all_sources_are_united() -> None:
    merged = merge_metadata(PhotoMetadata(keywords=("a", "b")), PhotoMetadata(keywords=("c", "a")))
    assert merged.keywords == ("a", "b", "c")


def test_number_of_keywords_is_limited() -> None:
    sources = [PhotoMetadata(keywords=tuple(f"{source}-{number}" for number in range(800))) for source in range(2)]
    assert len(merge_metadata(*sources).keywords) == MAX_KEYWORDS


def test_the_most_trusted_kind_of_date_is_taken_with_its_time_zone() -> None:
    scanned = PhotoMetadata(taken_at=datetime(2019, 1, 2), date_source=DateSource.DIGITIZED, utc_offset=60)  # noqa: DTZ001
    taken = PhotoMetadata(taken_at=datetime(1974, 7, 8), date_source=DateSource.ORIGINAL)  # noqa: DTZ001
    assert merge_metadata(scanned, taken) == taken
    assert merge_metadata(scanned, PhotoMetadata()) == scanned


def test_names_of_a_place_are_not_mixed() -> None:
    merged = merge_metadata(PhotoMetadata(city="Paris"), PhotoMetadata(city="Austin", country="USA"))
    assert (merged.city, merged.country) == ("Paris", None)


def test_a_person_of_two_sources_has_the_first_known_area() -> None:
    area = Area(0.1, 0.2, 0.3, 0.4)
    merged = merge_metadata(
        PhotoMetadata(people=(Person("Anna"), Person("Ben"))), PhotoMetadata(people=(Person("ANNA", area),))
    )
    assert merged.people == (Person("Anna", area), Person("Ben"))


def test_every_other_field_is_a_column_of_contents() -> None:
    columns = set(Content.__table__.columns.keys())
    assert {field.name for field in fields(PhotoMetadata)} - columns == {"keywords", "people"}
