"""Facts of sidecars and of names, from the files beside a picture to the catalogue: applied, changed, taken back."""
# ruff: noqa: DTZ001  (local times are meant)

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from PIL import Image
from sqlalchemy import select, update

import indexer.refresh
from core.errors import PictureUnreadable
from core.metadata import Area, DateSource, Person, PhotoMetadata
from encoders.fake import FakeEncoder
from indexer import index
from pictures.decode import read_header
from pictures.metadata.sidecar_files import read_sidecars
from store import Library
from store.catalog.tables import Content
from store.forget import forget
from store.ingest.metadata import MetadataRefresh
from store.queries import ContentRecord, load_content_records

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" {values}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"""

Reindex = Callable[[], int]


def xmp(date: str = "", city: str = "", inside: str = "") -> str:
    values = [f'exif:DateTimeOriginal="{date}"'] if date else []
    values += [f'photoshop:City="{city}"'] if city else []
    return XMP.format(values=" ".join(values), inside=inside)


def picture(path: Path, colour: str = "red", date: str = "", orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if date:
        exif.get_ifd(0x8769)[0x9003] = date
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (16, 8), colour).save(path, exif=exif)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "pictures"
    path.mkdir()
    return path


@pytest.fixture
def reindex(library: Library, folder: Path, encoder: FakeEncoder) -> Reindex:
    return lambda: index(library, folder, encoder).metadata_updated


def records(library: Library) -> dict[str, ContentRecord]:
    with library.read() as connection:
        ids = list(connection.execute(select(Content.id)).scalars())
    return {record.paths[0].name: record for record in load_content_records(library, ids).values()}


def dates(library: Library) -> dict[str, tuple[datetime | None, DateSource | None]]:
    return {name: (record.taken_at, record.date_source) for name, record in records(library).items()}


CAMERA = (datetime(2024, 1, 1, 10), DateSource.ORIGINAL)
CORRECTED = (datetime(2019, 10, 8, 6, 59, 43), DateSource.ORIGINAL)


def test_a_sidecar_corrects_the_date_until_it_is_gone(library: Library, folder: Path, reindex: Reindex) -> None:
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    beside = folder / "a.jpg.xmp"
    beside.write_text(xmp("2019-10-08T06:59:43"))
    assert reindex() == 1
    assert dates(library) == {"a.jpg": CORRECTED}
    assert reindex() == 0
    beside.write_text(xmp("2018-01-01T00:00:01", "Rome"))
    assert reindex() == 1
    assert dates(library) == {"a.jpg": (datetime(2018, 1, 1, 0, 0, 1), DateSource.ORIGINAL)}
    assert records(library)["a.jpg"].city == "Rome"
    beside.write_text(xmp())
    assert reindex() == 1
    assert dates(library) == {"a.jpg": CAMERA}
    assert records(library)["a.jpg"].city is None
    beside.write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    beside.unlink()
    reindex()
    assert dates(library) == {"a.jpg": CAMERA}
    assert reindex() == 0


