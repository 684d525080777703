"""EXIF metadata: real values, absurd values and damaged blocks."""
# ruff: noqa: DTZ001  (local times are meant)

import io
import math
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from core.metadata import DateSource, PhotoMetadata
from pictures.metadata.exif import read_exif

MAKE, MODEL, DATE, DETAILS, GPS = 0x010F, 0x0110, 0x0132, 0x8769, 0x8825
TAKEN, DIGITIZED, LENS = 0x9003, 0x9004, 0xA434

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow warns about odd metadata


def exif(
    top: dict[int, object] | None = None, details: dict[int, object] | None = None, gps: dict[int, object] | None = None
) -> Image.Exif:
    """Return an EXIF block as Pillow does, with arbitrary values."""
    block = Image.Exif()
    for tag, value in (top or {}).items():
        block[tag] = value
    block._ifds[DETAILS] = details or {}
    block._ifds[GPS] = gps or {}
    return block


def dms(degrees: float, minutes: float = 0, seconds: float = 0) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(round(part * 1000), 1000) for part in (degrees, minutes, seconds))


def test_read_exif_of_a_jpeg() -> None:
    block = Image.Exif()
    block[MAKE], block[MODEL] = "Canon", "Canon EOS 5D Mark III"
    block.get_ifd(DETAILS).update({TAKEN: "2021:05:09 19:30:01", LENS: "EF50mm f/1.8 STM"})
    block.get_ifd(GPS).update({1: "S", 2: dms(33, 51, 24), 3: "E", 4: dms(151, 12, 54)})
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=block)
    metadata = read_exif(Image.open(file).getexif())
    assert metadata.latitude == pytest.approx(-(33 + 51 / 60 + 24 / 3600))
    assert metadata.longitude == pytest.approx(151 + 12 / 60 + 54 / 3600)
    assert metadata == PhotoMetadata(
        taken_at=datetime(2021, 5, 9, 19, 30, 1),
        date_source=DateSource.ORIGINAL,
        camera="Canon EOS 5D Mark III",
        lens="EF50mm f/1.8 STM",
        latitude=metadata.latitude,
        longitude=metadata.longitude,
    )


def test_details_in_the_first_directory_are_read_where_they_are_missing() -> None:
    """As in TIFF/EP, and where editors have merged the directories."""
    tags: dict[int, object] = {
        0x829D: 9.0,
        0x829A: 3.2,
        0x8827: 250,
        0x920A: 24.0,
        LENS: "14-24mm",
        TAKEN: "2006:05:27 12:37:03",
    }
    metadata = read_exif(exif(tags, {0x8827: 100}))
    assert (metadata.aperture, metadata.exposure, metadata.iso, metadata.focal_length) == (9.0, 3.2, 100, 24.0)
    assert (metadata.lens, metadata.taken_at) == ("14-24mm", datetime(2006, 5, 27, 12, 37, 3))


@pytest.mark.parametrize(
    ("text", "latitude"),
    [
        ("52,00000,50,00000,34,01180", 52 + 50 / 60 + 34.0118 / 3600),
        ("52,00000,50,00000,34,01180\0", 52 + 50 / 60 + 34.0118 / 3600),
        ("52,50,34", None),  # decimal commas or components?
        ("52,00000,70,00000,34,01180", None),
    ],
)
def test_positions_in_texts_with_decimal_commas(text: str, latitude: float | None) -> None:
    """As an HTC One M8 writes them."""
    found = read_exif(exif(gps={1: "N", 2: text, 3: "E", 4: "11,00000,10,00000,58,28360"}))
    assert found.latitude == (None if latitude is None else pytest.approx(latitude))


