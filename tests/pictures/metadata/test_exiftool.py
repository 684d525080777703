"""Facts compared with ExifTool, the reference for metadata: it writes tags into files of every kind and reads them.

ExifTool says what each tag contains. The order of the tags is ours (docs/metadata.md).
"""
# ruff: noqa: DTZ007  (local times are meant)

import io
import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.metadata import Area, DateSource, Person, PhotoMetadata
from pictures.decode import read_header
from pictures.metadata.xmp import read_xmp
from tests.support.tools import miss

FORMATS = ("jpg", "png", "tif", "webp", "avif", "jp2")
SEEDS = range(8)

EXIF_TAGS = {
    "ExifIFD:DateTimeOriginal": "date",
    "ExifIFD:CreateDate": "date",
    "IFD0:ModifyDate": "date",
    "ExifIFD:OffsetTimeOriginal": "zone",
    "ExifIFD:OffsetTimeDigitized": "zone",
    "IFD0:Make": "name",
    "IFD0:Model": "name",
    "ExifIFD:LensModel": "name",
    "ExifIFD:FNumber": (1.4, 2.8, 5.6, 22),
    "ExifIFD:ExposureTime": (0.001, 0.05, 0.5, 30),
    "ExifIFD:ISO": (50, 100, 6400),
    "ExifIFD:FocalLength": (4.2, 35, 600),
    "IFD0:ImageDescription": "text",
    "ExifIFD:UserComment": "text",
    "IFD0:XPTitle": "text",
    "IFD0:XPComment": "text",
    "IFD0:XPKeywords": "words",
    "IFD0:Rating": (1, 3, 5),
    "GPS": "position",
}
XMP_TAGS = {
    "XMP-exif:DateTimeOriginal": "zoned",
    "XMP-photoshop:DateCreated": "zoned",
    "XMP-exif:DateTimeDigitized": "zoned",
    "XMP-xmp:CreateDate": "zoned",
    "XMP-tiff:Make": "name",
    "XMP-tiff:Model": "name",
    "XMP-aux:Lens": "name",
    "XMP-exif:FNumber": (1.8, 4, 11),
    "XMP-exif:ExposureTime": (0.002, 0.25),
    "XMP-exif:ISO": (200, 800),
    "XMP-exif:FocalLength": (24, 85),
    "XMP-dc:Title": "text",
    "XMP-dc:Description": "text",
    "XMP-dc:Subject": "words",
    "XMP-xmp:Rating": (2, 4),
    "XMP-photoshop:City": "name",
    "XMP-photoshop:State": "name",
    "XMP-photoshop:Country": "name",
    "XMP-iptcCore:Location": "name",
    "XMP-iptcExt:PersonInImage": "words",
    "XMP-exif": "position",
}
IPTC_TAGS = {
    "IPTC:DateCreated": "day",
    "IPTC:TimeCreated": "time",
    "IPTC:ObjectName": "text",
    "IPTC:Caption-Abstract": "text",
    "IPTC:Keywords": "words",
    "IPTC:City": "name",
    "IPTC:Province-State": "name",
    "IPTC:Country-PrimaryLocationName": "name",
    "IPTC:Sub-location": "name",
}
WORDS = ("Größe", "harbour", "Ω 日本", "O'Brien & co", "a;b".replace(";", ","), "Nikon", "x")


def exiftool(*arguments: str | Path) -> str:
    program = shutil.which("exiftool") or miss("exiftool", "facts are not compared with a reference")
    command = [program, "-charset", "iptc=UTF8", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def value(rng: random.Random, kind: object) -> Any:
    if isinstance(kind, tuple):
        return rng.choice(kind)
    moment = datetime(rng.randint(1970, 2025), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), 5, 59)  # noqa: DTZ001
    zone = rng.choice(("+02:00", "-05:30", "+00:00", "+14:00"))
    return {
        "date": f"{moment:%Y:%m:%d %H:%M:%S}",
        "zoned": f"{moment:%Y:%m:%d %H:%M:%S}" + rng.choice(("", zone)),
        "day": f"{moment:%Y:%m:%d}",
        "time": f"{moment:%H:%M:%S}{zone}",
        "zone": zone,
        "name": " ".join(rng.sample(WORDS, 2)),
        "text": " ".join(rng.sample(WORDS, 3)),
        "words": rng.sample(WORDS, 2),
    }[str(kind)]


