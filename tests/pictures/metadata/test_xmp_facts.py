"""Dates, places, cameras and texts in XMP, as Lightroom, darktable, digiKam, exiftool and phones write them."""
# ruff: noqa: DTZ001  (local times are meant)

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metadata import DateSource, PhotoMetadata
from pictures.metadata.xmp import read_xmp

SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


def packet(inside: str = "", **attributes: str) -> bytes:
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in SPACES.items())
    values = " ".join(f'{name.replace("_", ":", 1)}="{value}"' for name, value in attributes.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description {spaces} {values}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def test_facts_as_attributes_and_as_elements_are_the_same() -> None:
    values = {
        "exif:DateTimeOriginal": "2019-10-08T06:59:43+02:00",
        "exif:GPSLatitude": "48,8.22N",
        "exif:GPSLongitude": "11,34,30E",
        "tiff:Make": "Canon",
        "tiff:Model": "Canon EOS R6",
        "aux:Lens": "EF24-70mm f/2.8L USM",
        "exif:FNumber": "28/10",
        "exif:ExposureTime": "1/250",
        "exif:FocalLength": "50/1",
        "photoshop:City": "Vienna",
        "photoshop:State": "Vienna State",
        "photoshop:Country": "Austria",
        "Iptc4xmpCore:Location": "Prater",
    }
    expected = PhotoMetadata(
        taken_at=datetime(2019, 10, 8, 6, 59, 43),
        utc_offset=120,
        date_source=DateSource.ORIGINAL,
        latitude=48 + 8.22 / 60,
        longitude=11 + 34 / 60 + 30 / 3600,
        camera="Canon EOS R6",
        lens="EF24-70mm f/2.8L USM",
        aperture=2.8,
        exposure=0.004,
        focal_length=50.0,
        sublocation="Prater",
        city="Vienna",
        region="Vienna State",
        country="Austria",
    )
    assert read_xmp(packet(**{name.replace(":", "_"): value for name, value in values.items()})) == expected
    assert read_xmp(packet("".join(f"<{name}>{value}</{name}>" for name, value in values.items()))) == expected


@pytest.mark.parametrize(
    ("values", "moment", "source"),
    [
        ({"photoshop_DateCreated": "2019-10-10"}, datetime(2019, 10, 10), DateSource.ORIGINAL),
        ({"xmp_CreateDate": "2019-10-10T08:00:00"}, datetime(2019, 10, 10, 8), DateSource.DIGITIZED),
        ({"exif_DateTimeDigitized": "2019-10-10T08:00"}, datetime(2019, 10, 10, 8), DateSource.DIGITIZED),
        ({"xmp_ModifyDate": "2019-10-10T08:00:00"}, datetime(2019, 10, 10, 8), DateSource.MODIFIED),
        (
            {"xmp_CreateDate": "2022-01-01T08:00:00", "photoshop_DateCreated": "1974-07-08"},
            datetime(1974, 7, 8),  # a scan
            DateSource.ORIGINAL,
        ),
        (
            {"xmp_CreateDate": "2019-10-10T08:00:00", "photoshop_DateCreated": "2019-10-10"},
            datetime(2019, 10, 10, 8),  # the day in one, the time in the other
            DateSource.DIGITIZED,
        ),
        ({"photoshop_DateCreated": "1974"}, datetime(1974, 1, 1), DateSource.ORIGINAL),
    ],
)
def test_dates_by_kind(values: dict[str, str], moment: datetime, source: DateSource) -> None:
    metadata = read_xmp(packet(**values))
    assert (metadata.taken_at, metadata.date_source) == (moment, source)


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        ("48,8.22N", "11,34.5E", (48.137, 11.575)),
        ("33,51,24S", "151,12,54W", (-33.856667, -151.215)),
        ("48.137", "-11.575", (48.137, -11.575)),
        ("48,8.22", "11,34.5", None),  # which hemisphere?
        ("0,0.0N", "0,0.0E", None),
        ("91,0N", "0,1E", None),
        ("48,8.22E", "11,34.5N", None),
        ("north", "east", None),
    ],
)
def test_positions(latitude: str, longitude: str, position: tuple[float, float] | None) -> None:
    metadata = read_xmp(packet(exif_GPSLatitude=latitude, exif_GPSLongitude=longitude))
    found = None if metadata.latitude is None else (metadata.latitude, metadata.longitude)
    assert found == (None if position is None else pytest.approx(position, abs=1e-6))


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_positions_in_minutes_are_those_in_degrees(latitude: float, longitude: float) -> None:
    def angle(value: float, letters: str) -> str:
        degrees, rest = divmod(abs(value), 1)
        return f"{int(degrees)},{rest * 60:.9f}{letters[value < 0]}"

    metadata = read_xmp(packet(exif_GPSLatitude=angle(latitude, "NS"), exif_GPSLongitude=angle(longitude, "EW")))
    if metadata.latitude is not None:
        assert (metadata.latitude, metadata.longitude) == pytest.approx((latitude, longitude), abs=1e-9)
    else:
        assert abs(latitude) < 1e-9
        assert abs(longitude) < 1e-9