def test_empty_exif_has_no_metadata() -> None:
    assert read_exif(Image.Exif()) == PhotoMetadata()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2004:02:29 23:59:59", datetime(2004, 2, 29, 23, 59, 59)),
        ("2004-02-29T23:59", datetime(2004, 2, 29, 23, 59)),
        ("2004:02:29 23:59:59\0\0", datetime(2004, 2, 29, 23, 59, 59)),
        (b"2004:02:29 23:59:59", datetime(2004, 2, 29, 23, 59, 59)),
        ("2003:02:29 00:00:00", None),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("2004:13:01 00:00:00", None),
        ("2004:12:01 24:00:00", datetime(2004, 12, 1)),
        ("٢٠٠٤:02:29 23:59:59", None),
        ("", None),
        (b"\xff\xfe", None),
        (20040229, None),
        ((2004, 2, 29), None),
    ],
)
def test_dates_are_parsed_or_ignored(text: object, moment: datetime | None) -> None:
    assert read_exif(exif(details={TAKEN: text})).taken_at == moment


def test_original_date_takes_precedence() -> None:
    older, newer, newest = "2001:01:01 00:00:00", "2002:01:01 00:00:00", "2003:01:01 00:00:00"
    top: dict[int, object] = {DATE: newest}
    assert read_exif(exif(top, {TAKEN: older, DIGITIZED: newer})).taken_at == datetime(2001, 1, 1)
    assert read_exif(exif(top, {TAKEN: "0000:00:00 00:00:00", DIGITIZED: newer})).taken_at == datetime(2002, 1, 1)
    assert read_exif(exif(top)).taken_at == datetime(2003, 1, 1)


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("FUJIFILM\0\0", "  X-T3 \0junk", "FUJIFILM X-T3"),
        ("SONY", None, "SONY"),
        (None, "DSC-W80", "DSC-W80"),
        ("", " ", None),
        (b"Z\xfcrich", b"One", "Z\ufffdrich One"),
        ("Line\nbreak", "A\tB", "Line break A B"),
        (7, (1, 2), None),
    ],
)
def test_camera_combines_make_and_model(make: object, model: object, camera: str | None) -> None:
    block = exif()
    block._data.update({tag: value for tag, value in ((MAKE, make), (MODEL, model)) if value is not None})
    assert read_exif(block).camera == camera


def test_long_names_are_shortened() -> None:
    metadata = read_exif(exif({MAKE: "m" * 9999, MODEL: "x" * 9999}, {LENS: "l" * 9999}))
    assert metadata.camera is not None
    assert metadata.lens is not None
    assert len(metadata.camera) == len(metadata.lens) == 120


@pytest.mark.parametrize(
    ("gps", "position"),
    [
        ({1: "N", 2: (10.0, 30.0, 0.0), 3: "W", 4: (20.0,)}, (10.5, -20.0)),
        ({1: b"s\0", 2: dms(90), 3: "e", 4: dms(180)}, (-90.0, 180.0)),
        ({1: "N", 2: dms(10, 59, 60), 3: "E", 4: dms(1)}, (11.0, 1.0)),  # rounded up by the camera
        ({1: "N", 2: dms(0), 3: "E", 4: dms(0)}, None),  # no fix
        ({1: "N", 2: dms(91), 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: dms(90, 0, 1), 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: dms(1), 3: "E", 4: dms(181)}, None),
        ({1: "N", 2: dms(1, 61), 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: dms(-1), 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: (IFDRational(1, 0),) * 3, 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: (1.0, math.nan, 0.0), 3: "E", 4: dms(1)}, None),
        ({1: "N", 2: (1.0, math.inf, 0.0), 3: "E", 4: dms(1)}, None),
        ({2: dms(1), 4: dms(1)}, None),  # which hemisphere?
        ({1: "E", 2: dms(1), 3: "N", 4: dms(1)}, None),
        ({1: "N", 2: dms(1)}, None),
        ({1: "N", 2: "10", 3: "E", 4: b"\x01"}, None),
        ({1: "N", 2: (), 3: "E", 4: dms(1) * 2}, None),
        ({1: 5, 2: 7.5, 3: None, 4: (None,)}, None),
    ],
)
def test_gps_positions_are_parsed_or_ignored(gps: dict[int, object], position: tuple[float, float] | None) -> None:
    metadata = read_exif(exif(gps=gps))
    found = None if metadata.latitude is None else (metadata.latitude, metadata.longitude)
    assert found == (None if position is None else pytest.approx(position))