def chosen_tags(rng: random.Random, tags: Mapping[str, object]) -> Iterable[str]:
    """Yield arguments that write a random selection of `tags`."""
    for tag, kind in tags.items():
        if rng.random() < 0.4:
            continue
        if kind == "position":
            latitude, longitude = rng.uniform(-90, 90), rng.uniform(-180, 180)
            yield f"-{tag}:GPSLatitude={latitude:.6f}"
            yield f"-{tag}:GPSLongitude={longitude:.6f}"
            if tag == "GPS":
                yield f"-{tag}:GPSLatitudeRef={'N' if latitude >= 0 else 'S'}"
                yield f"-{tag}:GPSLongitudeRef={'E' if longitude >= 0 else 'W'}"
        elif kind == "words":
            words = value(rng, kind)
            yield from [f"-{tag}={';'.join(words)}"] if "XP" in tag else [f"-{tag}={word}" for word in words]
        else:
            yield f"-{tag}={value(rng, kind)}"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, PhotoMetadata, dict[str, Any]]]:
    """Files of every format with random tags: their names, our facts, and the tags as ExifTool reads them."""
    folder = tmp_path_factory.mktemp("exiftool")
    for seed in SEEDS:
        rng = random.Random(seed)
        files = []
        for suffix in FORMATS:
            files.append(folder / f"{seed}.{suffix}")
            Image.new("RGB", (16, 8)).save(files[-1])
        arguments = [*chosen_tags(rng, EXIF_TAGS), *(chosen_tags(rng, XMP_TAGS) if seed % 4 else ())]
        exiftool("-q", "-n", "-m", "-overwrite_original", *arguments, *files)
        if seed % 2:
            exiftool("-q", "-n", "-m", "-overwrite_original", *chosen_tags(rng, IPTC_TAGS), *files[:1], files[2])
    tags = json.loads(exiftool("-j", "-n", "-a", "-G1", "-charset", "utf8", *sorted(folder.iterdir())))
    cases = []
    for each in tags:
        with Path(each["SourceFile"]).open("rb") as file:
            cases.append((Path(each["SourceFile"]).name, read_header(file), each))
    return cases


def first(tags: Mapping[str, Any], *names: str) -> Any:
    return next((tags[name] for name in names if tags.get(name) not in (None, "")), None)


def text(found: Any) -> str | None:
    return None if found is None else " ".join(str(found).split())


def test_texts_and_numbers(written: list[tuple[str, PhotoMetadata, dict[str, Any]]]) -> None:
    for name, ours, tags in written:
        assert ours.lens == text(first(tags, "XMP-aux:Lens", "ExifIFD:LensModel")), name
        assert ours.iso == first(tags, "XMP-exif:ISO", "ExifIFD:ISO"), name
        for mine, tag in (
            (ours.aperture, "FNumber"),
            (ours.exposure, "ExposureTime"),
            (ours.focal_length, "FocalLength"),
        ):
            expected = first(tags, f"XMP-exif:{tag}", f"ExifIFD:{tag}")
            assert mine == (None if expected is None else pytest.approx(expected, rel=1e-4)), (name, tag)
        assert ours.rating == first(tags, "XMP-xmp:Rating", "IFD0:Rating"), name
        assert text(ours.title) == text(first(tags, "XMP-dc:Title", "IPTC:ObjectName", "IFD0:XPTitle")), name
        descriptions = ("IFD0:ImageDescription", "ExifIFD:UserComment", "IFD0:XPComment")
        assert text(ours.description) == text(
            first(tags, "XMP-dc:Description", "IPTC:Caption-Abstract", *descriptions)
        ), name


def test_cameras(written: list[tuple[str, PhotoMetadata, dict[str, Any]]]) -> None:
    for name, ours, tags in written:
        from_xmp = [text(tags.get(f"XMP-tiff:{each}")) for each in ("Make", "Model")]
        from_exif = [text(tags.get(f"IFD0:{each}")) for each in ("Make", "Model")]
        make, model = from_xmp if any(from_xmp) else from_exif
        expected = (
            model if make and model and model.startswith(make.split()[0]) else " ".join(filter(None, (make, model)))
        )
        assert ours.camera == (expected or None), name


