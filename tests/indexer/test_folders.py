"""Folders that move, vanish, overlap or do not exist."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import FolderExcluded, FolderNotFound, RootUnavailable
from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from search import Searcher
from store import Library
from store.catalog.tables import PictureState, Root
from store.check import verify
from store.queries import count_by_state
from store.roots import list_roots
from tests.support.indexing import CountingEncoder, nonzero_counts, vectors_by_path

Paint = Callable[..., Path]


@pytest.mark.sqlite("on a server, other machines may have the folder at its old path: it is refused")
def test_renamed_root_is_counted_as_moves(
    library: Library, album: Path, tmp_path: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    album.rename(tmp_path / "pictures")
    assert nonzero_counts(index(library, [tmp_path / "pictures"], counting)) == {"moved": 4}
    assert counting.embedded == 4
    assert sum(count_by_state(library).values()) == 4


def test_file_on_an_unmounted_disk_is_not_moved_to_its_copy(
    library: Library, album: Path, tmp_path: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    album.rename(tmp_path / "disk")
    album.mkdir()  # the mount point still exists
    shutil.copytree(tmp_path / "disk", tmp_path / "copies")
    assert nonzero_counts(index(library, [tmp_path / "copies"], counting)) == {"new": 4, "duplicates": 4}
    assert counting.embedded == 4
    assert [(root.path.name, root.present) for root in list_roots(library)] == [("album", 4), ("copies", 4)]


def test_inaccessible_file_is_not_moved_to_its_copy(
    library: Library, album: Path, tmp_path: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk whose server is unavailable raises an error for every operation."""
    index(library, [album], encoder)
    shutil.copytree(album, tmp_path / "copies")
    look = os.lstat

    def away(path: bytes) -> os.stat_result:
        if os.fsencode(path).startswith(bytes(album)):
            raise OSError(errno.EHOSTDOWN, "Host is down")
        return look(path)

    monkeypatch.setattr(os, "lstat", away)
    assert nonzero_counts(index(library, [tmp_path / "copies"], encoder)) == {"new": 4, "duplicates": 4}


