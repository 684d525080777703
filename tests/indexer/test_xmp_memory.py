"""Only what Sightline added to an XMP sidecar is removed from it, or replaced in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer import index
from indexer.xmp_writing import SidecarResult, write_sidecars
from pictures.metadata.xmp import read_xmp
from store import Library
from store.forget import forget
from store.ratings import rate
from store.written_sidecars import said_files
from tests.support.indexing import CountingEncoder
from tests.support.sidecar_writing import ids_of, tag, untag, write, xmp


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
