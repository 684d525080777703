"""The JSON of Google Takeout."""
# ruff: noqa: DTZ001  (dates without a zone are meant)

import contextlib
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PictureUndecodable
from core.metadata import DateSource, Person, PhotoMetadata
from pictures.metadata.face_regions import Orientation
from pictures.metadata.sidecar_files import read_sidecars
from pictures.metadata.takeout import MAX_TAKEOUT_BYTES, read_takeout


def takeout(**fields: object) -> bytes:
    return json.dumps({"geoData": {"latitude": 0.0, "longitude": 0.0}, **fields}).encode()


def test_read_takeout() -> None:
    data = takeout(
        title="IMG_1.jpg",
        description="Anna &amp; Ben&#39;s harbour",
        photoTakenTime={"timestamp": "1258375918", "formatted": "16.11.2009, 12:51:58 UTC"},
        creationTime={"timestamp": "1600000000"},
        geoData={"latitude": 30.6578, "longitude": 104.0739, "altitude": 0.0},
        people=[{"name": "Anna"}, {"name": ""}, {}, "Ben", {"name": "Ben Berg"}],
        favorited=True,
    )
    expected = PhotoMetadata(
        taken_at=datetime(2009, 11, 16, 12, 51, 58),
        utc_offset=0,
        date_source=DateSource.RECORDED,
        latitude=30.6578,
        longitude=104.0739,
        description="Anna & Ben's harbour",
        people=(Person("Anna"), Person("Ben Berg")),
    )
    assert read_takeout(data) == expected
    assert read_takeout(b"\xef\xbb\xbf" + data) == expected
    assert read_takeout(data.decode().encode("utf-16")) == expected


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [("-86400", datetime(1969, 12, 31)), (1, datetime(1970, 1, 1, 0, 0, 1)), ("0", None), ("", None), ("1e99", None)],
)
def test_times_before_1970_and_unknown_ones(timestamp: object, moment: datetime | None) -> None:
    assert read_takeout(takeout(photoTakenTime={"timestamp": timestamp})).taken_at == moment


@pytest.mark.parametrize(
    ("fields", "position"),
    [
        ({"geoDataExif": {"latitude": 1.5, "longitude": -2.5}}, (1.5, -2.5)),
        ({"geoData": {"latitude": 91, "longitude": 0}}, (None, None)),
        ({"geoData": {"latitude": "NaN", "longitude": 1}}, (None, None)),
        ({"geoData": {"latitude": True, "longitude": 1}}, (None, None)),
        ({"geoData": {"latitude": 1}}, (None, None)),
        ({"geoData": [1, 2], "photoTakenTime": {}}, (None, None)),
    ],
)
def test_positions(fields: dict[str, object], position: tuple[float | None, float | None]) -> None:
    metadata = read_takeout(takeout(**fields))
    assert (metadata.latitude, metadata.longitude) == position


def test_a_title_that_was_given_is_kept() -> None:
    assert read_takeout(takeout(title="Ben &lt;3 Anna")).title == "Ben <3 Anna"
    assert read_takeout(takeout(title="a.b.jpeg")).title is None
    assert read_takeout(takeout(title="The end. Of it")).title == "The end. Of it"
    assert read_takeout(takeout(title=["x"])).title is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"photoTakenTime"',
        b'{"title": "a.jpg"}',
        b'{"photoTakenTime": 5}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b'{"photoTakenTime": {"timestamp": "1"}, "x": "' + b" " * MAX_TAKEOUT_BYTES + b'"}',
    ],
    ids=range(9),
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(PictureUndecodable):
        read_takeout(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["title", "description", "photoTakenTime", "geoData", "people"])
OBJECTS = st.dictionaries(st.sampled_from(["timestamp", "latitude", "longitude", "name"]), JSON, max_size=3)


@given(st.dictionaries(KEYS, OBJECTS | JSON | st.lists(OBJECTS, max_size=2)))
def test_any_values_raise_only_picture_errors(record: dict[str, object]) -> None:
    with contextlib.suppress(PictureUndecodable):
        read_takeout(json.dumps(record).encode())


LONG = "Backyard_ceremony_wedding_photography_xxxxxxx_"


@pytest.mark.parametrize(
    ("title", "picture"),
    [
        (f"{LONG}one.jpg", f"{LONG}one.jpg"),
        (f"{LONG}one.JPEG", f"{LONG}one.jpg"),
        (f"{LONG}one.jpg", f"{LONG}one(2).jpg"),
        (f"{LONG}one.jpg", f"{LONG}one-edited.jpg"),
        (f"{LONG}one.jpg", f"{LONG}one-bearbeitet(1).jpg"),
        (f"{LONG}one and much more.jpg", f"{LONG}one.jpg"),
        (f"{LONG}one&amp;two?.jpg", f"{LONG}one_two_.jpg"),
        (f"{LONG}é.jpg", f"{LONG}e\u0301.jpg"),
        (f"{LONG}one", f"{LONG}one.jpg"),
    ],
)
def test_titles_name_their_pictures(title: str, picture: str) -> None:
    assert read_takeout(takeout(title=title), picture) == PhotoMetadata(
        title=None if title.endswith(("jpg", "JPEG")) else title
    )


@pytest.mark.parametrize(
    ("title", "picture"),
    [
        (f"{LONG}one.jpg", f"{LONG}two.jpg"),
        (f"{LONG}1.jpg", f"{LONG}10.jpg"),
        (f"{LONG}one.jpg", f"{LONG}one.png"),
        ("two.jpg", f"{LONG}two.jpg"),
        (f"{LONG}one.jpg", "Backyard.jpg"),
    ],
)
def test_files_of_other_pictures_are_refused(title: str, picture: str) -> None:
    with pytest.raises(PictureUndecodable, match="another picture"):
        read_takeout(takeout(title=title), picture)
    assert read_takeout(takeout(title=title)) == PhotoMetadata()


def test_only_cut_names_of_files_are_compared_with_titles() -> None:
    data = takeout(title="other.jpg", description="a harbour")
    for name, description in ((f"{LONG}.json", None), ("short.jpg.json", "a harbour")):
        found = read_sidecars([(name.encode(), data)], Orientation, f"{LONG}one.jpg")
        assert found.takeout.description == description
