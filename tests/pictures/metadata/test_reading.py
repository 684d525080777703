"""XMP and IPTC metadata, precedence between them, and malicious XMP."""

import contextlib
import io
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin

from core.errors import PictureUndecodable
from core.metadata import PhotoMetadata, merge_metadata
from pictures.decode import decode, read_header
from pictures.metadata.reading import read_iptc
from pictures.metadata.xmp import MAX_XMP_BYTES, read_xmp

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def xmp(inside: str = "", attributes: str = "") -> bytes:
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/" {attributes}>
{inside}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{listed}</rdf:{kind}></{name}>"


def test_read_xmp_of_common_programs() -> None:
    packet = xmp(
        bag("dc:subject", "Anna", "Rome, Italy", "caf\xe9 &amp; co")
        + bag("lr:hierarchicalSubject", "People|Anna")
        + bag("digiKam:TagsList", "Places/Rome", kind="Seq")
        + bag("dc:title", "A title", "Ein Titel", kind="Alt")
        + "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>Two\nlines</rdf:li></rdf:Alt></dc:description>",
        'xmp:Rating="4"',
    )
    assert read_xmp(packet) == PhotoMetadata(
        keywords=("People/Anna", "Places/Rome", "Anna", "Rome, Italy", "caf\xe9 & co"),
        rating=4,
        title="A title",
        description="Two\nlines",
    )


@pytest.mark.parametrize(
    ("text", "rating"),
    [("5", 5), ("-1", -1), ("0", 0), ("3.0", 3), ("6", None), ("", None), ("NaN", None), ("1e999", None)],
)
def test_ratings_are_parsed_or_ignored(text: str, rating: int | None) -> None:
    assert read_xmp(xmp(attributes=f'xmp:Rating="{text}"')).rating == rating
    assert read_xmp(xmp(f"<xmp:Rating>{text}</xmp:Rating>")).rating == rating


def test_nested_xmp_properties_are_ignored() -> None:
    inner = '<rdf:Description xmp:Rating="1">' + bag("dc:subject", "not mine") + "</rdf:Description>"
    assert read_xmp(xmp(f"<xmp:History>{inner}</xmp:History>", 'xmp:Rating="2"')) == PhotoMetadata(rating=2)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10 if n else b"&b;" * 10) for n in range(9))
    + b"]><a>&b8;</a>"
)


@pytest.mark.parametrize(
    "data",
    [
        BOMB,
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>',
        b"<a>&undefined;</a>",
        b"",
        b"\0" * 100,
        b"<a><b></a>",
        b"\xff\xfe<\0a",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<a>" * 100_000,
        b"<a>" * 200 + b"</a>" * 200,
        xmp()[:-40],
        b" " * (MAX_XMP_BYTES + 1),
    ],
    ids=range(14),
)
def test_invalid_or_malicious_xmp_is_rejected(data: bytes) -> None:
    with pytest.raises(PictureUndecodable):
        read_xmp(data)


def test_xmp_values_are_limited() -> None:
    metadata = read_xmp(xmp(bag("dc:subject", *map(str, range(5_000))) + bag("dc:title", "x" * 10**6, kind="Alt")))
    assert len(metadata.keywords) == 1_000
    assert metadata.title == "x" * 500


@given(st.binary(max_size=60), st.integers(0, 400))
def test_damaged_xmp_raises_only_picture_errors(junk: bytes, place: int) -> None:
    whole = xmp(bag("dc:subject", "a"), 'xmp:Rating="4"')
    with contextlib.suppress(PictureUndecodable):
        read_xmp(whole[:place] + junk + whole[place:])


def records(*fields: tuple[int, int, bytes]) -> bytes:
    return b"".join(b"\x1c" + bytes((r, n)) + len(value).to_bytes(2) + value for r, n, value in fields)