def test_move_to_another_root_is_counted_as_move(
    library: Library, album: Path, tmp_path: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    (album / "more").rename(tmp_path / "pictures")
    assert nonzero_counts(index(library, [tmp_path / "pictures"], counting)) == {"moved": 1}
    assert [(root.path.name, root.present) for root in list_roots(library)] == [("album", 3), ("pictures", 1)]


def test_empty_folder_stops_the_run_unless_accepted(library: Library, album: Path, counting: CountingEncoder) -> None:
    index(library, [album], counting)
    kept = album.with_name("kept")
    album.rename(kept)
    with pytest.raises(RootUnavailable, match="contained 4 pictures"):
        index(library, [album], counting)
    album.mkdir()
    with pytest.raises(RootUnavailable):
        index(library, [album], counting)
    assert count_by_state(library)[PictureState.PRESENT] == 4
    assert nonzero_counts(index(library, [album], counting, IndexSettings(accept_missing=True))) == {"missing": 4}
    album.rmdir()
    kept.rename(album)
    assert nonzero_counts(index(library, [album], counting)) == {"restored": 4}
    assert counting.embedded == 4
    assert verify(library) == []


@pytest.mark.parametrize("gone", ["", "more", "more/yellow.png"])
def test_missing_folder_or_file_can_be_accepted(
    library: Library, album: Path, counting: CountingEncoder, tmp_path: Path, gone: str
) -> None:
    """`accept_missing`, which the hint for `RootUnavailable` recommends, works for a deleted folder or file."""
    index(library, [album], counting)
    held, back = (1, {"unchanged": 3, "restored": 1}) if gone else (4, {"restored": 4})
    (album / gone).rename(tmp_path / "elsewhere")
    with pytest.raises(RootUnavailable, match="now contains 0"):
        index(library, [album / gone], counting)
    meant = IndexSettings(accept_missing=True)
    assert nonzero_counts(index(library, [album / gone], counting, meant)) == {"missing": held}
    with pytest.raises(FolderNotFound):  # it does not exist and was never indexed
        index(library, [album / gone], counting, meant)
    (tmp_path / "elsewhere").rename(album / gone)
    assert nonzero_counts(index(library, [album], counting)) == back
    assert verify(library) == []


def test_index_accepts_a_single_path(library: Library, album: Path, encoder: FakeEncoder) -> None:
    """A string is an iterable too: its first character would be `/`, the whole disk."""
    assert nonzero_counts(index(library, str(album), encoder)) == {"new": 4, "embedded": 4}
    assert nonzero_counts(index(library, album, encoder)) == {"unchanged": 4}
    assert [root.path for root in list_roots(library)] == [album]


def test_index_accepts_roots_and_a_subfolder(library: Library, album: Path, tmp_path: Path, paint: Paint) -> None:
    other = paint(tmp_path / "other" / "white.png", "white").parent
    assert nonzero_counts(index(library, [album, other], FakeEncoder())) == {"new": 5, "embedded": 5}
    assert [(root.path, root.present) for root in list_roots(library)] == [(album, 4), (other, 1)]
    (album / "red.png").unlink()
    (album / "more" / "yellow.png").unlink()
    paint(album / "more" / "cyan.png", "cyan")
    assert nonzero_counts(index(library, [album / "more"], FakeEncoder(), IndexSettings(accept_missing=True))) == {
        "new": 1, "missing": 1, "embedded": 1,
    }  # fmt: skip
    assert len(list_roots(library)) == 2
    assert "red.png" in vectors_by_path(library)  # not part of the run


def test_outer_root_absorbs_inner_root(library: Library, album: Path, counting: CountingEncoder) -> None:
    index(library, [album / "more"], counting)
    assert nonzero_counts(index(library, [album], counting)) == {"new": 3, "unchanged": 1, "embedded": 3}
    assert [root.path for root in list_roots(library)] == [album]


def test_repeated_and_nested_paths_are_indexed_once(library: Library, album: Path, encoder: FakeEncoder) -> None:
    summary = index(library, [album / "more", album, album / "more", album], encoder)
    assert nonzero_counts(summary) == {"new": 4, "embedded": 4}
    assert nonzero_counts(index(library, [album, album / "more"], encoder)) == {"unchanged": 4}


def test_index_accepts_relative_paths_and_strings(
    library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album)
    assert index(library, ["more"], FakeEncoder()).new == 1
    assert index(library, ["."], FakeEncoder()).unchanged == 1
    with library.read() as connection:
        assert connection.execute(select(Root.path)).scalars().all() == [os.fsencode(album)]


def test_index_rejects_paths_that_are_not_folders(library: Library, album: Path, encoder: FakeEncoder) -> None:
    for path in (album / "none", album / "red.png"):
        with pytest.raises(FolderNotFound) as caught:
            index(library, [album, path], encoder)
        assert caught.value.path == path
    assert count_by_state(library)[PictureState.PRESENT] == 0  # checked before anything is indexed


def test_pictures_in_an_unreadable_folder_are_kept(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], encoder)
    real = os.scandir

    def refusing(path: bytes) -> object:
        if os.fsencode(path).endswith(b"/more"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    summary = index(library, [album], encoder)
    assert summary.unreadable == (str(album / "more"),)
    assert nonzero_counts(summary) == {"unchanged": 3}
    assert count_by_state(library)[PictureState.PRESENT] == 4


@pytest.mark.parametrize("name", [".hidden", "ignored", "link"])
def test_folder_excluded_by_its_root_is_an_error(
    library: Library, tmp_path: Path, paint: Callable[..., Path], encoder: FakeEncoder, name: str
) -> None:
    paint(tmp_path / "all" / "red.png", "red")
    (tmp_path / "all" / ".sightlineignore").write_text("ignored/\n")
    paint(tmp_path / "elsewhere" / "blue.png", "blue")
    if name == "link":
        (tmp_path / "all" / name).symlink_to(tmp_path / "elsewhere")
    else:
        paint(tmp_path / "all" / name / "blue.png", "blue")
    index(library, tmp_path / "all", encoder)
    with pytest.raises(FolderExcluded) as raised:
        index(library, tmp_path / "all" / name, encoder)
    assert (raised.value.path, raised.value.root) == (tmp_path / "all" / name, tmp_path / "all")
    assert len(Searcher(library, encoder)) == 1
    paint(tmp_path / "other" / "lime.png", "lime")
    with pytest.raises(FolderExcluded):
        index(library, [tmp_path / "other", tmp_path / "all" / name], encoder)
    assert verify(library) == []
    assert not Searcher(library, encoder).heal()  # the index file of the folders before it is current
