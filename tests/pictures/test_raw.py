"""RAW files: the largest preview, upright, with the size and the metadata of the full picture."""

import ctypes
import io
import os
import struct
import sys
from datetime import datetime

import numpy as np
import pytest
from PIL import ExifTags, Image

from core.errors import PictureUndecodable, PictureUnsupported
from pictures.decode import decode, read_header
from pictures.extras import extra_is_installed
from pictures.raw.messages import without_libraw_messages
from tests.support.raw_files import CFA, cr3, jpeg_of, raf, rotated_dng, rw2, sensor_dng, tiff_tree

RED, BLUE, LIME = (254, 0, 0), (0, 0, 254), (0, 255, 1)


@pytest.fixture(autouse=True)
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.raw.image.extra_is_installed", lambda _: False)


def test_dng_is_its_preview_with_the_size_of_the_sensor_and_upright() -> None:
    decoded = decode(rotated_dng(jpeg_of("red")))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("DNG", 3000, 4000)
    assert decoded.image.size == (288, 384)
    assert decoded.image.getpixel((5, 5)) == RED


def test_facts_are_those_of_the_raw_file() -> None:
    metadata = decode(rotated_dng(jpeg_of("red"))).info.metadata
    assert metadata.taken_at == datetime(2021, 5, 6, 7, 8, 9)  # noqa: DTZ001
    assert (metadata.camera, metadata.aperture, metadata.iso) == ("Maker Model 1", 2.8, 400)
    assert read_header(io.BytesIO(rotated_dng(jpeg_of("red")))) == metadata


def test_preview_that_is_upright_already_is_not_rotated_again() -> None:
    decoded = decode(rotated_dng(jpeg_of("red", (288, 384))))
    assert (decoded.info.width, decoded.info.height) == (3000, 4000)
    assert decoded.image.size == (288, 384)


@pytest.mark.parametrize("order", ["<", ">"])
def test_largest_of_several_previews_is_taken(order: str) -> None:
    small, large = jpeg_of("red", (320, 260)), jpeg_of("blue", (640, 480))
    sensor = {254: 0, 256: 6000, 257: 4000, 259: 34713, 262: CFA, 273: 16, 279: 4}
    previews = [{254: 1, 259: 6, 513: name, 514: len(data)} for name, data in (("small", small), ("large", large))]
    thumbnail = {254: 1, 256: 160, 257: 120, 258: 8, 259: 1, 262: 2, 271: "NIKON CORPORATION", 272: "NIKON D1"}
    data = tiff_tree(
        [thumbnail], order=order, subdirectories=[*previews, sensor], blobs={"small": small, "large": large}
    )
    decoded = decode(data)
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("NEF", 6000, 4000)
    assert decoded.image.size == (640, 480)
    assert decoded.image.getpixel((5, 5)) == BLUE


@pytest.mark.parametrize(
    ("make", "form"), [("SONY", "ARW"), ("RICOH", "PEF"), ("SAMSUNG", "SRW"), ("Hasselblad", "RAW")]
)
def test_format_is_that_of_the_camera_maker(make: str, form: str) -> None:
    main = {271: make, 256: 6000, 257: 4000, 259: 65535, 262: CFA, 273: 16, 279: 4}
    data = tiff_tree([main, {259: 6, 513: "jpeg", 514: len(jpeg_of("red"))}], blobs={"jpeg": jpeg_of("red")})
    assert decode(data).info.format == form


def test_cr2_has_the_size_that_its_exif_names() -> None:
    jpeg = jpeg_of("red")
    main = {256: 384, 257: 288, 259: 6, 273: "jpeg", 279: len(jpeg), 271: "Canon"}
    data = bytearray(tiff_tree([main], exif={40962: 5184, 40963: 3456}, blobs={"jpeg": jpeg}))
    data[8:12] = b"CR\2\0"
    decoded = decode(bytes(data))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("CR2", 5184, 3456)


def test_rw2_has_the_size_within_its_borders() -> None:
    decoded = decode(rw2(jpeg_of("red")))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("RW2", 4000, 3000)
    assert decoded.info.metadata.camera == "Panasonic DC-X"
    assert decoded.image.getpixel((5, 5)) == RED


