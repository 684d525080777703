"""Facts of sidecars: how they are stored, and merged with those of a file, of its copies and of its name."""
# ruff: noqa: DTZ001  (local times are meant)

import json
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from core.metadata import Area, DateSource, Person, PhotoMetadata, merge_metadata
from store.ingest.sidecar_facts import SidecarFacts, merge_facts, pack_facts, unpack_facts

NONE = PhotoMetadata()
SHARES = st.floats(0, 1)
PEOPLE = st.builds(Person, st.text(min_size=1, max_size=5), st.none() | st.builds(Area, SHARES, SHARES, SHARES, SHARES))
TEXTS = st.none() | st.text(min_size=1, max_size=5)
UNDATED = st.builds(
    PhotoMetadata,
    camera=TEXTS,
    lens=TEXTS,
    latitude=st.none() | st.floats(-90, 90),
    iso=st.none() | st.integers(1, 10**6),
    title=TEXTS,
    description=TEXTS,
    keywords=st.lists(st.text(min_size=1, max_size=3), max_size=2).map(tuple),
    people=st.lists(PEOPLE, max_size=3, unique_by=lambda person: person.name.casefold()).map(tuple),
    city=TEXTS,
    country=TEXTS,
)
DATED = st.builds(
    lambda metadata, moment, source, offset: merge_metadata(
        metadata, PhotoMetadata(taken_at=moment, date_source=source, utc_offset=offset)
    ),
    UNDATED,
    st.datetimes(),
    st.sampled_from(DateSource),
    st.none() | st.integers(-720, 840),
)


@given(UNDATED | DATED, UNDATED | DATED)
def test_facts_survive_storing(replacing: PhotoMetadata, filling: PhotoMetadata) -> None:
    facts = SidecarFacts(replacing, filling)
    packed = pack_facts(facts)
    assert unpack_facts(json.loads(json.dumps(packed or {}))) == facts
    assert (packed is None) == (facts == SidecarFacts())


def at(source: DateSource, *moment: int, offset: int | None = None) -> PhotoMetadata:
    year, month, day, *time = moment
    return PhotoMetadata(taken_at=datetime(year, month, day, *time), date_source=source, utc_offset=offset)  # type: ignore[arg-type]


def facts(xmp: PhotoMetadata = NONE, takeout: PhotoMetadata = NONE) -> SidecarFacts:
    return SidecarFacts.of(xmp, takeout)


def test_values_of_the_picture_itself_are_not_facts_of_its_content() -> None:
    xmp = PhotoMetadata(title="t", description="d", rating=5, keywords=("k",))
    assert facts(xmp) == SidecarFacts()
    assert facts(NONE, xmp) == SidecarFacts(filling=xmp)


def test_the_date_of_a_sidecar_replaces_that_of_the_file() -> None:
    file = at(DateSource.ORIGINAL, 2024, 1, 1, 10)
    for kind in (DateSource.ORIGINAL, DateSource.DIGITIZED):
        said = at(kind, 2019, 10, 8, 6)
        assert merge_facts(file, [facts(said)], NONE) == said
    assert merge_facts(file, [facts(at(DateSource.MODIFIED, 2025, 1, 1))], NONE) == file


def test_a_mere_day_in_a_sidecar_keeps_the_time_of_the_same_day() -> None:
    file = at(DateSource.ORIGINAL, 2019, 10, 8, 6, 59, offset=120)
    assert merge_facts(file, [facts(at(DateSource.ORIGINAL, 2019, 10, 8))], NONE) == file
    other = at(DateSource.ORIGINAL, 2019, 10, 9)
    assert merge_facts(file, [facts(other)], NONE) == other


def test_takeout_fills_gaps_only() -> None:
    takeout = merge_metadata(
        at(DateSource.RECORDED, 2009, 11, 16, 12, offset=0),
        PhotoMetadata(latitude=1.0, longitude=2.0, description="said there", people=(Person("Anna"),)),
    )
    assert merge_facts(NONE, [facts(NONE, takeout)], at(DateSource.NAME, 2010, 1, 1)) == takeout
    file = merge_metadata(
        at(DateSource.DIGITIZED, 2008, 1, 1), PhotoMetadata(latitude=3.0, longitude=4.0, description="said here")
    )
    merged = merge_facts(file, [facts(NONE, takeout)], NONE)
    assert merged == merge_metadata(file, PhotoMetadata(people=(Person("Anna"),)))


def test_the_name_is_the_last_resort() -> None:
    name = at(DateSource.NAME, 2010, 1, 1)
    assert merge_facts(NONE, [], name) == name
    for kind in DateSource:
        file = at(kind, 2008, 1, 1, 5)
        assert merge_facts(file, [], name) == file


def test_the_first_copy_wins() -> None:
    first, second = PhotoMetadata(city="Rome", camera="A"), PhotoMetadata(city="Paris", lens="B")
    merged = merge_facts(PhotoMetadata(camera="C"), [facts(first), facts(second)], NONE)
    assert (merged.city, merged.camera, merged.lens) == ("Rome", "A", "B")
