"""Writing XMP sidecars: everything that was said comes back from them, and they are kept before they are changed."""

import os
import stat
import sys
import unicodedata
from pathlib import Path

import pytest
from sqlalchemy import select

from indexer import index
from indexer.xmp_writing import SidecarResult
from pictures.metadata.xmp import read_xmp
from search.filters import FieldTest, Op
from store import Library
from store.catalog.tables import TagSource, WrittenSidecar
from store.filters.selection import matching_ids
from store.ratings import rate
from store.tags import Tagging, add_tags, list_tags
from tests.support.indexing import CountingEncoder, vectors_by_path
from tests.support.sidecar_writing import ids_of, listing, tag, tags_from, write, xmp


def test_what_people_said_comes_back_in_a_new_library(
    indexed: Library, album: Path, counting: CountingEncoder, tmp_path: Path
) -> None:
    red, yellow = album / "red.png", album / "more" / "yellow.png"
    tag(indexed, red, "beach", "trips/Rome", "日本")
    tag(indexed, yellow, "beach")
    rate(indexed, ids_of(indexed, red), 4)
    rate(indexed, ids_of(indexed, yellow), -1)
    before, vectors = listing(album), vectors_by_path(indexed)
    outcomes = write(indexed)
    assert {name: each.result for name, each in outcomes.items()} == dict.fromkeys(outcomes, SidecarResult.CREATED)
    after = listing(album)
    assert after.keys() - before.keys() == {"red.png.xmp", "more/yellow.png.xmp"}
    assert all(after[name] == data for name, data in before.items())  # no picture was changed

    run = index(indexed, [album], counting)
    assert (run.unchanged, counting.embedded, run.passed_over) == (4, 0, {})
    assert tags_from(indexed, red, TagSource.USER) == ["beach", "trips/Rome", "日本"]
    assert tags_from(indexed, red, TagSource.SIDECAR) == ["beach", "trips/Rome", "日本"]
    assert {count.name for count in list_tags(indexed)} == {"beach", "trips/Rome", "日本"}
    assert vectors_by_path(indexed).keys() == vectors.keys()

    with Library.open(tmp_path / "new", create=True) as new:
        index(new, [album], counting)
        assert tags_from(new, red, TagSource.SIDECAR) == ["beach", "trips/Rome", "日本"]
        assert matching_ids(new, FieldTest("rating", Op.EQ, 4)) == ids_of(new, red)
        assert matching_ids(new, FieldTest("rating", Op.EQ, -1)) == ids_of(new, yellow)
        assert write(new) == {}  # these are words of files there
        tag(new, red, "new")
        assert write(new)["red.png"].removed == ()  # nothing that the other library wrote is removed
        assert {"beach", "trips/Rome", "日本", "new"} == set(read_xmp((album / "red.png.xmp").read_bytes()).keywords)


def test_writing_again_changes_nothing(indexed: Library, album: Path) -> None:
    tag(indexed, album, "a/b", "c")
    write(indexed)
    files = {path: path.stat() for path in album.rglob("*")}
    outcomes = write(indexed)
    assert {each.result for each in outcomes.values()} == {SidecarResult.UNCHANGED}
    assert {path: path.stat().st_mtime_ns for path in album.rglob("*")} == {
        path: status.st_mtime_ns for path, status in files.items()
    }


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(indexed: Library, album: Path) -> None:
    tag(indexed, album / "red.png", "new")
    (album / "red.xmp").write_text(xmp("old"))
    before = listing(album)
    planned = write(indexed, dry_run=True)["red.png"]
    assert listing(album) == before
    with indexed.read() as connection:
        assert connection.execute(select(WrittenSidecar)).all() == []
    assert (planned.result, planned.added, planned.backup) == (SidecarResult.CHANGED, ("new",), None)
    done = write(indexed)["red.png"]
    assert (done.sidecar, done.added) == (planned.sidecar, planned.added)


def test_an_existing_sidecar_is_kept_before_it_is_changed(indexed: Library, album: Path) -> None:
    path = album / "red.xmp"
    path.write_text(xmp("old", stars=2))
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18))
    tag(indexed, album / "red.png", "new", "OLD")
    rate(indexed, ids_of(indexed, album / "red.png"), 5)
    (outcome,) = write(indexed).values()
    backup = album / "red.xmp.bak"
    assert (outcome.sidecar, outcome.backup, outcome.added, outcome.other_rating) == (path, backup, ("new",), 2)
    assert (backup.read_text(), backup.stat().st_mtime_ns) == (xmp("old", stars=2), 10**18)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(backup.stat().st_mode) == 0o640
    assert path.read_text() == xmp("old", "new", stars=2)
    assert not (album / "red.png.xmp").exists()
    tag(indexed, album / "red.png", "newer")
    assert write(indexed)["red.png"].backup is None  # Sightline wrote what is there
    path.write_text(xmp("by another"))
    tag(indexed, album / "red.png", "newest")
    assert write(indexed)["red.png"].backup == album / "red.xmp.bak2"
    assert (album / "red.xmp.bak2").read_text() == xmp("by another")
    assert backup.read_text() == xmp("old", stars=2)


@pytest.mark.skipif(sys.platform != "linux", reason="Python changes extended attributes on Linux only")
def test_extended_attributes_of_a_sidecar_stay(indexed: Library, album: Path) -> None:
    path = album / "red.xmp"
    path.write_text(xmp("old"))
    try:
        os.setxattr(path, "user.label", b"blue")
    except OSError:
        pytest.skip("the disk has no extended attributes")
    tag(indexed, album / "red.png", "new")
    assert write(indexed)["red.png"].result is SidecarResult.CHANGED
    assert [os.getxattr(each, "user.label") for each in (path, album / "red.xmp.bak")] == [b"blue", b"blue"]


def test_the_backup_of_another_program_is_never_overwritten(indexed: Library, album: Path) -> None:
    (album / "red.xmp").write_text(xmp("old"))
    (album / "red.xmp.bak").write_text("of another program")
    (album / "red.xmp.bak2").mkdir()
    tag(indexed, album / "red.png", "new")
    assert write(indexed)["red.png"].backup == album / "red.xmp.bak3"
    assert (album / "red.xmp.bak").read_text() == "of another program"


def test_backups_are_not_counted_as_files_that_an_index_run_passes_over(
    indexed: Library, album: Path, counting: CountingEncoder
) -> None:
    for name in ("red.xmp.bak", "red.xmp.bak12", "RED.XMP.BAK"):
        (album / name).write_text(xmp())
    (album / "other.bak").write_text("")
    assert index(indexed, [album], counting).passed_over == {"bak": 1}


def test_keywords_of_the_file_itself_are_not_doubled(indexed: Library, album: Path) -> None:
    red = album / "red.png"
    add_tags(indexed, [Tagging(content_id, "Café") for content_id in ids_of(indexed, red)], TagSource.FILE)
    tag(indexed, red, unicodedata.normalize("NFD", "café"))
    outcome = write(indexed)["red.png"]
    assert (outcome.result, outcome.sidecar) == (SidecarResult.UNCHANGED, None)
    assert not (album / "red.png.xmp").exists()
