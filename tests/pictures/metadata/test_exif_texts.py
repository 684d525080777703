"""Texts, exposures and lenses in EXIF, in the forms that cameras, phones and Windows write."""
# ruff: noqa: DTZ001  (local times are meant)

import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from core.metadata import DateSource
from pictures.metadata.exif import read_exif
from tests.pictures.metadata.test_exif import exif

MAKE, MODEL, DESCRIPTION, DATE = 0x010F, 0x0110, 0x010E, 0x0132
XP_TITLE, XP_COMMENT, XP_KEYWORDS, XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F
USER_COMMENT, TAKEN, DIGITIZED = 0x9286, 0x9003, 0x9004
OFFSET, OFFSET_TAKEN, OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
F_NUMBER, EXPOSURE, APERTURE_VALUE, SHUTTER_SPEED_VALUE = 0x829D, 0x829A, 0x9202, 0x9201
LENS_SPECIFICATION, LENS_MAKE, LENS_MODEL = 0xA432, 0xA433, 0xA434


def windows(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le")


def test_texts_of_windows() -> None:
    block = exif(
        {
            XP_TITLE: windows("Sunset"),
            DESCRIPTION: "Sunset",  # Windows writes its title into both
            XP_COMMENT: tuple(windows("A comment")),
            XP_KEYWORDS: windows("castle; knight;castle;;"),
            XP_SUBJECT: windows("A subject"),
        }
    )
    metadata = read_exif(block)
    assert (metadata.title, metadata.description) == ("Sunset", "A comment")
    assert metadata.keywords == ("castle", "knight")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"ASCII\0\0\0a user comment", "a user comment"),
        (b"ASCII\0\0\0" + "Größe".encode(), "Größe"),
        (b"\0" * 8 + b"a comment\0\0\0", "a comment"),
        (b"\0" * 8 + b" " * 50, None),
        (b"UNICODE\0" + "Zürich".encode("utf-16-le"), "Zürich"),
        (b"UNICODE\0" + "Zürich".encode("utf-16-be"), "Zürich"),
        (b"UNICODE\0" + "Zürich".encode("utf-16"), "Zürich"),
        (b"Unicode\0" + "a river".encode("utf-16-be"), "a river"),
        (b"JIS\0\0\0\0\0" + "日本".encode("iso2022_jp"), "日本"),
        (b"plain text without a prefix", "plain text without a prefix"),
        (b"ASCII\0\0\0", None),
        (b"", None),
        ("a text", "a text"),
        (7, None),
    ],
)
def test_user_comments_in_any_character_set(value: object, text: str | None) -> None:
    assert read_exif(exif(details={USER_COMMENT: value})).description == text


def test_descriptions_in_utf8_are_not_garbled() -> None:
    """Pillow decodes texts as Latin-1."""
    assert read_exif(exif({DESCRIPTION: "Größe".encode().decode("latin-1")})).description == "Größe"
    assert read_exif(exif({DESCRIPTION: "Größe"})).description == "Größe"


@pytest.mark.parametrize(
    "text",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "Minolta DSC",
        "KONICA MINOLTA DIGITAL CAMERA",
        "DCIM",
        "DCIM\\100MEDIA\\DJI_0001.JPG",
        "default",
        "<Digimax S500 / Kenox S500 / Digimax Cyber 530>",
        "LEAD Technologies Inc. V1.01",
        "IMG_1234.JPG",
        "  -  ",
        "FinePix X100",  # the name of the camera
    ],
)
def test_boilerplate_is_left_out(text: str) -> None:
    block = exif({DESCRIPTION: text, MODEL: "FinePix X100"}, {USER_COMMENT: b"ASCII\0\0\0Anna"})
    assert read_exif(block).description == "Anna"


@pytest.mark.parametrize(("stop", "nominal"), [(0, 1.0), (3, 2.8), (5, 5.6), (7, 11.0), (2.97, 2.8), (9, 22.0)])
def test_apertures_in_apex_units_get_their_usual_number(stop: float, nominal: float) -> None:
    assert read_exif(exif(details={APERTURE_VALUE: stop})).aperture == nominal


def test_exposures_in_apex_units() -> None:
    assert read_exif(exif(details={SHUTTER_SPEED_VALUE: 5.0})).exposure == 1 / 32
    assert read_exif(exif(details={SHUTTER_SPEED_VALUE: IFDRational(-2, 1)})).exposure == 4
    both = {SHUTTER_SPEED_VALUE: 5.0, EXPOSURE: IFDRational(1, 30), APERTURE_VALUE: 5.0, F_NUMBER: IFDRational(28, 10)}
    metadata = read_exif(exif(details=both))
    assert (metadata.exposure, metadata.aperture) == (0.0333333, 2.8)


