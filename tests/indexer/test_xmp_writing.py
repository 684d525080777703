"""Writing XMP sidecars: which file is written, that nothing by others is lost, and what is refused."""

import os
import shutil
import stat
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import select

from indexer import IndexSettings, index, xmp_writing
from indexer.file_attributes import keep_attributes
from indexer.scan import ScanSettings
from indexer.xmp_targets import FolderTargets
from indexer.xmp_writing import SidecarOutcome, SidecarResult, WriteSettings, write_sidecars
from pictures.metadata.xmp import MAX_XMP_BYTES, read_xmp
from search.filters import And, FieldTest, Op
from store import Library
from store.catalog.tables import TagSource, WrittenSidecar
from store.filters.selection import matching_ids
from store.forget import forget
from store.ratings import rate
from store.tags import Tagging, add_tags, list_tags, remove_tags, tags_of
from store.written_sidecars import said_files
from tests.support.indexing import CountingEncoder, vectors_by_path

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
{rating}<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""


def xmp(*keywords: str, stars: int | None = None) -> str:
    rating = "" if stars is None else f"<xmp:Rating>{stars}</xmp:Rating>"
    return XMP.format(items="".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords), rating=rating)


def ids_of(library: Library, *paths: Path) -> list[int]:
    return [content_id for path in paths for content_id in matching_ids(library, FieldTest("folder", Op.EQ, path))]


def tag(library: Library, path: Path, *names: str) -> None:
    add_tags(library, [Tagging(content_id, name) for content_id in ids_of(library, path) for name in names])


def untag(library: Library, path: Path, *names: str) -> None:
    remove_tags(library, ids_of(library, path), names)


def write(library: Library, **settings: bool) -> dict[str, SidecarOutcome]:
    """Write all sidecars; return the outcomes by the names of the pictures."""
    files = said_files(library, matching_ids(library, And(())))
    return {outcome.picture.name: outcome for outcome in write_sidecars(library, files, WriteSettings(**settings))}


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def user_tags(library: Library, path: Path, source: TagSource) -> list[str]:
    (content_id,) = ids_of(library, path)
    return [record.name for record in tags_of(library, [content_id])[content_id] if record.source is source]


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
    assert user_tags(indexed, red, TagSource.USER) == ["beach", "trips/Rome", "日本"]
    assert user_tags(indexed, red, TagSource.SIDECAR) == ["beach", "trips/Rome", "日本"]
    assert {count.name for count in list_tags(indexed)} == {"beach", "trips/Rome", "日本"}
    assert vectors_by_path(indexed).keys() == vectors.keys()

    with Library.open(tmp_path / "new", create=True) as new:
        index(new, [album], counting)
        assert user_tags(new, red, TagSource.SIDECAR) == ["beach", "trips/Rome", "日本"]
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


def test_a_tag_that_was_removed_is_removed_only_if_it_was_written(indexed: Library, album: Path) -> None:
    path = album / "red.xmp"
    path.write_text(xmp("theirs"))
    tag(indexed, album / "red.png", "ours", "theirs", "a/b")
    write(indexed)
    assert set(read_xmp(path.read_bytes()).keywords) == {"ours", "theirs", "a/b"}
    untag(indexed, album / "red.png", "ours", "theirs", "a/b")
    outcome = write(indexed)["red.png"]
    assert set(outcome.removed) == {"ours", "a/b"}
    assert path.read_text() == xmp("theirs")
    assert write(indexed)["red.png"].result is SidecarResult.UNCHANGED


def test_nothing_is_removed_from_another_sidecar_than_the_one_that_was_written(indexed: Library, album: Path) -> None:
    tag(indexed, album / "red.png", "word")
    write(indexed)
    (album / "red.png.xmp").unlink()
    (album / "red.xmp").write_text(xmp("word"))  # by another program
    untag(indexed, album / "red.png", "word")
    assert write(indexed)["red.png"].result is SidecarResult.UNCHANGED
    assert (album / "red.xmp").read_text() == xmp("word")


@pytest.mark.parametrize("whole", [False, True])
def test_what_another_program_removed_and_wrote_again_is_not_removed(
    indexed: Library, album: Path, whole: bool
) -> None:
    path = album / "red.png.xmp"
    tag(indexed, album / "red.png", "word")
    rate(indexed, ids_of(indexed, album / "red.png"), 5)
    write(indexed)
    if whole:
        path.unlink()
    else:
        path.write_text(xmp("other", stars=3))
    untag(indexed, album / "red.png", "word")
    rate(indexed, ids_of(indexed, album / "red.png"), None)
    write(indexed, dry_run=True)
    assert write(indexed)["red.png"].result is SidecarResult.UNCHANGED
    path.write_text(xmp("other", "word", stars=5))
    assert {each.result for each in write(indexed).values()} <= {SidecarResult.UNCHANGED}
    assert path.read_text() == xmp("other", "word", stars=5)