@pytest.mark.parametrize("signature", [b"IIRO", b"IIRS", b"MMOR"])
def test_preview_that_only_the_notes_of_the_maker_name_is_found(signature: bytes) -> None:
    order = ">" if signature[:1] == b"M" else "<"
    notes = b"OLYMPUS\0II\3\0" + bytes(100) + jpeg_of("red")
    main = {256: 4000, 257: 3000, 258: 16, 262: 1, 271: "OLYMPUS", 272: "E-X", 273: 16, 274: 8, 279: 10}
    decoded = decode(tiff_tree([main], order=order, signature=signature, exif={37500: notes}))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("ORF", 3000, 4000)
    assert decoded.image.size == (288, 384)


def test_raf_has_the_facts_of_its_jpeg() -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "FUJIFILM", "X-X", 8
    decoded = decode(raf(jpeg_of("red", exif=exif)))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("RAF", 4000, 6000)
    assert decoded.info.metadata.camera == "FUJIFILM X-X"
    assert decoded.image.size == (288, 384)


def jpeg_with_details() -> bytes:
    exif = Image.Exif()
    exif[271], exif[272] = "FUJIFILM", "X-X"
    exif.get_ifd(ExifTags.IFD.Exif).update({33437: 5.6, 34855: 400, 36867: "2021:05:06 07:08:09"})
    return jpeg_of("red", exif=exif)


def test_raf_that_is_cut_within_its_jpeg_has_facts_and_no_picture() -> None:
    data = raf(jpeg_with_details())[:1000]
    metadata = read_header(io.BytesIO(data))
    assert (metadata.camera, metadata.aperture, metadata.iso) == ("FUJIFILM X-X", 5.6, 400)
    with pytest.raises(PictureUndecodable, match="truncated"):
        decode(data)


def test_facts_that_a_raw_file_lacks_are_those_of_its_jpeg() -> None:
    metadata = read_header(io.BytesIO(rw2(jpeg_with_details())))
    assert (metadata.camera, metadata.aperture, metadata.iso) == ("Panasonic DC-X", 5.6, 400)
    metadata = read_header(io.BytesIO(rw2(jpeg_with_details(), iso=80)))
    assert (metadata.aperture, metadata.iso) == (5.6, 80)


def test_iptc_of_a_raw_file_is_read() -> None:
    records = b"".join(
        b"\x1c\2" + bytes([number, 0, len(text)]) + text for number, text in ((90, b"Prague"), (25, b"bridge"))
    )
    main = {254: 1, 271: "NIKON", 272: "D1", 259: 7, 262: 6, 256: 384, 257: 288, 33723: records}
    sensor = {254: 0, 256: 400, 257: 300, 259: 7, 262: CFA}
    metadata = read_header(io.BytesIO(tiff_tree([main], subdirectories=[sensor])))
    assert (metadata.city, metadata.keywords) == ("Prague", ("bridge",))


def test_cr3_has_its_preview_or_the_jpeg_of_a_track() -> None:
    decoded = decode(cr3(jpeg_of("red"), orientation=8))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("CR3", 4000, 6000)
    assert decoded.image.getpixel((5, 5)) == RED
    metadata = decoded.info.metadata
    assert (metadata.camera, metadata.iso, metadata.latitude) == ("Canon EOS X", 200, 10.5)
    assert decode(cr3(jpeg_of("red"), jpeg_of("blue", (600, 400)))).image.size == (600, 400)


def test_preview_is_decoded_at_a_reduced_scale() -> None:
    decoded = decode(rotated_dng(jpeg_of("red", (1600, 1200))), shortest_side=64)
    assert decoded.image.size == (150, 200)
    assert (decoded.info.width, decoded.info.height) == (3000, 4000)