numbers = st.one_of(
    st.integers(), st.floats(), st.builds(IFDRational, st.integers(), st.integers(0, 3)), st.text(max_size=3)
)
anything = st.one_of(
    st.none(), st.booleans(), numbers, st.text(max_size=30), st.binary(max_size=30), st.lists(numbers, max_size=4)
)
fields = st.dictionaries(
    st.sampled_from([1, 2, 3, 4, MAKE, MODEL, DATE, TAKEN, DIGITIZED, LENS]),
    anything | anything.map(lambda value: tuple(value) if isinstance(value, list) else value),
)


def check(metadata: PhotoMetadata) -> None:
    for text in (metadata.camera, metadata.lens):
        assert text is None or (0 < len(text) <= 120 and text.isprintable() and text == text.strip())
    assert (metadata.latitude is None) == (metadata.longitude is None)
    if metadata.latitude is not None and metadata.longitude is not None:
        assert abs(metadata.latitude) <= 90
        assert abs(metadata.longitude) <= 180


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(fields, fields, fields)
def test_read_exif_never_raises_for_any_values(
    top: dict[int, object], details: dict[int, object], gps: dict[int, object]
) -> None:
    block = exif(details=details, gps=gps)
    block._data.update(top)
    check(read_exif(block))


def whole_block() -> bytes:
    block = Image.Exif()
    block[MAKE], block[MODEL], block[DATE] = "Maker", "Model", "2020:01:01 00:00:00"
    block.get_ifd(DETAILS).update({TAKEN: "2020:01:01 00:00:00", LENS: "Lens"})
    block.get_ifd(GPS).update({1: "N", 2: dms(1, 2, 3), 3: "E", 4: dms(4, 5, 6)})
    return block.tobytes()


WHOLE = whole_block()


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(WHOLE)),
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8),
)
def test_read_exif_never_raises_for_any_bytes(length: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    image = Image.new("L", (1, 1))
    image.info["exif"] = bytes(data[:length])
    try:
        block = image.getexif()
    except Exception:  # Pillow may raise any error; callers of `read_exif` handle it
        block = image.getexif()  # the part that was read
    check(read_exif(block))


FOCAL, APERTURE, EXPOSURE, ISO, LONG_ISO, STARS = 0x920A, 0x829D, 0x829A, 0x8827, 0x8832, 0x4746


def test_exposure_settings_are_read() -> None:
    details: dict[int, object] = {
        FOCAL: IFDRational(350, 10),
        APERTURE: IFDRational(1779999, 1000000),
        EXPOSURE: IFDRational(1, 250),
        ISO: (800, 0),
    }
    metadata = read_exif(exif({STARS: 4}, details))
    assert (metadata.focal_length, metadata.aperture, metadata.exposure, metadata.iso, metadata.rating) == (
        35,
        1.78,
        0.004,
        800,
        4,
    )


@pytest.mark.parametrize(
    ("details", "iso"),
    [
        ({ISO: 65535, LONG_ISO: 102400}, 102400),
        ({ISO: 65535}, None),
        ({ISO: 0}, None),
        ({ISO: "400"}, 400),
        ({ISO: ()}, None),
    ],
)
def test_iso_is_read_from_long_fields_if_needed(details: dict[int, object], iso: int | None) -> None:
    assert read_exif(exif(details=details)).iso == iso


@pytest.mark.parametrize(
    "value", [IFDRational(0, 0), IFDRational(0, 1), IFDRational(1, 0), math.nan, -1, "f", (), None]
)
def test_implausible_values_are_ignored(value: object) -> None:
    metadata = read_exif(exif({STARS: value}, {FOCAL: value, APERTURE: value, EXPOSURE: value, ISO: value}))
    assert (metadata.focal_length, metadata.aperture, metadata.exposure, metadata.iso) == (None, None, None, None)