def test_exposures_in_apex_units_and_lenses_by_numbers() -> None:
    metadata = read_xmp(
        packet(exif_ApertureValue="3/1", exif_ShutterSpeedValue="5/1", aux_LensInfo="24/1 70/1 28/10 0/0")
    )
    assert (metadata.aperture, metadata.exposure, metadata.lens) == (2.8, 1 / 32, "24-70mm f/2.8")
    sensitivity = "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>800</rdf:li></rdf:Seq></exif:ISOSpeedRatings>"
    assert read_xmp(packet(sensitivity)).iso == 800
    assert read_xmp(packet(exifEX_PhotographicSensitivity="640")).iso == 640


def test_the_default_language_is_first() -> None:
    title = (
        "<dc:title><rdf:Alt><rdf:li xml:lang='de'>Hafen</rdf:li>"
        "<rdf:li xml:lang='x-default'>Harbour</rdf:li></rdf:Alt></dc:title>"
    )
    assert read_xmp(packet(title)).title == "Harbour"


@pytest.mark.parametrize("kind", ["LocationCreated", "LocationShown"])
def test_places_as_structures(kind: str) -> None:
    fields = "<Iptc4xmpExt:City>Rome</Iptc4xmpExt:City><Iptc4xmpExt:CountryName>Italy</Iptc4xmpExt:CountryName>"
    for item in (
        f"<rdf:li rdf:parseType='Resource'>{fields}</rdf:li>",
        f"<rdf:li><rdf:Description>{fields}</rdf:Description></rdf:li>",
        "<rdf:li Iptc4xmpExt:City='Rome' Iptc4xmpExt:CountryName='Italy'/>",
    ):
        inside = f"<Iptc4xmpExt:{kind}><rdf:Bag>{item}</rdf:Bag></Iptc4xmpExt:{kind}>"
        assert read_xmp(packet(inside)) == PhotoMetadata(city="Rome", country="Italy")


def test_the_place_of_the_camera_comes_before_the_place_that_is_shown() -> None:
    def place(kind: str, city: str) -> str:
        return f"<Iptc4xmpExt:{kind}><rdf:Bag><rdf:li Iptc4xmpExt:City='{city}'/></rdf:Bag></Iptc4xmpExt:{kind}>"

    assert read_xmp(packet(place("LocationShown", "Shown") + place("LocationCreated", "Created"))).city == "Created"


def test_values_of_the_wrong_kind_are_ignored() -> None:
    """A structure instead of a text, a list instead of a structure, and the reverse."""
    inside = (
        "<exif:DateTimeOriginal rdf:parseType='Resource'><xmp:Rating>1</xmp:Rating></exif:DateTimeOriginal>"
        "<Iptc4xmpExt:LocationShown>Rome</Iptc4xmpExt:LocationShown>"
        "<dc:title rdf:parseType='Resource'/><exif:FNumber>28/0</exif:FNumber>"
    )
    assert read_xmp(packet(inside)) == PhotoMetadata()


def test_the_memory_for_one_packet_is_bounded() -> None:
    """Many items are parsed, and a thousand of them are kept."""
    items = "<rdf:li>a<rdf:x/></rdf:li>" * 300_000
    names = "".join(f"<rdf:li>{number}</rdf:li>" for number in range(3_000))
    metadata = read_xmp(packet(f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>"))
    assert len(metadata.keywords) <= 1
    assert len(read_xmp(packet(f"<dc:subject><rdf:Bag>{names}</rdf:Bag></dc:subject>")).keywords) == 1_000


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-16", "utf-8-sig"])
def test_packets_in_other_encodings(encoding: str) -> None:
    """XMP in files other than JPEG may be UTF-16, with or without a byte order mark."""
    text = packet(**{"photoshop:City": "Plzeň"}).decode()
    assert read_xmp(text.encode(encoding)).city == "Plzeň"
