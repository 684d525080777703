"""Merging metadata, and its path to the catalogue: a new field must not get lost between the reader and the column."""

from dataclasses import fields

from core.metadata import MAX_KEYWORDS, PhotoMetadata, merge_metadata
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


def test_every_field_but_keywords_is_a_column_of_contents() -> None:
    columns = set(Content.__table__.columns.keys())
    assert {field.name for field in fields(PhotoMetadata)} - columns == {"keywords"}