def jpeg(iptc: bytes = b"", **save: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", **save)
    data = file.getvalue()
    block = b"8BIM\x04\x04\0\0" + len(iptc).to_bytes(4) + iptc + b"\0" * (len(iptc) % 2)
    segment = b"Photoshop 3.0\0" + block
    return data[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2) + segment + data[2:] if iptc else data


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        (b"", "Zürich".encode("latin-1"), "Zürich"),
        (b"", "Zürich".encode(), "Zürich"),
        (b"\x1b%G", "Zürich".encode(), "Zürich"),
        (b"\x1b%G", b"Z\xfcrich", "Z\ufffdrich"),
        (b"\x1b-A", "Zürich".encode("latin-1"), "Zürich"),
        (b"", b"a\0b", "a b"),
    ],
)
def test_iptc_is_decoded_in_its_character_set(charset: bytes, raw: bytes, text: str) -> None:
    head = ((1, 90, charset),) if charset else ()
    data = jpeg(records(*head, (2, 25, raw), (2, 25, b"second, one"), (2, 5, raw), (2, 120, b"caption")))
    metadata = decode(data).info.metadata
    assert metadata == PhotoMetadata(keywords=(text, "second, one"), title=text, description="caption")
    assert read_header(io.BytesIO(data)) == metadata


@given(st.binary(max_size=80))
def test_damaged_iptc_never_raises(junk: bytes) -> None:
    image = Image.open(io.BytesIO(jpeg(records((2, 25, b"one")) + junk)))
    assert isinstance(image, ImageFile.ImageFile)
    assert len(read_iptc(image).keywords) <= 1_000


def test_xmp_takes_precedence_over_iptc() -> None:
    packet = xmp(bag("dc:subject", "new"), 'xmp:Rating="2"')
    data = jpeg(records((2, 25, b"old"), (2, 5, b"Title")), xmp=packet)
    assert decode(data).info.metadata == PhotoMetadata(keywords=("new", "old"), rating=2, title="Title")
    assert merge_metadata(PhotoMetadata(), PhotoMetadata(rating=1)) == PhotoMetadata(rating=1)


def test_malicious_xmp_does_not_prevent_decoding() -> None:
    decoded = decode(jpeg(xmp=BOMB))
    assert (decoded.info.width, decoded.info.metadata) == (8, PhotoMetadata())


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_png_metadata_after_the_pixels_is_read(late: bool, compress: bool) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp(bag("dc:subject", "late")).decode(), zip=compress)
    exif = Image.Exif()
    exif[0x0110], exif[0x4746] = "Camera", 5
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=text, exif=exif)
    data = file.getvalue()
    if late:
        data = moved_to_the_end(data)
    for metadata in (read_header(io.BytesIO(data)), decode(data).info.metadata):
        assert metadata == PhotoMetadata(keywords=("late",), rating=5, camera="Camera")


def moved_to_the_end(png: bytes) -> bytes:
    chunks, place = [], 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        chunks.append(png[place : place + length + 12])
        place += length + 12
    chunks.sort(key=lambda chunk: (chunk[4:8] == b"IEND", chunk[4:8] in (b"eXIf", b"iTXt"), chunk[4:8] == b"IDAT"))
    return png[:8] + b"".join(chunks)


def test_compressed_png_chunk_is_limited() -> None:
    packed = zlib.compress(b" " * (MAX_XMP_BYTES * 4))
    body = b"iTXtXML:com.adobe.xmp\0\x01\0\0\0" + packed
    chunk = (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    data = file.getvalue()
    assert read_header(io.BytesIO(data[:-12] + chunk + data[-12:])) == PhotoMetadata()


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "AVIF"])
def test_xmp_of_other_formats_is_read(kind: str, tmp_path: Path) -> None:
    packet = xmp(bag("dc:subject", "here"))
    path = tmp_path / "picture"
    if kind == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[700] = packet
        Image.new("RGB", (8, 8)).save(path, kind, tiffinfo=tags)
    else:
        Image.new("RGB", (8, 8)).save(path, kind, xmp=packet)
    assert decode(path.read_bytes()).info.metadata == PhotoMetadata(keywords=("here",))
    with path.open("rb") as file:
        assert read_header(file) == PhotoMetadata(keywords=("here",))