def test_picture_without_compression_is_a_preview_too() -> None:
    image = Image.new("RGB", (320, 300), "lime")
    main = {254: 1, 271: "NIKON", 256: 160, 257: 120, 258: [8, 8, 8], 259: 1, 262: 2, 273: 16, 279: 3, 277: 3}
    scan = {254: 0, 256: 320, 257: 300, 258: [8, 8, 8], 259: 1, 262: 2, 277: 3, 278: 300}
    scan |= {273: "pixels", 279: 320 * 300 * 3}
    decoded = decode(tiff_tree([main], subdirectories=[scan], blobs={"pixels": image.tobytes()}))
    assert (decoded.info.format, decoded.info.width, decoded.info.height) == ("NEF", 320, 300)
    assert decoded.image.getpixel((5, 5)) == (0, 255, 0)


def test_mask_is_no_preview() -> None:
    mask = jpeg_of("blue", (600, 500))
    main = {271: "Maker", 50706: b"\1\4\0\0", 259: 7, 262: 6, 254: 1, 256: 384, 257: 288, 273: "jpeg"}
    main[279] = len(jpeg_of("red"))
    of_mask = {254: 0x10004, 256: 600, 257: 500, 259: 7, 262: 1, 273: "mask", 279: len(mask)}
    data = tiff_tree([main], subdirectories=[of_mask], blobs={"jpeg": jpeg_of("red"), "mask": mask})
    assert decode(data).image.getpixel((5, 5)) == RED


def test_raw_file_with_only_a_thumbnail_names_the_extra() -> None:
    with pytest.raises(PictureUnsupported, match=r"pip install 'sightline\[raw\]'") as caught:
        decode(rotated_dng(jpeg_of("red", (160, 120)), size=(80, 60)))
    assert caught.value.extra == "raw"


def test_file_that_is_too_small_for_its_picture_is_cut() -> None:
    with pytest.raises(PictureUndecodable, match="is cut"):
        decode(rotated_dng(jpeg_of("red", (160, 120))))


def test_raw_file_whose_preview_is_cut_is_undecodable() -> None:
    main = {271: "Maker", 50706: b"\1\4\0\0", 256: 4000, 257: 3000, 262: CFA, 513: 5_000, 514: 100_000}
    with pytest.raises(PictureUndecodable, match="is cut"):
        decode(tiff_tree([main]))


@pytest.mark.skipif(not extra_is_installed("raw"), reason="needs the extra `raw`")
def test_sensor_data_is_decoded_where_there_is_no_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pictures.raw.image.extra_is_installed", extra_is_installed)
    decoded = decode(sensor_dng())
    assert (decoded.info.width, decoded.info.height) == (96, 128)
    assert decoded.image.size == (48, 64)  # half the size, upright
    red, green, _ = np.asarray(decoded.image)[32, 24]
    assert red > 200 > 60 > green


def test_scanned_tiff_is_no_raw_file() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[271] = "NIKON"
    Image.new("RGB", (20, 10), "blue").save(file, "TIFF", exif=exif)
    assert decode(file.getvalue()).info.format == "TIFF"


@pytest.mark.skipif(not extra_is_installed("raw"), reason="needs the extra `raw`")
@pytest.mark.skipif(sys.platform != "linux", reason="the standard error of C has another name")
def test_libraw_prints_nothing_about_a_cut_file(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pictures.raw.image.extra_is_installed", extra_is_installed)
    monkeypatch.setattr("pictures.raw.image.is_cut", lambda *_: False)
    data, strip = sensor_dng(), struct.Struct("<HHII")  # tag, type, count, place
    data = data.replace(strip.pack(273, 4, 1, 16), strip.pack(273, 4, 1, len(data) - 5_000))
    with pytest.raises(PictureUndecodable, match="LibRaw cannot decode it"):
        decode(data)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the standard error of C has another name")
def test_messages_of_other_libraries_are_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    library = ctypes.CDLL(None)

    def say(text: bytes) -> None:
        library.fputs(text, ctypes.c_void_p.in_dll(library, "stderr"))

    with without_libraw_messages():
        with without_libraw_messages():  # as in two threads
            say(b"a.cr2: Unexpected end of file\n")
            say(b"no memory\n")
        os.write(2, b"at once\n")
        say(b"a.cr2: data corrupted at 77\n")
    say(b"afterwards\n")
    assert capfd.readouterr().err.splitlines() == ["at once", "no memory", "afterwards"]