def test_facts_follow_the_picture_when_it_is_replaced(library: Library, folder: Path, reindex: Reindex) -> None:
    """The sidecar is unchanged; the old content, which has a copy, gets its own date back."""
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    (folder / "z.jpg").write_bytes((folder / "a.jpg").read_bytes())
    (folder / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    assert dates(library) == {"a.jpg": CORRECTED}  # and its copy
    picture(folder / "a.jpg", "lime", date="2023:01:01 10:00:00")
    reindex()
    assert dates(library) == {"a.jpg": CORRECTED, "z.jpg": CAMERA}
    assert reindex() == 0


def test_of_two_copies_the_first_picture_wins(library: Library, folder: Path, reindex: Reindex) -> None:
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    (folder / "b.xmp").write_text(xmp("2001-01-01T00:00:01", "Paris"))
    reindex()
    assert records(library)["a.jpg"].city == "Paris"
    (folder / "a.xmp").write_text(xmp("2019-10-08T06:59:43", "Rome"))
    reindex()
    assert (dates(library)["a.jpg"], records(library)["a.jpg"].city) == (CORRECTED, "Rome")
    (folder / "b.xmp").write_text(xmp("2002-01-01T00:00:01", "Prague"))
    reindex()
    assert (dates(library)["a.jpg"], records(library)["a.jpg"].city) == (CORRECTED, "Rome")
    (folder / "a.xmp").unlink()
    reindex()
    assert records(library)["a.jpg"].city == "Prague"


COPY = (datetime(2020, 5, 5, 5), DateSource.ORIGINAL)


def delete_file(first: Path) -> None:
    first.unlink()


def damage_file(first: Path) -> None:
    first.write_bytes(b"no picture")


def replace_file(first: Path) -> None:
    picture(first, "lime", date="2024:01:01 10:00:00")


@pytest.mark.parametrize("leaves", [delete_file, damage_file, replace_file])
@pytest.mark.parametrize("with_sidecar", [True, False], ids=["sidecar too", "file alone"])
def test_facts_leave_with_the_picture_and_return_with_it(
    library: Library, folder: Path, reindex: Reindex, leaves: Callable[[Path], None], with_sidecar: bool
) -> None:
    first, beside = picture(folder / "a1.jpg", date="2020:05:05 05:00:00"), folder / "a1.jpg.xmp"
    data = first.read_bytes()
    (folder / "copy_a1.jpg").write_bytes(data)
    beside.write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    assert list(dates(library).values()) == [CORRECTED]
    leaves(first)
    if with_sidecar:
        beside.unlink()
    reindex()
    assert dates(library)["copy_a1.jpg"] == COPY
    assert reindex() == 0
    first.write_bytes(data)
    beside.write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    assert dates(library)["a1.jpg"] == CORRECTED
    assert reindex() == 0


def test_facts_return_with_a_picture_that_is_back_unread(library: Library, folder: Path, reindex: Reindex) -> None:
    """The folder is moved away and back, so that no file is read again."""
    picture(folder / "z" / "b.jpg", date="2020:05:05 05:00:00")
    picture(folder / "trip" / "a.jpg", date="2020:05:05 05:00:00")
    (folder / "trip" / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    (folder / "trip").rename(folder.parent / "away")
    reindex()
    assert dates(library) == {"b.jpg": COPY}
    (folder.parent / "away").rename(folder / "trip")
    reindex()
    assert dates(library) == {"a.jpg": CORRECTED}
    assert reindex() == 0


def test_forgetting_a_copy_takes_back_its_facts(library: Library, folder: Path, reindex: Reindex) -> None:
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    (folder / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    forget(library, folder / "a.jpg")
    (folder / "a.jpg").unlink()
    (folder / "a.xmp").unlink()
    reindex()
    assert dates(library) == {"b.jpg": CAMERA}


def test_an_interrupted_run_is_continued(
    library: Library, folder: Path, reindex: Reindex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is killed after the sidecar was read, and before the header is read again."""
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    reindex()
    (folder / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))

    def killed(_self: MetadataRefresh, _metadata: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MetadataRefresh, "update_contents", killed)
        with pytest.raises(KeyboardInterrupt):
            reindex()
    assert dates(library) == {"a.jpg": CAMERA}
    assert reindex() == 1
    assert dates(library) == {"a.jpg": CORRECTED}


def test_files_are_read_while_others_may_write(
    library: Library, folder: Path, reindex: Reindex, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    reindex()
    (folder / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))
    was_free: list[bool] = []

    def watched(read: Callable[..., Any]) -> Callable[..., Any]:
        def check(*args: Any) -> Any:
            with library.exclusive_if_free() as writer:  # in another thread than that of the run
                was_free.append(writer is not None)
            return read(*args)

        return check

    monkeypatch.setattr(indexer.refresh, "read_sidecars", watched(read_sidecars))
    monkeypatch.setattr(indexer.refresh, "read_header", watched(read_header))
    reindex()
    assert was_free == [True, True]
    assert dates(library) == {"a.jpg": CORRECTED}


def test_sidecar_of_a_copy_that_another_run_reads_at_the_same_time_counts(
    library: Library, folder: Path, reindex: Reindex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run ends after the header was read, and before the metadata is written."""
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    reindex()
    copies = tmp_path / "copies"
    shutil.copytree(folder, copies)
    (copies / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))
    with library.transaction() as connection:
        connection.execute(update(Content).values(facts_version=0))
    other_runs = iter([True])

    def after_another_run(file: BinaryIO) -> PhotoMetadata:
        header = read_header(file)
        if next(other_runs, False):
            index(library, copies, FakeEncoder())
        return header

    monkeypatch.setattr(indexer.refresh, "read_header", after_another_run)
    reindex()
    assert set(dates(library).values()) == {CORRECTED}


def test_a_picture_that_cannot_be_read_keeps_its_facts(
    library: Library, folder: Path, reindex: Reindex, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(folder / "a.jpg", date="2024:01:01 10:00:00")
    reindex()
    (folder / "a.xmp").write_text(xmp("2019-10-08T06:59:43"))

    def unreadable(_file: object) -> None:
        raise PictureUnreadable("the disk is broken")

    with monkeypatch.context() as patch:
        patch.setattr(indexer.refresh, "read_header", unreadable)
        reindex()
    assert dates(library) == {"a.jpg": CAMERA}
    reindex()
    assert dates(library) == {"a.jpg": CORRECTED}


def test_takeout_fills_gaps(library: Library, folder: Path, reindex: Reindex) -> None:
    picture(folder / "a.jpg")
    picture(folder / "b.jpg", "lime", date="2024:01:01 10:00:00")
    record = {
        "title": "a.jpg",
        "description": "harbour at night",
        "photoTakenTime": {"timestamp": "1258375918"},
        "geoData": {"latitude": 30.6578, "longitude": 104.0739},
        "people": [{"name": "Anna"}],
    }
    for name in ("a.jpg", "b.jpg"):
        (folder / f"{name}.supplemental-metadata.json").write_text(json.dumps(record))
    reindex()
    found = records(library)
    assert dates(library) == {"a.jpg": (datetime(2009, 11, 16, 12, 51, 58), DateSource.RECORDED), "b.jpg": CAMERA}
    assert (found["a.jpg"].utc_offset, found["b.jpg"].utc_offset) == (0, None)
    assert [each.people for each in found.values()] == [(Person("Anna"),)] * 2
    assert [each.latitude for each in found.values()] == [30.6578] * 2
    with library.read() as connection:
        assert list(connection.execute(select(Content.description)).scalars()) == ["harbour at night"] * 2
    (folder / "a.jpg.xmp").write_text(xmp("2019-10-08T06:59:43"))
    reindex()
    assert dates(library)["a.jpg"] == CORRECTED
    assert records(library)["a.jpg"].people == (Person("Anna"),)


def test_a_date_in_the_name_is_the_last_resort(library: Library, folder: Path, reindex: Reindex) -> None:
    picture(folder / "IMG-20201018-WA0007.jpg")
    picture(folder / "IMG-20201018-WA0008.jpg", "lime", date="2024:01:01 10:00:00")
    reindex()
    by_name = (datetime(2020, 10, 18), DateSource.NAME)
    assert dates(library) == {"IMG-20201018-WA0007.jpg": by_name, "IMG-20201018-WA0008.jpg": CAMERA}
    (folder / "IMG-20201018-WA0007.jpg").rename(folder / "2021-01-02 beach.jpg")
    reindex()
    assert dates(library)["2021-01-02 beach.jpg"] == (datetime(2021, 1, 2), DateSource.NAME)
    (folder / "2021-01-02 beach.jpg").rename(folder / "beach.jpg")
    reindex()
    assert dates(library)["beach.jpg"] == (None, None)


def test_faces_in_a_sidecar_are_turned_as_the_picture_is(library: Library, folder: Path, reindex: Reindex) -> None:
    picture(folder / "a.jpg", orientation=6)
    area = "<mwg-rs:Area stArea:x='0.25' stArea:y='0.5' stArea:w='0.5' stArea:h='0.5'/>"
    region = f"<rdf:li><rdf:Description mwg-rs:Name='Anna' mwg-rs:Type='Face'>{area}</rdf:Description></rdf:li>"
    regions = f"<mwg-rs:RegionList><rdf:Bag>{region}</rdf:Bag></mwg-rs:RegionList>"
    (folder / "a.xmp").write_text(xmp(inside=f"<mwg-rs:Regions rdf:parseType='Resource'>{regions}</mwg-rs:Regions>"))
    reindex()
    assert records(library)["a.jpg"].people == (Person("Anna", Area(0.25, 0.0, 0.5, 0.5)),)


def test_a_date_in_the_name_of_a_copy_goes_with_it(library: Library, folder: Path, reindex: Reindex) -> None:
    first = picture(folder / "IMG-20201018-WA0007.jpg")
    (folder / "later").mkdir()
    (folder / "later" / "beach.jpg").write_bytes(first.read_bytes())
    reindex()
    assert set(dates(library).values()) == {(datetime(2020, 10, 18), DateSource.NAME)}
    first.rename(folder.parent / "away.jpg")
    reindex()
    assert dates(library) == {"beach.jpg": (None, None)}
    (folder.parent / "away.jpg").rename(first)
    reindex()
    assert set(dates(library).values()) == {(datetime(2020, 10, 18), DateSource.NAME)}


def test_cut_names_of_takeout_are_resolved_by_the_titles(library: Library, folder: Path, reindex: Reindex) -> None:
    long = "Backyard_ceremony_wedding_photography_xxxxxxx_"  # 46 characters
    for number, name in enumerate(("one", "two"), start=1):
        picture(folder / f"{long}{name}.jpg", ("red", "lime")[number - 1])
        record = {"title": f"{long}{name}.jpg", "photoTakenTime": {"timestamp": str(number * 86_400)}}
        (folder / f"{long}{'(1)' * (number == 1)}.json").write_text(json.dumps(record))
    reindex()
    assert {name[-7:]: moment for name, (moment, _) in dates(library).items()} == {
        "one.jpg": datetime(1970, 1, 2),
        "two.jpg": datetime(1970, 1, 3),
    }
