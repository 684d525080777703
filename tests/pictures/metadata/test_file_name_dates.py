"""Dates in names of files, and numbers in names that are no dates."""
# ruff: noqa: DTZ001  (local times are meant)

from datetime import date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.metadata import DateSource, PhotoMetadata
from pictures.metadata.file_name_dates import date_of_name, metadata_of_name

LATEST = date(2026, 12, 1)
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2026, 11, 30)).map(lambda moment: moment.replace(microsecond=0))

WITH_TIME = (
    "%Y-%m-%d %H.%M.%S.jpg",  # Dropbox
    "signal-%Y-%m-%d-%H%M%S.jpg",
    "signal-%Y-%m-%d-%H-%M-%S-123.jpg",
    "Screenshot_%Y%m%d-%H%M%S_F.png",
    "Screenshot_%Y-%m-%d-%H-%M-%S-123_com.app.png",
    "Screen Shot %Y-%m-%d at %H.%M.%S.png",
    "Bildschirmfoto %Y-%m-%d um %H.%M.%S.png",
    "Capture d'écran %Y-%m-%d à %H.%M.%S.png",
    "VID_%Y%m%d_%H%M%S.mp4",
    "IMG_%Y%m%d_%H%M%S_123.jpg",
    "IMG_%Y%m%d_%H%M%S~2.jpg",
    "IMG%Y%m%d%H%M%S.jpg",
    "%Y%m%d%H%M%S.jpg",
    "%Y%m%d_%H%M%S(0).jpg",
    "photo_%Y-%m-%d_%H-%M-%S.jpg",
    "photo_%Y-%m-%d_%H-%M-%S (2).jpg",
    "WhatsApp Image %Y-%m-%d at %H.%M.%S (1).jpeg",
    "C360_%Y-%m-%d-%H-%M-%S-789.jpg",
    "%Y_%m_%d_%H_%M_%S.jpg",
    "%Y-%m-%dT%H:%M:%S.jpg",
)
WITHOUT_TIME = ("IMG-%Y%m%d-WA0007.jpg", "%Y-%m-%d holiday.jpg", "%Y%m%d.jpg", "Anna %Y.%m.%d.jpg", "DSC_%Y%m%d.jpg")


@given(MOMENTS, st.sampled_from(WITH_TIME))
def test_names_with_a_time_of_day(moment: datetime, form: str) -> None:
    assert date_of_name(moment.strftime(form), LATEST) == (moment, None)


@given(MOMENTS, st.sampled_from(WITHOUT_TIME))
def test_names_with_a_date_alone(moment: datetime, form: str) -> None:
    assert date_of_name(moment.strftime(form), LATEST) == (datetime(moment.year, moment.month, moment.day), None)


@given(MOMENTS)
def test_a_short_hour_with_its_half_of_the_day(moment: datetime) -> None:
    hour = moment.strftime("%I").lstrip("0")
    for blank in (" ", "\u202f"):
        name = f"WhatsApp Image {moment:%Y-%m-%d} at {hour}.{moment:%M.%S}{blank}{moment:%p}.jpeg"
        assert date_of_name(name, LATEST) == (moment, None)


@given(MOMENTS)
def test_names_of_googles_camera_are_in_utc(moment: datetime) -> None:
    assert date_of_name(moment.strftime("PXL_%Y%m%d_%H%M%S123.jpg"), LATEST) == (moment, 0)
    assert date_of_name(moment.strftime("PXL_%Y%m%d_%H%M%S123.MP.jpg"), LATEST) == (moment, 0)


@pytest.mark.parametrize(
    "name",
    [
        "IMG_20501332.jpg",  # month 13
        "IMG_20481024.jpg",  # in the future
        "IMG_20190230.jpg",  # the 30th of February
        "DSC01234.jpg",
        "P1010101.jpg",
        "+49 171 20121015.jpg",
        "+4917120121015.jpg",
        "20121015123.jpg",
        "wallpaper-1920x1080.jpg",
        "20101010x1080.jpg",
        "19201080.jpg",
        "3f20121015ab.jpg",
        "20121015-1234-4abc-9def-123456789abc.jpg",
        "49-2010-12-15.jpg",
        "2010-12-151.jpg",
        "01-02-2020.jpg",  # January or February?
        "2019-10.jpg",
        "2019.jpg",
        "1800-01-01.jpg",
        "",
        ".jpg",
    ],
)
def test_other_numbers_are_no_dates(name: str) -> None:
    assert date_of_name(name, LATEST) is None
    assert metadata_of_name(name, LATEST) == PhotoMetadata()


@given(st.from_regex(r"\A[A-Za-z]{0,4}[_-]?[0-9]{1,7}\Z") | st.from_regex(r"\A[0-9]{9,13}\Z"))
def test_serial_and_telephone_numbers_are_no_dates(stem: str) -> None:
    assume("\n" not in stem)
    assert date_of_name(f"{stem}.jpg", LATEST) is None


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_resolutions_are_no_dates(width: int, height: int) -> None:
    assert date_of_name(f"wallpaper_{width}x{height}.jpg", LATEST) is None


@given(st.text(max_size=60))
def test_no_name_raises(name: str) -> None:
    found = date_of_name(name, LATEST)
    assert found is None or found.taken_at.date() <= LATEST


def test_a_date_of_a_name_is_marked() -> None:
    assert metadata_of_name("IMG-20201018-WA0007.jpg") == PhotoMetadata(
        taken_at=datetime(2020, 10, 18), date_source=DateSource.NAME
    )