@given(st.floats() | st.integers())
def test_absurd_apex_values_are_ignored(value: float) -> None:
    metadata = read_exif(exif(details={SHUTTER_SPEED_VALUE: value, APERTURE_VALUE: value, F_NUMBER: 0}))
    assert metadata.exposure is None or 1e-6 <= metadata.exposure <= 1e7
    assert metadata.aperture is None or 0.1 <= metadata.aperture <= 1_000


@pytest.mark.parametrize(
    ("details", "lens"),
    [
        ({LENS_SPECIFICATION: (24.0, 70.0, 2.8, 2.8)}, "24-70mm f/2.8"),
        ({LENS_SPECIFICATION: (18.0, 55.0, 3.5, 5.6)}, "18-55mm f/3.5-5.6"),
        ({LENS_SPECIFICATION: (50.0, 50.0, 1.8, 1.8), LENS_MAKE: "Zeiss"}, "Zeiss 50mm f/1.8"),
        ({LENS_SPECIFICATION: (70.0, 200.0, IFDRational(0, 0), IFDRational(0, 0))}, "70-200mm"),
        ({LENS_SPECIFICATION: (0.0, 0.0, 0.0, 0.0)}, None),
        ({LENS_SPECIFICATION: (math.nan,) * 4}, None),
        ({LENS_SPECIFICATION: "24-70"}, None),
        ({LENS_MODEL: "EF24-70mm", LENS_SPECIFICATION: (24.0, 70.0, 2.8, 2.8)}, "EF24-70mm"),
        ({LENS_MODEL: "----", LENS_SPECIFICATION: (24.0, 70.0, 2.8, 2.8)}, "24-70mm f/2.8"),
        ({LENS_MODEL: "0.0 mm f/0.0"}, None),
        ({LENS_MODEL: "Unknown (0) 35mm"}, None),
    ],
)
def test_lenses_by_their_numbers(details: dict[int, object], lens: str | None) -> None:
    assert read_exif(exif(details=details)).lens == lens


def test_time_zones_belong_to_their_date() -> None:
    text = "2019:10:08 06:59:43"
    assert read_exif(exif(details={TAKEN: text, OFFSET_TAKEN: "+02:00"})).utc_offset == 120
    assert read_exif(exif(details={TAKEN: text, OFFSET_DIGITIZED: "+02:00"})).utc_offset is None
    # the same clock, and its zone is with another date
    assert read_exif(exif({DATE: text}, {TAKEN: text, OFFSET: "-05:00"})).utc_offset == -300
    digitized = read_exif(exif({DATE: "2020:01:01 00:00:00"}, {DIGITIZED: text, OFFSET: "-05:00"}))
    assert (digitized.utc_offset, digitized.date_source) == (None, DateSource.DIGITIZED)
    assert digitized.taken_at == datetime(2019, 10, 8, 6, 59, 43)


@pytest.mark.parametrize(
    ("gps", "position"),
    [
        ((IFDRational(48, 1), IFDRational(8220, 1000), IFDRational(0, 0)), 48.137),
        ((IFDRational(48137000, 1000000), IFDRational(0, 0), IFDRational(0, 0)), 48.137),
        ((IFDRational(48137000, 1000000),), 48.137),
        (IFDRational(48137000, 1000000), 48.137),
        ((48.0, 7.0, 60.0), 48 + 8 / 60),
        ((48.0, 8.0, 75.0), 48 + 8 / 60),  # the seconds are dropped
        ((48.0, math.nan, 0.0), None),  # a whole degree is no place
        ((math.nan, 8.0, 13.0), None),
    ],
)
def test_a_bad_component_does_not_void_a_position(gps: object, position: float | None) -> None:
    metadata = read_exif(exif(gps={1: "N", 2: gps, 3: "E", 4: (11.0, 34.0, 30.0)}))
    assert metadata.latitude == (None if position is None else pytest.approx(position))


def test_values_of_any_type_never_raise() -> None:
    tags = (
        DESCRIPTION,
        XP_TITLE,
        XP_COMMENT,
        XP_KEYWORDS,
        USER_COMMENT,
        LENS_SPECIFICATION,
        APERTURE_VALUE,
        OFFSET_TAKEN,
    )
    for value in (None, 0, -1, 1.5, "", b"", b"\xff" * 9, (), (None,), (300, -1), [1], {}, IFDRational(0, 0), object()):
        read_exif(exif(dict.fromkeys(tags, value), dict.fromkeys(tags, value), dict.fromkeys(range(5), value)))
    assert read_exif(Image.Exif()).description is None