def test_a_run_that_wrote_nothing_takes_no_file_for_its_own(indexed: Library, album: Path) -> None:
    path = album / "red.png.xmp"
    tag(indexed, album / "red.png", "word")
    write(indexed)
    path.write_text(xmp("other"))
    untag(indexed, album / "red.png", "word")
    write(indexed)
    tag(indexed, album / "red.png", "new")
    assert write(indexed)["red.png"].backup == album / "red.png.xmp.bak"
    assert (album / "red.png.xmp.bak").read_text() == xmp("other")


def test_two_runs_at_once_remember_what_both_added(indexed: Library, album: Path) -> None:
    red, path = album / "red.png", album / "red.xmp"
    path.write_text(xmp("theirs"))
    tag(indexed, red, "first")
    write(indexed)
    slow = said_files(indexed, ids_of(indexed, red))  # what a run read that has not come to the picture yet
    tag(indexed, red, "second")
    rate(indexed, ids_of(indexed, red), 4)
    write(indexed)
    late = [replace(file, tags=("first", "second", "third")) for file in slow]
    assert [each.added for each in write_sidecars(indexed, late)] == [("third",)]
    assert [each.result for each in write_sidecars(indexed, slow)] == [SidecarResult.UNCHANGED]
    untag(indexed, red, "first", "second", "third")
    rate(indexed, ids_of(indexed, red), None)
    write(indexed)
    assert path.read_text() == xmp("theirs")


def test_a_forgotten_picture_loses_no_tags_in_its_sidecar(
    indexed: Library, album: Path, counting: CountingEncoder
) -> None:
    tag(indexed, album / "red.png", "word")
    write(indexed)
    forget(indexed, album / "red.png")
    index(indexed, [album], counting)
    tag(indexed, album / "red.png", "other")
    assert write(indexed)["red.png"].removed == ()
    assert set(read_xmp((album / "red.png.xmp").read_bytes()).keywords) == {"word", "other"}


def test_keywords_of_the_file_itself_are_not_doubled(indexed: Library, album: Path) -> None:
    red = album / "red.png"
    add_tags(indexed, [Tagging(content_id, "Café") for content_id in ids_of(indexed, red)], TagSource.FILE)
    tag(indexed, red, unicodedata.normalize("NFD", "café"))
    outcome = write(indexed)["red.png"]
    assert (outcome.result, outcome.sidecar) == (SidecarResult.UNCHANGED, None)
    assert not (album / "red.png.xmp").exists()


def test_ratings_of_others_are_replaced_only_on_request_and_come_back(indexed: Library, album: Path) -> None:
    path = album / "red.xmp"
    path.write_text(xmp("a", stars=2))
    rate(indexed, ids_of(indexed, album / "red.png"), 5)
    assert write(indexed)["red.png"].result is SidecarResult.UNCHANGED
    done = write(indexed, replace_ratings=True)["red.png"]
    assert (done.rating, done.rating_before, path.read_text()) == (5, 2, xmp("a", stars=5))
    rate(indexed, ids_of(indexed, album / "red.png"), 1)
    assert write(indexed)["red.png"].rating == 1
    rate(indexed, ids_of(indexed, album / "red.png"), None)
    assert write(indexed)["red.png"].rating == 2
    assert path.read_text() == xmp("a", stars=2)


def test_copies_have_sidecars_of_their_own(
    indexed: Library, album: Path, counting: CountingEncoder, tmp_path: Path
) -> None:
    shutil.copy(album / "red.png", album / "more" / "copy.png")
    index(indexed, [album], counting)
    tag(indexed, album / "red.png", "word")
    assert {name: each.result for name, each in write(indexed).items()} == {
        "red.png": SidecarResult.CREATED,
        "copy.png": SidecarResult.CREATED,
    }


