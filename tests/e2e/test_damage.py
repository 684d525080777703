"""Damaged files, full and read-only disks: correct results or a message of one line, and nothing embedded again."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from core.errors import LibraryUnusable
from encoders.fake import FakeEncoder
from indexer.pipeline import index
from store import Library
from store.spaces.flat_index import FlatIndex
from tests.support.processes import Cli

Paint = Callable[..., list[Path]]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 7)


def delete(file: Path) -> None:
    file.unlink()


def test_damaged_index_file_is_rebuilt_without_embedding(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    (red, _) = paint(folder, red="red", green="lime")
    cli.index_in_process(folder)
    embeddings = cli.query("SELECT rowid, * FROM embeddings ORDER BY rowid")
    for damage, word in ((flip, b"damaged"), (cut, b"damaged"), (delete, b"missing")):
        (file,) = cli.index_files()
        damage(file)
        first = cli("search", "red", "--paths", "-k", "1")
        assert first.stdout == bytes(red) + b"\n"
        assert first.stderr.count(b"\n") == 1
        assert word in first.stderr
        assert b"the answer is correct" in first.stderr
        second = cli("search", "red", "--paths", "-k", "1")
        assert (second.stdout, second.stderr) == (first.stdout, b"")
    assert cli.query("SELECT rowid, * FROM embeddings ORDER BY rowid") == embeddings
    assert cli.is_intact()


def test_repair_fixes_damage_found_by_verify(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos", red="red", green="lime")
    cli.index_in_process(tmp_path / "photos")
    vectors = cli.vectors()
    flip(cli.index_files()[0])
    (fault,) = cli.lines("verify", code=1)
    assert fault["kind"] == "index"
    assert b"rebuilt the index" in cli("repair").stdout
    assert cli.is_intact()
    assert cli.vectors() == vectors


def test_damaged_catalogue_is_reported_with_the_remedy(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos", red="red")
    cli.index_in_process(tmp_path / "photos")
    (cli.library / "catalog.sqlite").write_bytes(b"no database" * 1000)
    error, hint, _ = cli("search", "red", code=2).stderr.split(b"\n")
    assert b"not a database" in error
    assert f"`sightline --library {cli.library} repair`".encode() in hint


def test_a_lost_catalogue_is_restored_from_files_and_a_snapshot(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    (red, _) = paint(tmp_path / "photos", red="red", green="lime")
    cli.index_in_process(tmp_path / "photos")
    cli("tag", red, "Holiday")
    (snapshot,) = (cli.library / "snapshots").iterdir()
    (cli.library / "catalog.sqlite").write_bytes(bytes(65_536))
    assert b"index their folders, then restore it again" in cli("repair").stdout
    cli.index(tmp_path / "photos")
    cli("restore", snapshot)
    assert cli("search", "tag:Holiday", "--paths").stdout == bytes(red) + b"\n"
    assert cli.is_intact()


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount a file system on `folder` if the system allows it."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    if subprocess.run(["mount", *options, folder], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let us mount")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_full_disk_is_reported_in_one_line_without_data_loss(
    cli: Cli, tmp_path: Path, photo_folder: Path, paint: Paint
) -> None:
    photos = tmp_path / "photos"
    (red,) = paint(photos, red="red")
    with mounted(cli.library, "-t", "tmpfs", "-o", "size=16m", "tmpfs"):
        cli.index_in_process(photos)
        ballast = cli.library / "ballast"
        with ballast.open("wb", buffering=0) as file:
            file.write(b"\0" * (16 << 20))  # fills the disk
        os.truncate(ballast, ballast.stat().st_size - (64 << 10))
        error = cli("index", photo_folder, code=2).stderr
        assert error.count(b"\n") == 1
        assert b"full" in error or b"No space left" in error
        assert cli.find("red")[0] == red
        ballast.unlink()
        before = cli.embedded()
        assert cli.index_in_process(photo_folder)["embedded"] == 401 - before
        assert cli.is_intact()


def test_read_only_library_can_be_searched(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    (red, _) = paint(tmp_path / "photos", red="red", green="lime")
    cli.index_in_process(tmp_path / "photos")
    with mounted(cli.library, "--bind", str(cli.library)):
        subprocess.run(["mount", "-o", "remount,ro,bind", cli.library], check=True)
        assert cli("search", "red", "--paths", "-k", "1").stdout == bytes(red) + b"\n"
        error, hint, _ = cli("index", tmp_path / "photos", code=2).stderr.split(b"\n")
        assert b"cannot be changed: its disk is read-only" in error
        assert b"--library" in hint
        for reading in (("similar", red), ("status",), ("verify",), ("export", "fake", tmp_path / "out.npz")):
            assert not cli(*reading).stderr, reading
        for changing in (("tag", red, "x"), ("forget", red), ("repair",), ("rate", "3", red)):
            assert b"cannot be changed: its disk is read-only" in cli(*changing, code=2).stderr, changing


def test_incomplete_index_file_on_a_full_disk_is_an_error(tmp_path: Path) -> None:
    vectors = FlatIndex(16)
    vectors.add(np.arange(500), np.full((500, 16), 0.25, np.float32))
    vectors.write(tmp_path / "whole")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "whole").stat().st_size - 10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            vectors.write(tmp_path / "cut")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_failed_index_file_leaves_no_temporary_files(
    cli: Cli, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(_index: FlatIndex, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    paint(tmp_path / "photos", red="red")
    with Library.open(cli.library, create=True) as library, monkeypatch.context() as patch:
        patch.setattr(FlatIndex, "write", write_half)
        with pytest.raises(LibraryUnusable, match="No space left"):
            index(library, [tmp_path / "photos"], FakeEncoder())
    assert cli.index_files() == []
    assert cli.index_in_process(tmp_path / "photos") == {"unchanged": 1}
    assert cli.is_intact()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_unwritable_output_is_a_failure(cli: Cli, tmp_path: Path, paint: Paint, unbuffered: str) -> None:
    paint(tmp_path / "photos", red="red")
    cli.index_in_process(tmp_path / "photos")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [Path(sys.executable).parent / "sightline", "--library", cli.library, "search", "red"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [b"sightline: [Errno 28] No space left on device"]
