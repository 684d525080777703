"""The temporary folder of Ray: those of killed runs are deleted, and those of others are left alone."""

import tempfile
from pathlib import Path

import pytest

from core.errors import ClusterFailed
from indexer.cluster.temporary_folders import temporary_folder


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "of ray"
    folder.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    return folder


def abandoned(parent: Path) -> Path:
    """Return a folder as a killed process leaves it."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-ray-", dir=parent))
    (folder / "owner.lock").touch()
    (folder / "session/sockets").mkdir(parents=True)
    (folder / "session/sockets/raylet").touch()
    return folder


def test_named_folder_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_TMPDIR", "new/folder")
    with temporary_folder() as folder:
        assert folder.parent == tmp_path / "new/folder"


def test_folder_that_cannot_be_created_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "file"))
    expected = f"in {tmp_path}/file, for which RAY_TMPDIR names .*: File exists"
    with pytest.raises(ClusterFailed, match=expected), temporary_folder():
        pass


def test_folder_is_in_tmp_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR")
    with temporary_folder() as folder:
        assert folder.parent == Path("/tmp")


def test_folder_is_deleted_at_the_end(parent: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temporary_folder() as folder:
        (folder / "session").mkdir()
        raise KeyboardInterrupt
    assert list(parent.iterdir()) == []


def test_folders_of_killed_runs_are_deleted(parent: Path) -> None:
    left = [abandoned(parent), abandoned(parent)]
    with temporary_folder() as folder:
        assert list(parent.iterdir()) == [folder]
    assert not any(each.exists() for each in left)


def test_folders_in_use_are_kept(parent: Path) -> None:
    with temporary_folder() as first:
        (first / "session").mkdir()
        with temporary_folder() as second:
            assert first != second
        assert (first / "session").is_dir()


def test_folder_that_a_run_is_about_to_lock_is_kept(parent: Path) -> None:
    starting = Path(tempfile.mkdtemp(prefix="sightline-ray-", dir=parent))
    (starting / "starting.lock").touch()
    with temporary_folder():
        pass
    assert (starting / "starting.lock").exists()


def test_links_and_files_are_kept(parent: Path) -> None:
    elsewhere = abandoned(parent).rename(parent / "elsewhere")
    (parent / "sightline-ray-link").symlink_to(elsewhere)
    (parent / "sightline-ray-file").write_bytes(b"")
    with temporary_folder():
        pass
    assert (elsewhere / "owner.lock").exists()
    assert (parent / "sightline-ray-link").is_symlink()
    assert (parent / "sightline-ray-file").exists()


def test_folders_of_other_users_are_kept(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = abandoned(parent)
    monkeypatch.setattr("os.geteuid", lambda: foreign.stat().st_uid + 1)
    with temporary_folder():
        pass
    assert (foreign / "owner.lock").exists()
