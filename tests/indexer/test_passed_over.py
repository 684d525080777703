"""Counts of files that index runs do not take."""

from pathlib import Path

import pytest

from core.errors import RootUnavailable
from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from store import Library
from store.forget import forget
from store.passed_over import count_passed_over, list_passed_over
from tests.support.indexing import CountingEncoder


@pytest.fixture
def mixed(album: Path) -> Path:
    (album / "a.psd").write_bytes(b"x")
    (album / "more" / "b.psd").write_bytes(b"x")
    (album / "more" / "notes").write_bytes(b"x")
    return album


def counts(library: Library, album: Path) -> dict[tuple[str, str], int]:
    return {(str(each.folder.relative_to(album)), each.type): each.files for each in list_passed_over(library)}


def test_files_that_are_not_taken_are_counted(library: Library, mixed: Path, counting: CountingEncoder) -> None:
    assert index(library, [mixed], counting).passed_over == {"psd": 2, "": 1}
    assert counts(library, mixed) == {(".", "psd"): 1, ("more", "psd"): 1, ("more", ""): 1}
    assert count_passed_over(library) == {"psd": 2, "": 1}


def test_the_counts_follow_the_last_scan_of_each_folder(
    library: Library, mixed: Path, counting: CountingEncoder
) -> None:
    index(library, [mixed], counting)
    (mixed / "a.psd").unlink()
    (mixed / "more" / "b.psd").unlink()
    (mixed / "more" / "c.svg").write_bytes(b"x")
    assert index(library, [mixed / "more"], counting).passed_over == {"": 1, "svg": 1}
    assert counts(library, mixed) == {(".", "psd"): 1, ("more", ""): 1, ("more", "svg"): 1}
    assert index(library, [mixed], counting).passed_over == {"": 1, "svg": 1}
    assert counts(library, mixed) == {("more", ""): 1, ("more", "svg"): 1}


def test_a_run_over_named_files_keeps_the_counts(library: Library, mixed: Path, counting: CountingEncoder) -> None:
    index(library, [mixed], counting)
    only = ScanSettings(only=frozenset([b"red.png"]))
    assert index(library, [mixed], counting, IndexSettings(scan=only, accept_missing=True)).passed_over == {}
    assert count_passed_over(library) == {"psd": 2, "": 1}


def test_an_unavailable_folder_keeps_its_counts(library: Library, mixed: Path, counting: CountingEncoder) -> None:
    index(library, [mixed], counting)
    mixed.rename(mixed.with_name("unplugged"))
    mixed.mkdir()
    with pytest.raises(RootUnavailable):
        index(library, [mixed], counting)
    assert count_passed_over(library) == {"psd": 2, "": 1}


def test_an_unreadable_folder_keeps_its_counts(library: Library, mixed: Path, counting: CountingEncoder) -> None:
    index(library, [mixed], counting)
    (mixed / "more" / ".sightlineignore").symlink_to(mixed / "more" / ".sightlineignore")  # opening it fails
    (mixed / "a.psd").unlink()
    assert index(library, [mixed], counting).passed_over == {}
    assert counts(library, mixed) == {("more", "psd"): 1, ("more", ""): 1}


def test_forgetting_a_folder_forgets_its_counts(library: Library, mixed: Path, counting: CountingEncoder) -> None:
    index(library, [mixed], counting)
    forget(library, mixed / "more", missing_only=True)
    assert count_passed_over(library) == {"psd": 2, "": 1}
    forget(library, mixed / "more")
    assert count_passed_over(library) == {"psd": 1}
    forget(library, mixed)
    assert count_passed_over(library) == {}


def test_more_folders_than_one_statement_records(
    library: Library, tmp_path: Path, counting: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.ingest.passed_over.RECORD_CHUNK_SIZE", 2)
    for number in range(7):
        (tmp_path / "photos" / str(number)).mkdir(parents=True)
        (tmp_path / "photos" / str(number) / "a.psd").touch()
    assert index(library, [tmp_path / "photos"], counting).passed_over == {"psd": 7}
    assert len(list_passed_over(library)) == 7
