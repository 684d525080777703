"""Texts and blocks of metadata that formats keep in places of their own: PNG texts, GIF, raw profiles, IPTC in TIFF."""
# ruff: noqa: DTZ001  (local times are meant)

import io
import struct
import zlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin, TiffImagePlugin

from core.metadata import DateSource, PhotoMetadata
from pictures.decode import decode, read_header
from pictures.metadata.format_texts import raw_profile
from pictures.metadata.iptc import parse_iptc, photoshop_resources
from tests.pictures.metadata.test_reading import bag, jpeg, moved_to_the_end, records, xmp

PACKET = xmp(bag("dc:subject", "castle"))
KEYWORDS = records((2, 25, b"castle"))
RESOURCE = b"8BIM\x04\x04\0\0" + len(KEYWORDS).to_bytes(4) + KEYWORDS + b"\0" * (len(KEYWORDS) % 2)


def exif_block() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:10:08 06:59:43"
    return exif.tobytes()


def imagemagick(kind: str, data: bytes) -> str:
    digits = data.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return f"\n{kind}\n{len(data):8}\n{lines}\n"


def png(*texts: tuple[str, str], compressed: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts:
        info.add_text(name, text, zip=compressed)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def both_ways(data: bytes) -> PhotoMetadata:
    """Return the metadata of a file, which must be the same with and without decoding it."""
    metadata = decode(data).info.metadata
    assert read_header(io.BytesIO(data)) == metadata
    return metadata


def at_the_end(data: bytes) -> bytes:
    """Move the text chunks of a PNG after its pixels."""
    renamed = moved_to_the_end(data.replace(b"tEXt", b"iTXt").replace(b"zTXt", b"eXIf"))
    return renamed.replace(b"iTXt", b"tEXt").replace(b"eXIf", b"zTXt")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_profiles_of_imagemagick(compressed: bool, late: bool) -> None:
    app1 = b"http://ns.adobe.com/xap/1.0/\0" + PACKET
    for kind, data in (("xmp", PACKET), ("APP1", app1), ("iptc", RESOURCE), ("iptc", KEYWORDS), ("8bim", RESOURCE)):
        file = png((f"Raw profile type {kind}", imagemagick(kind, data)), compressed=compressed)
        assert both_ways(at_the_end(file) if late else file).keywords == ("castle",), kind
    for kind, data in (("exif", exif_block()), ("APP1", exif_block())):
        file = png((f"Raw profile type {kind}", imagemagick(kind, data)), compressed=compressed)
        assert both_ways(at_the_end(file) if late else file).taken_at == datetime(2019, 10, 8, 6, 59, 43), kind


@pytest.mark.parametrize("text", ["", "xmp", "\nxmp\n 12\nxyz", "\nxmp\n 4\n0a0", "\nxmp\n many\n0a", "0a0b"])
def test_damaged_profiles_are_ignored(text: str) -> None:
    assert raw_profile(text) is None
    assert both_ways(png(("Raw profile type xmp", text or "-"))) == PhotoMetadata()


@pytest.mark.parametrize("late", [False, True])
def test_texts_of_a_png(late: bool) -> None:
    file = png(
        ("Title", "Größe"),
        ("Description", "A castle"),
        ("Comment", "Created with GIMP"),
        ("Creation Time", " 2019-10-08T06:59:43"),
    )
    assert both_ways(at_the_end(file) if late else file) == PhotoMetadata(
        title="Größe",
        description="A castle",
        taken_at=datetime(2019, 10, 8, 6, 59, 43),
        date_source=DateSource.ORIGINAL,
    )


def test_dates_of_a_png_as_in_mail() -> None:
    metadata = both_ways(png(("Creation Time", "Tue, 08 Oct 2019 06:59:43 +0200")))
    assert (metadata.taken_at, metadata.utc_offset) == (datetime(2019, 10, 8, 6, 59, 43), 120)
    assert both_ways(png(("Creation Time", "a while ago"))) == PhotoMetadata()


def test_texts_come_after_exif() -> None:
    exif = Image.Exif()
    exif[0x010E] = "in EXIF"
    info = PngImagePlugin.PngInfo()
    info.add_text("Description", "in a text")
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info, exif=exif)
    assert both_ways(file.getvalue()).description == "in EXIF"