def test_keywords_people_and_places(written: list[tuple[str, PhotoMetadata, dict[str, Any]]]) -> None:
    def listed(found: Any) -> list[str]:
        return [] if found is None else [str(each) for each in found] if isinstance(found, list) else [str(found)]

    for name, ours, tags in written:
        keywords = [*listed(tags.get("XMP-dc:Subject")), *listed(tags.get("IPTC:Keywords"))]
        keywords += [word for each in listed(tags.get("IFD0:XPKeywords")) for word in each.split(";")]
        assert list(ours.keywords) == list(dict.fromkeys(keywords)), name
        assert [person.name for person in ours.people] == listed(tags.get("XMP-iptcExt:PersonInImage")), name
        in_xmp = [f"XMP-photoshop:{each}" for each in ("City", "State", "Country")]
        in_iptc = [f"IPTC:{each}" for each in ("City", "Province-State", "Country-PrimaryLocationName")]
        places = ("XMP-iptcCore:Location", *in_xmp), ("IPTC:Sub-location", *in_iptc)
        expected = next((place for place in places if any(tags.get(tag) for tag in place)), places[0])
        found = (ours.sublocation, ours.city, ours.region, ours.country)
        assert found == tuple(text(tags.get(tag)) for tag in expected), name


def test_positions(written: list[tuple[str, PhotoMetadata, dict[str, Any]]]) -> None:
    for name, ours, tags in written:
        if "XMP-exif:GPSLatitude" in tags:
            expected = [tags["XMP-exif:GPSLatitude"], tags["XMP-exif:GPSLongitude"]]
        elif "GPS:GPSLatitude" in tags:
            south, west = tags["GPS:GPSLatitudeRef"] == "S", tags["GPS:GPSLongitudeRef"] == "W"
            expected = [tags["GPS:GPSLatitude"] * (-1 if south else 1), tags["GPS:GPSLongitude"] * (-1 if west else 1)]
        else:
            expected = [None, None]
        assert [ours.latitude, ours.longitude] == pytest.approx(expected, abs=1e-6), name


DATE = re.compile(r"(\d{4}:\d\d:\d\d)(?: (\d\d:\d\d:\d\d))?(?:\.\d+)?([+-]\d\d:\d\d|Z)?")


def test_dates(written: list[tuple[str, PhotoMetadata, dict[str, Any]]]) -> None:
    for name, ours, tags in written:
        iptc = " ".join(filter(None, (tags.get("IPTC:DateCreated"), tags.get("IPTC:TimeCreated"))))
        original = first(tags, "XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated")
        original = original or (tags.get("IPTC:DateCreated") and iptc) or tags.get("ExifIFD:DateTimeOriginal")
        digitized = first(tags, "XMP-exif:DateTimeDigitized", "XMP-xmp:CreateDate", "ExifIFD:CreateDate")
        modified = tags.get("IFD0:ModifyDate")
        kinds: tuple[tuple[Any, DateSource], ...] = (
            (original, DateSource.ORIGINAL),
            (digitized, DateSource.DIGITIZED),
            (modified, DateSource.MODIFIED),
        )
        expected, source = next(((said, kind) for said, kind in kinds if said), (None, None))
        assert ours.date_source == source, name
        if expected is None:
            assert ours.taken_at is None, name
            continue
        match = DATE.fullmatch(str(expected))
        assert match is not None, expected
        moment = datetime.strptime(f"{match[1]} {match[2] or '00:00:00'}", "%Y:%m:%d %H:%M:%S")
        assert ours.taken_at == moment, name
        if match[3] and match[3] != "Z":
            sign = -1 if match[3][0] == "-" else 1
            assert ours.utc_offset == sign * (int(match[3][1:3]) * 60 + int(match[3][4:])), name


def test_regions(tmp_path: Path) -> None:
    """Structures in a sidecar, as digiKam and Windows write them."""
    sidecar = tmp_path / "a.xmp"
    exiftool(
        "-q",
        "-XMP-mwg-rs:RegionInfo={AppliedToDimensions={W=4000,H=3000,Unit=pixel},RegionList=["
        "{Area={X=0.5,Y=0.5,W=0.2,H=0.4,Unit=normalized},Name=Anna,Type=Face},"
        "{Area={X=0.1,Y=0.1,W=0.1,H=0.1,Unit=normalized},Name=Rex,Type=Pet}]}",
        "-XMP-MP:RegionInfoMP={Regions=[{PersonDisplayName=Ben,Rectangle=0.1|, 0.2|, 0.3|, 0.4}]}",
        sidecar,
    )
    assert read_xmp(sidecar.read_bytes()).people == (
        Person("Anna", Area(0.4, 0.3, 0.2, 0.4)),
        Person("Ben", Area(0.1, 0.2, 0.3, 0.4)),
    )


def test_pictures_without_metadata_have_no_facts() -> None:
    for suffix in FORMATS:
        file = io.BytesIO()
        names = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}
        Image.new("RGB", (16, 8)).save(file, names.get(suffix, suffix.upper()))
        file.seek(0)
        assert read_header(file) == PhotoMetadata()