@pytest.mark.parametrize(
    ("name", "others", "sidecar"),
    [
        ("a.png", [], "a.png.xmp"),
        ("a.png", ["a.xmp"], "a.xmp"),
        ("a.png", ["a.xmp", "a.png.xmp"], "a.png.xmp"),
        ("a.png", ["A.XMP"], "A.XMP"),
        ("a.png", ["._a.png.xmp"], "a.png.xmp"),
        ("ü.png", [unicodedata.normalize("NFD", "ü") + ".png.xmp"], unicodedata.normalize("NFD", "ü") + ".png.xmp"),
        ("a.png", ["a.jpg.xmp"], "a.png.xmp"),
        ("IMG (1).png", ["IMG.xmp"], "IMG (1).png.xmp"),
    ],
)
def test_the_sidecar_that_index_runs_read_is_written(
    library: Library,
    paint: Callable[..., Path],
    counting: CountingEncoder,
    tmp_path: Path,
    name: str,
    others: list[str],
    sidecar: str,
) -> None:
    folder = tmp_path / "pictures"
    picture = paint(folder / name)
    for other in others:
        (folder / other).write_text(xmp("old"))
    index(library, [folder], counting)
    tag(library, folder / name, "new")
    (outcome,) = write(library).values()
    assert (outcome.sidecar, outcome.added) == (folder / sidecar, ("new",))
    index(library, [folder], counting)
    assert "new" in user_tags(library, picture, TagSource.SIDECAR)