def gif(comment: bytes = b"", packet: bytes = b"", *, last: bool = False) -> bytes:
    file = io.BytesIO()
    Image.new("P", (8, 8)).save(file, "GIF", comment=comment)
    data = file.getvalue()
    block = b"\x21\xff\x0bXMP DataXMP" + packet + b"\x01" + bytes(range(255, -1, -1)) + b"\0" if packet else b""
    place = len(data) - 1 if last else data.index(b"\x2c\0\0\0\0\x08\0\x08\0")
    return data[:place] + block + data[place:]


@pytest.mark.parametrize("last", [False, True])
def test_xmp_and_comment_of_a_gif(last: bool) -> None:
    metadata = both_ways(gif(b"A castle", PACKET, last=last))
    assert (metadata.keywords, metadata.description) == (("castle",), "A castle")
    assert both_ways(gif(b"A castle")) == PhotoMetadata(description="A castle")
    assert both_ways(gif(b"GIF", PACKET[:-40], last=last)) == PhotoMetadata(description="GIF")


def test_comment_of_a_jpeg() -> None:
    assert both_ways(jpeg(comment="Zürich".encode("latin-1"))).description == "Zürich"
    assert both_ways(jpeg(comment=b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90")) == PhotoMetadata()


def test_xmp_that_does_not_fit_into_one_segment() -> None:
    guid, extension = b"0" * 32, xmp(bag("dc:subject", "extended"))
    data = jpeg(xmp=xmp(bag("dc:subject", "first")))
    parts = []
    for start in range(0, len(extension), 100):
        head = guid + len(extension).to_bytes(4) + start.to_bytes(4)
        body = b"http://ns.adobe.com/xmp/extension/\0" + head + extension[start : start + 100]
        parts.append(b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body)
    place = data.index(b"\xff\xdb")
    whole = data[:place] + b"".join(reversed(parts)) + data[place:]  # in any order
    assert both_ways(whole).keywords == ("first", "extended")
    assert both_ways(data[:place] + b"".join(parts[1:]) + data[place:]).keywords == ("first",)


@pytest.mark.parametrize("tag", [33723, 34377])
def test_iptc_of_a_tiff(tag: int) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[tag] = KEYWORDS if tag == 33723 else RESOURCE
    tags.tagtype[tag] = 7
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "TIFF", tiffinfo=tags)
    assert both_ways(file.getvalue()).keywords == ("castle",)


def test_dates_and_places_of_iptc() -> None:
    block = records(
        (2, 55, b"20191008"), (2, 60, b"065943+0200"), (2, 62, b"20220101"), (2, 63, b"120000+0000"),
        (2, 92, b"Prater"), (2, 90, b"Wien"), (2, 95, b"Vienna"), (2, 101, "Österreich".encode("latin-1")),
        (2, 105, b"Head"),
    )  # fmt: skip
    assert both_ways(jpeg(block)) == PhotoMetadata(
        taken_at=datetime(2019, 10, 8, 6, 59, 43),
        utc_offset=120,
        date_source=DateSource.ORIGINAL,
        sublocation="Prater",
        city="Wien",
        region="Vienna",
        country="Österreich",
        title="Head",
    )
    digitized = parse_iptc(records((2, 62, b"20220101"), (2, 63, b"120000")))
    assert (digitized.taken_at, digitized.date_source) == (datetime(2022, 1, 1, 12), DateSource.DIGITIZED)
    assert parse_iptc(records((2, 55, b"        "), (2, 60, b"      "))) == PhotoMetadata()


def test_a_day_in_iptc_takes_the_time_of_exif() -> None:
    data = jpeg(records((2, 55, b"20191008")), exif=exif_block())
    assert both_ways(data).taken_at == datetime(2019, 10, 8, 6, 59, 43)


@given(st.binary(max_size=60))
def test_any_bytes_in_blocks_raise_nothing(junk: bytes) -> None:
    for data in (junk, KEYWORDS + junk, RESOURCE + junk, b"8BIM" + junk, b"\x1c\x02" + junk):
        list(photoshop_resources(data))
        assert parse_iptc(data).rating is None


@given(st.binary(max_size=40))
def test_any_text_chunk_is_read_or_skipped(junk: bytes) -> None:
    whole = png()
    for kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
        chunk = struct.pack(">I", len(junk)) + kind + junk + struct.pack(">I", zlib.crc32(kind + junk))
        read_header(io.BytesIO(whole[:-12] + chunk + whole[-12:]))
