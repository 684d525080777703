"""Dates as cameras and programs write them, and as they should not."""
# ruff: noqa: DTZ001  (local times are meant)

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictures.metadata.dates import Moment, parse_date, parse_iptc_date, parse_mail_date, parse_offset

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
FORMS = (
    "%Y:%m:%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.123",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H.%M.%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H-%M-%S",
    "%Y_%m_%d %H:%M:%S".replace("_", ":"),
    "%Y:%m:%d: %H:%M:%S",
    "%Y:%m:%d %I:%M:%S %p",
    "  %Y:%m:%d %H:%M:%S   :  ",
)


@given(MOMENTS, st.sampled_from(FORMS))
def test_every_form_is_read(moment: datetime, form: str) -> None:
    assert parse_date(moment.strftime(form)) == Moment(moment)


@given(MOMENTS)
def test_blanks_in_place_of_zeros_and_single_digits_are_read(moment: datetime) -> None:
    parts = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    for width in ("2", ""):
        text = (
            ":".join(f"{part:{width}d}" for part in parts[:2])
            + " "
            + ":".join(f"{part:{width}d}" for part in parts[2:])
        )
        assert parse_date(f"{moment.year}:{text}") == Moment(moment)


@given(MOMENTS, st.integers(-12 * 60, 14 * 60))
def test_time_zones_are_kept(moment: datetime, offset: int) -> None:
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    assert parse_date(f"{moment:%Y-%m-%dT%H:%M:%S}{zone}") == Moment(moment, offset)
    assert parse_date(f"{moment:%Y:%m:%d %H:%M:%S.5} {zone}") == Moment(moment, offset)
    assert parse_date(f"{moment:%Y-%m-%dT%H:%M}{zone}") == Moment(moment.replace(second=0), offset)
    assert parse_iptc_date(f"{moment:%Y%m%d}", f"{moment:%H%M%S}{zone.replace(':', '')}") == Moment(moment, offset)
    assert parse_offset(zone) == offset


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2019:01:01 24:04:20", datetime(2019, 1, 1, 0, 4, 20)),  # hours from 1 to 24; the file was written at 00:04
        ("2017:02:03 10:11:60", datetime(2017, 2, 3, 10, 12)),
        ("2017:02:03 10:60:00", datetime(2017, 2, 3, 11)),
        ("2016:12:31 23:59:60", datetime(2017, 1, 1)),
        ("2017:02:03 99:99:99", datetime(2017, 2, 3)),
        ("2017:02:03 25:00:00", datetime(2017, 2, 3)),
        ("2016:05:06", datetime(2016, 5, 6)),
        ("2011:02:03 10:11", datetime(2011, 2, 3, 10, 11)),
        ("2019-10", datetime(2019, 10, 1)),
        ("2019", datetime(2019, 1, 1)),
        ("20190000", datetime(2019, 1, 1)),
        ("2019:00:00 00:00:00", datetime(2019, 1, 1)),
        ("2019:  :     :  :  ", datetime(2019, 1, 1)),
        ("1826:01:01 00:00:00", datetime(1826, 1, 1)),
        ("9999:12:31 23:59:59", datetime(9999, 12, 31, 23, 59, 59)),
        ("2019:10:08 12:05:00 am", datetime(2019, 10, 8, 0, 5)),
    ],
)
def test_impossible_parts_are_repaired_or_dropped(text: str, moment: datetime) -> None:
    assert parse_date(text) == Moment(moment)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "0000:00:00",
        "2003:02:29 00:00:00",
        "2004:13:01 00:00:00",
        "2019:10:0806:59:43",  # the day would be lost
        "12345678901",
        "08.10.2019",
        "yesterday",
        "-1",
    ],
)
def test_other_texts_are_no_dates(text: str | None) -> None:
    assert parse_date(text) is None


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9: .TZ+-]{0,30}\Z"))
def test_no_text_raises(text: str) -> None:
    for moment in (parse_date(text), parse_iptc_date(text, text), parse_mail_date(text)):
        assert moment is None or isinstance(moment.taken_at, datetime)
    parse_offset(text)


def test_dates_of_mail_are_read() -> None:
    moment = datetime(2019, 10, 8, 6, 59, 43)
    assert parse_mail_date("Tue, 08 Oct 2019 06:59:43 +0200") == Moment(moment, 120)
    assert parse_mail_date("Tue, 08 Oct 2019 06:59:43 GMT") == Moment(moment, 0)
    assert parse_mail_date("8 Oct") is None


def test_zones_far_from_utc_are_not_believed() -> None:
    assert [parse_offset(text) for text in ("-5:00", "+0545", "Z", "UTC", "+14:00")] == [-300, 345, 0, 0, 840]
    assert [parse_offset(text) for text in ("+15:00", "+02:99", "2", "", None)] == [None] * 5
    assert timedelta(minutes=parse_offset("+05:45") or 0) == timedelta(hours=5, minutes=45)