def test_a_raw_file_and_its_jpeg_share_what_is_written(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    paint(folder / "a.jpg")
    (folder / "a.nef").write_bytes(b"not decoded, because a.jpg stands for it")
    (folder / "a.nef.xmp").write_text(xmp("old"))
    index(library, [folder], counting)
    tag(library, folder / "a.jpg", "new")
    (outcome,) = write(library).values()
    assert outcome.sidecar == folder / "a.nef.xmp"
    index(library, [folder], counting)
    assert user_tags(library, folder / "a.jpg", TagSource.SIDECAR) == ["new", "old"]


def test_a_sidecar_of_several_pictures_is_written_only_if_all_say_the_same(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    paint(folder / "a.jpg", "red")
    paint(folder / "a.png", "blue")
    (folder / "a.xmp").write_text(xmp("old"))
    index(library, [folder], counting, IndexSettings(scan=ScanSettings(pairs=False)))
    tag(library, folder / "a.jpg", "new")
    (outcome,) = write(library).values()
    assert outcome.result is SidecarResult.REFUSED
    assert outcome.reason == "it is also the sidecar of a.png, about which something else was said"
    tag(library, folder / "a.png", "new")
    assert [each.result for each in write(library).values()] == [SidecarResult.CHANGED, SidecarResult.UNCHANGED]
    assert (folder / "a.xmp").read_text() == xmp("old", "new")


def test_a_shared_sidecar_is_written_for_one_picture_if_the_same_was_said_about_the_other(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    paint(folder / "sub" / "a.jpg", "red")
    paint(folder / "sub" / "a.png", "blue")
    (folder / "sub" / "a.xmp").write_text(xmp("old"))
    index(library, [folder], counting, IndexSettings(scan=ScanSettings(pairs=False)))
    tag(library, folder, "new")
    (file,) = said_files(library, ids_of(library, folder / "sub" / "a.jpg"))
    assert [each.result for each in write_sidecars(library, [file])] == [SidecarResult.CHANGED]
    rate(library, ids_of(library, folder / "sub" / "a.png"), 3)
    assert [each.result for each in write_sidecars(library, [file])] == [SidecarResult.REFUSED]


def test_a_new_sidecar_must_not_belong_to_another_picture() -> None:
    names = frozenset([b"a.jpg", b"A.JPG", b"b", b"b.jpg", b"c.jpg", b"c.jpg.png"])
    targets = FolderTargets(Path("/none"), names, names)
    assert targets.new(names) == {
        b"b": b"b.xmp",
        b"b.jpg": b"b.jpg.xmp",
        b"c.jpg": b"c.jpg.xmp",
        b"c.jpg.png": b"c.jpg.png.xmp",
    }
    alone = FolderTargets(Path("/none"), names - {b"b"}, names - {b"b"})
    assert alone.new([b"A.JPG"]) == {b"A.JPG": b"A.JPG.xmp"}  # no other one is written that differs in case only
    both = FolderTargets(Path("/none"), frozenset([b"b", b"b.jpg"]), frozenset([b"b", b"b.jpg"]))
    assert both.new([b"b"]) == {b"b": b"b.xmp"}  # `b.xmp` is not that of `b.jpg` beside a picture `b`


REFUSED: dict[str, Callable[[Path], object]] = {
    "it is a symbolic link": lambda path: path.symlink_to(path.with_name("elsewhere")),
    "it is not XML": lambda path: path.write_text("hello"),
    "it is not XML: no element found": lambda path: path.write_bytes(b""),
    "it is XML, but not XMP": lambda path: path.write_text("<a/>"),
    "document type": lambda path: path.write_text('<!DOCTYPE a [<!ENTITY b "c">]>' + xmp("&b;")),
    "exceed the limit": lambda path: path.write_bytes(xmp("a").encode().ljust(MAX_XMP_BYTES + 1)),
    "it is read-only": lambda path: path.touch(0o444),
    "it is not text in": lambda path: path.write_bytes(xmp("caf\xe9").encode("latin-1")),
    "it is not a file": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_written_is_reported_and_left(indexed: Library, album: Path, reason: str) -> None:
    tag(indexed, album, "new")
    path = album / "red.png.xmp"
    if "link" in reason:
        path.with_name("elsewhere").write_text(xmp("a"))
    REFUSED[reason](path)
    before = listing(album)
    outcomes = write(indexed)
    assert outcomes["red.png"].result is SidecarResult.REFUSED
    assert reason in (outcomes["red.png"].reason or "")
    assert {each.result for name, each in outcomes.items() if name != "red.png"} == {SidecarResult.CREATED}
    assert {name: data for name, data in listing(album).items() if name in before} == before
    assert not list(album.glob("*.bak*"))
    assert path.is_symlink() == ("link" in reason)


def test_pictures_and_folders_that_are_gone_are_reported(indexed: Library, album: Path) -> None:
    tag(indexed, album, "new")
    shutil.rmtree(album / "more")
    (album / "red.png").unlink()
    outcomes = write(indexed)
    assert outcomes["red.png"].reason == "the picture is not there"
    assert outcomes["yellow.png"].reason == "its folder cannot be read: No such file or directory"
    assert not (album / "red.png.xmp").exists()
    assert not (album / "more").exists()


def test_a_change_by_another_program_in_between_is_kept(
    indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = album / "red.xmp"
    path.write_text(xmp("old"))
    tag(indexed, album / "red.png", "new")
    tag(indexed, album / "more", "new")

    def change(file: BinaryIO, sidecar: Path, status: os.stat_result) -> None:
        keep_attributes(file, sidecar, status)
        path.write_text(xmp("changed"))

    monkeypatch.setattr(xmp_writing, "keep_attributes", change)
    outcomes = write(indexed)
    assert outcomes["red.png"].reason == "another program changed it in this moment"
    assert path.read_text() == xmp("changed")
    assert outcomes["yellow.png"].result is SidecarResult.CREATED
    assert not list(album.glob(".*.tmp"))
    monkeypatch.setattr(xmp_writing, "keep_attributes", keep_attributes)
    assert write(indexed)["red.png"].result is SidecarResult.CHANGED
    assert path.read_text() == xmp("changed", "new")


@pytest.mark.parametrize("existing", [True, False])
def test_a_full_disk_leaves_everything_as_it_was(
    indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    if existing:
        (album / "red.xmp").write_text(xmp("old"))
    tag(indexed, album / "red.png", "new")
    before = listing(album)

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    outcome = write(indexed)["red.png"]
    monkeypatch.undo()
    assert (outcome.result, outcome.reason) == (SidecarResult.REFUSED, "No space left on device")
    assert listing(album) == before


def test_what_a_killed_run_left_is_removed(indexed: Library, album: Path) -> None:
    tag(indexed, album / "red.png", "new")
    old, new, other = album / ".red.png.xmp.12.34.tmp", album / ".a.xmp.1.2.tmp", album / ".red.png.12.34.tmp"
    for path in (old, new, other):
        path.write_text("a part")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    write(indexed, dry_run=True)
    assert old.exists()
    write(indexed)
    assert [path.exists() for path in (old, new, other)] == [False, True, True]  # `new` may be in use


def test_a_library_that_cannot_be_changed_writes_no_sidecar(
    indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import LibraryReadOnly

    tag(indexed, album / "red.png", "new")
    monkeypatch.setattr(indexed.backend, "read_only", "its folder belongs to another user")
    with pytest.raises(LibraryReadOnly):
        write(indexed)
    assert not (album / "red.png.xmp").exists()
    assert write(indexed, dry_run=True)["red.png"].result is SidecarResult.CREATED


def test_tags_that_xml_cannot_contain_are_named_and_the_others_are_written(indexed: Library, album: Path) -> None:
    tag(indexed, album / "red.png", "good", "bad\uffff", "worse\ufffe")
    outcome = write(indexed)["red.png"]
    assert set(outcome.unwritable) == {"bad\uffff", "worse\ufffe"}
    assert outcome.added == ("good",)


def test_names_that_are_not_utf8_are_written_beside_their_pictures(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    picture = paint(folder / os.fsdecode(b"\xff\n.png"))
    index(library, [folder], counting)
    tag(library, picture, "new")
    (outcome,) = write(library).values()
    assert outcome.sidecar == folder / os.fsdecode(b"\xff\n.png.xmp")
    index(library, [folder], counting)
    assert user_tags(library, picture, TagSource.SIDECAR) == ["new"]
