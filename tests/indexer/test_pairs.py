"""RAW files and moving parts beside a picture: recorded as its companions, and pictures of their own without it."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from store import Library
from store.albums.by_hand import create_album
from store.albums.listing import contents_in_order, summarize_album
from store.catalog.tables import Picture, PictureState, TagSource
from store.check import verify
from store.ingest.scanned_files import unpack_names
from store.queries import count_by_state
from store.ratings import rate
from store.tags import Tagging, add_tags, tags_of
from tests.support.indexing import CountingEncoder, nonzero_counts
from tests.support.raw_files import jpeg_of, rotated_dng

Paint = Callable[..., Path]
ALONE = IndexSettings(scan=ScanSettings(pairs=False))


@pytest.fixture
def shots(tmp_path: Path, paint: Paint) -> Path:
    """Two shots of two files each, and one that is a RAW file alone. The RAW files contain a PNG."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for name, colour in {
        "a.jpg": "red",
        "a.nef": "green",
        "b.jpg": "blue",
        "b.nef": "yellow",
        "c.nef": "white",
    }.items():
        paint(folder / f"{name}.png", colour).rename(folder / name)
    return folder


def states(library: Library) -> dict[str, str]:
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.state)).all()
    return {os.fsdecode(row.relpath): row.state for row in rows}


def companions(library: Library) -> dict[str, list[bytes]]:
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.companions)).all()
    return {os.fsdecode(row.relpath): unpack_names(row.companions) for row in rows if row.companions}


def test_a_raw_file_beside_a_jpeg_is_its_companion(library: Library, shots: Path, counting: CountingEncoder) -> None:
    first = index(library, [shots], counting)
    assert nonzero_counts(first) == {"new": 3, "embedded": 3}
    assert first.companions == 2
    assert companions(library) == {"a.jpg": [b"a.nef"], "b.jpg": [b"b.nef"]}
    assert index(library, [shots], counting).companions == 2
    assert counting.embedded == 3


def test_the_raw_file_becomes_a_picture_when_the_jpeg_goes(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    index(library, [shots], counting)
    (shots / "a.jpg").unlink()
    assert nonzero_counts(index(library, [shots], counting)) == {
        "new": 1, "unchanged": 2, "missing": 1, "embedded": 1,
    }  # fmt: skip


def test_a_jpeg_that_comes_later_takes_the_place_of_the_raw_file(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    jpeg = (shots / "a.jpg").read_bytes()
    (shots / "a.jpg").unlink()
    index(library, [shots], counting)
    assert states(library) == {"a.nef": "present", "b.jpg": "present", "c.nef": "present"}
    (shots / "a.jpg").write_bytes(jpeg)
    paired = index(library, [shots], counting)
    assert nonzero_counts(paired) == {"new": 1, "unchanged": 2, "embedded": 1}  # nothing is missing
    assert states(library)["a.nef"] == "paired"
    assert count_by_state(library) == {
        PictureState.PRESENT: 3, PictureState.MISSING: 0, PictureState.FAILED: 0,
    }  # fmt: skip
    assert verify(library) == []
    before = counting.embedded
    (shots / "a.jpg").unlink()
    assert nonzero_counts(index(library, [shots], counting)) == {"restored": 1, "unchanged": 2, "missing": 1}
    assert counting.embedded == before  # its vector was kept
    assert states(library)["a.nef"] == "present"


def test_a_companion_that_is_deleted_later_is_missing(library: Library, shots: Path, counting: CountingEncoder) -> None:
    index(library, [shots], counting, ALONE)
    index(library, [shots], counting)
    assert states(library)["a.nef"] == "paired"
    (shots / "a.nef").unlink()
    assert nonzero_counts(index(library, [shots], counting)) == {"unchanged": 3, "missing": 1}
    assert states(library)["a.nef"] == "missing"
    assert companions(library) == {"b.jpg": [b"b.nef"]}


def test_pairs_can_be_turned_off_and_on(library: Library, shots: Path, counting: CountingEncoder) -> None:
    assert nonzero_counts(index(library, [shots], counting, ALONE)) == {"new": 5, "embedded": 5}
    assert nonzero_counts(index(library, [shots], counting)) == {"unchanged": 3}
    assert nonzero_counts(index(library, [shots], counting, ALONE)) == {"unchanged": 3, "restored": 2}
    assert companions(library) == {}
    assert counting.embedded == 5


def test_a_failed_raw_file_that_becomes_a_companion_fails_no_more(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    (shots / "c.nef").write_bytes(b"no picture")
    assert index(library, [shots], counting).failed == 1
    (shots / "c.jpg").write_bytes((shots / "a.jpg").read_bytes())
    assert nonzero_counts(index(library, [shots], counting)) == {"new": 1, "unchanged": 2, "duplicates": 1}
    (shots / "c.jpg").unlink()
    assert nonzero_counts(index(library, [shots], counting)) == {"unchanged": 2, "missing": 1, "failed": 1}


def test_a_copy_of_a_companion_is_not_a_move(library: Library, shots: Path, counting: CountingEncoder) -> None:
    index(library, [shots], counting, ALONE)
    (shots / "more").mkdir()
    (shots / "more" / "a.nef").write_bytes((shots / "a.nef").read_bytes())
    assert nonzero_counts(index(library, [shots], counting)) == {"new": 1, "duplicates": 1, "unchanged": 3}
    assert states(library)["a.nef"] == "paired"


def test_a_damaged_jpeg_does_not_hide_its_raw_file(library: Library, tmp_path: Path, counting: CountingEncoder) -> None:
    folder = tmp_path / "card"
    folder.mkdir()
    jpeg, raw = folder / "IMG_1.JPG", folder / "IMG_1.DNG"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (288, 384, 3), np.uint8)).save(jpeg, "JPEG")
    whole = jpeg.read_bytes()
    jpeg.write_bytes(whole[:900])
    raw.write_bytes(rotated_dng(jpeg_of("red")))
    damaged = index(library, [folder], counting)
    assert nonzero_counts(damaged) == {"new": 1, "failed": 1, "embedded": 1}
    assert damaged.companions == 0
    assert states(library) == {"IMG_1.DNG": "present", "IMG_1.JPG": "failed"}
    assert nonzero_counts(index(library, [folder], counting)) == {"unchanged": 1, "failed": 1}
    jpeg.write_bytes(whole)
    index(library, [folder], counting)
    assert states(library) == {"IMG_1.DNG": "paired", "IMG_1.JPG": "present"}
    again = index(library, [folder], counting)
    assert (nonzero_counts(again), again.companions) == ({"unchanged": 1}, 1)
    jpeg.write_bytes(whole[:900])
    assert nonzero_counts(index(library, [folder], counting)) == {"failed": 1, "restored": 1}
    assert states(library) == {"IMG_1.DNG": "present", "IMG_1.JPG": "failed"}
    assert verify(library) == []


SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("sidecar", ["a.xmp", "a.jpg.xmp", "a.nef.xmp"])
def test_the_raw_file_of_a_damaged_jpeg_has_the_sidecars_of_the_shot(
    library: Library, shots: Path, counting: CountingEncoder, sidecar: str
) -> None:
    (shots / "a.jpg").write_bytes(b"no picture")
    (shots / sidecar).write_text(SIDECAR)
    assert index(library, [shots], counting).metadata_updated == 1
    assert index(library, [shots], counting).metadata_updated == 0


def test_a_companion_of_two_pictures_is_one_while_either_is_readable(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    (shots / "a.jpeg").write_bytes(b"no picture")
    index(library, [shots], counting)
    assert states(library) == {"a.jpeg": "failed", "a.jpg": "present", "b.jpg": "present", "c.nef": "present"}
    (shots / "a.jpg").write_bytes(b"no picture either")
    index(library, [shots], counting)
    assert states(library)["a.nef"] == "present"


def test_a_full_run_reads_each_file_of_a_damaged_shot_once(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    (shots / "a.jpg").write_bytes(b"no picture")
    index(library, [shots], counting)
    assert nonzero_counts(index(library, [shots], counting, IndexSettings(full=True))) == {"unchanged": 3, "failed": 1}


@pytest.mark.parametrize("seed", range(6))
def test_a_shot_is_found_while_one_of_its_files_is_readable(
    library: Library, tmp_path: Path, paint: Paint, counting: CountingEncoder, seed: int
) -> None:
    """Files of three shots are written, damaged and deleted in any order."""
    chance, folder = random.Random(seed), tmp_path / "shots"
    paint(folder / "always.png", "white")
    names = [f"{stem}.{suffix}" for stem in "abc" for suffix in ("jpg", "jpeg", "nef", "mov")]
    for _ in range(6):
        for name in chance.sample(names, 4):
            draft = paint(tmp_path / "draft.png", (chance.randrange(256), chance.randrange(256), 0))
            content = chance.choice([draft.read_bytes(), b"no picture", None])
            (folder / name).unlink(missing_ok=True)
            if content is not None:
                (folder / name).write_bytes(content)
        index(library, [folder], counting)
        files = {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}
        readable = {name for name, data in files.items() if data != b"no picture"}
        pictures = {name for name, state in states(library).items() if state == "present"} - {"always.png"}
        assert {name[0] for name in pictures} == {name[0] for name in readable}
        stills = {name for name in readable if name.endswith(("jpg", "jpeg"))}
        shots_of_stills = {name[0] for name in stills}
        assert pictures == stills | {name for name in readable if name[0] not in shots_of_stills}
        again = nonzero_counts(index(library, [folder], counting))
        assert again.keys() <= {"unchanged", "failed"}
        assert again["unchanged"] == len(pictures) + 1
    assert verify(library) == []


def content_ids(library: Library) -> dict[str, int]:
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.content_id)).all()
    return {os.fsdecode(row.relpath): row.content_id for row in rows if row.content_id is not None}


def test_tags_of_the_user_pass_from_a_raw_file_to_its_jpeg(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    jpeg = (shots / "a.jpg").read_bytes()
    (shots / "a.jpg").unlink()
    index(library, [shots], counting)
    ids = content_ids(library)
    add_tags(library, [Tagging(ids["a.nef"], "Holiday"), Tagging(ids["c.nef"], "Work"), Tagging(ids["b.jpg"], "Home")])
    add_tags(library, [Tagging(ids["a.nef"], "Beach", 0.9)], TagSource.MODEL)
    (shots / "a.jpg").write_bytes(jpeg)
    index(library, [shots], counting)
    ids = content_ids(library)
    names = {
        name: [tag.name for tag in tags_of(library, [content_id]).get(content_id, [])]
        for name, content_id in ids.items()
    }
    assert names == {"a.jpg": ["Holiday"], "a.nef": ["Beach", "Holiday"], "b.jpg": ["Home"], "c.nef": ["Work"]}
    add_tags(library, [Tagging(ids["a.jpg"], "Holiday")])  # as it was
    assert nonzero_counts(index(library, [shots], counting)) == {"unchanged": 3}


def test_rating_of_the_user_passes_from_a_raw_file_to_a_jpeg_without_one(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    index(library, [shots], counting, ALONE)
    ids = content_ids(library)
    rate(library, [ids["a.nef"]], 4)
    index(library, [shots], counting)
    assert rate(library, [ids["a.jpg"]], 2) == {ids["a.jpg"]: 4}
    index(library, [shots], counting, ALONE)
    index(library, [shots], counting)
    assert rate(library, [ids["a.jpg"]], None) == {ids["a.jpg"]: 2}


def test_a_tag_that_both_files_have_is_kept_once(library: Library, shots: Path, counting: CountingEncoder) -> None:
    index(library, [shots], counting, ALONE)
    ids = content_ids(library)
    add_tags(library, [Tagging(ids["a.nef"], "Holiday"), Tagging(ids["a.jpg"], "holiday")])
    index(library, [shots], counting)
    assert [tag.name for tag in tags_of(library, [ids["a.jpg"]])[ids["a.jpg"]]] == ["Holiday"]


def test_a_raw_file_stays_a_picture_until_its_jpeg_is_read(
    library: Library, shots: Path, counting: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is interrupted before it reads the JPEG."""
    jpeg = (shots / "a.jpg").read_bytes()
    (shots / "a.jpg").unlink()
    index(library, [shots], counting)
    (shots / "a.jpg").write_bytes(jpeg)

    def interrupted(_pixels: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(counting, "forward_images", interrupted)
        with pytest.raises(KeyboardInterrupt):
            index(library, [shots], counting)
    assert states(library)["a.nef"] == "present"
    index(library, [shots], counting)
    assert (states(library)["a.jpg"], states(library)["a.nef"]) == ("present", "paired")


def test_picture_takes_the_place_of_its_raw_file_in_albums(
    library: Library, shots: Path, counting: CountingEncoder
) -> None:
    index(library, [shots], counting, ALONE)
    ids = content_ids(library)
    create_album(library, "one", [ids["a.nef"], ids["b.jpg"]])
    create_album(library, "both", [ids["a.jpg"], ids["a.nef"]])
    index(library, [shots], counting)
    for name, pictures in (("one", ["a.jpg", "b.jpg"]), ("both", ["a.jpg"])):
        page = contents_in_order(library, name, None, 9)
        assert [record.paths[0].name for record in page.records] == pictures
        assert summarize_album(library, name).missing == 0
