"""A damaged index file, a disk that is full or read-only: right answers, one clear line, nothing embedded again."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.errors import LibraryUnusable
from encoders.fake import FakeEncoder
from indexer.pipeline import index
from store import Library
from store.spaces.vector_index import FlatIndex

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli

Paint = Callable[..., list[Path]]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 7)


def delete(file: Path) -> None:
    file.unlink()


def test_a_damaged_index_file_costs_no_answer_and_no_embedding(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    (red, _) = paint(folder, red="red", green="lime")
    cli.take(folder)
    embeddings = cli.ask("SELECT rowid, * FROM embeddings ORDER BY rowid")
    for damage, word in ((flip, b"damaged"), (cut, b"damaged"), (delete, b"missing")):
        (file,) = cli.index_files()
        damage(file)
        first = cli("search", "red", "--paths", "-k", "1")
        assert first.stdout == bytes(red) + b"\n"
        assert first.stderr.count(b"\n") == 1
        assert word in first.stderr
        assert b"the answer is right all the same" in first.stderr
        second = cli("search", "red", "--paths", "-k", "1")
        assert (second.stdout, second.stderr) == (first.stdout, b"")
    assert cli.ask("SELECT rowid, * FROM embeddings ORDER BY rowid") == embeddings
    assert cli.is_whole()


def test_verify_finds_and_repair_mends(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos", red="red", green="lime")
    cli.take(tmp_path / "photos")
    vectors = cli.vectors()
    flip(cli.index_files()[0])
    (fault,) = cli.lines("verify", code=1)
    assert fault["kind"] == "index"
    assert b"rebuilt the index" in cli("repair").stdout
    assert cli.is_whole()
    assert cli.vectors() == vectors


def test_a_damaged_catalogue_is_one_clear_line(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos", red="red")
    cli.take(tmp_path / "photos")
    (cli.library / "catalog.sqlite").write_bytes(b"no database" * 1000)
    error = cli("search", "red", code=2).stderr
    assert error.count(b"\n") == 1
    assert b"not a database" in error


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mounts something on `folder`, where the system lets us."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    if subprocess.run(["mount", *options, folder], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let us mount")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_one_clear_line_and_no_loss(cli: "Cli", tmp_path: Path, heap: Path, paint: Paint) -> None:
    photos = tmp_path / "photos"
    (red,) = paint(photos, red="red")
    with mounted(cli.library, "-t", "tmpfs", "-o", "size=16m", "tmpfs"):
        cli.take(photos)
        ballast = cli.library / "ballast"
        with ballast.open("wb", buffering=0) as file:
            file.write(b"\0" * (16 << 20))  # writes as much as there is room for
        os.truncate(ballast, ballast.stat().st_size - (64 << 10))
        error = cli("index", heap, code=2).stderr
        assert error.count(b"\n") == 1
        assert b"full" in error or b"No space left" in error
        assert cli.find("red")[0] == red
        ballast.unlink()
        before = cli.embedded()
        assert cli.take(heap)["embedded"] == 401 - before
        assert cli.is_whole()


def test_a_library_on_a_read_only_disk_can_be_searched(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    (red,) = paint(tmp_path / "photos", red="red")
    cli.take(tmp_path / "photos")
    with mounted(cli.library, "--bind", str(cli.library)):
        subprocess.run(["mount", "-o", "remount,ro,bind", cli.library], check=True)
        assert cli("search", "red", "--paths").stdout == bytes(red) + b"\n"
        error = cli("index", tmp_path / "photos", code=2).stderr
        assert error.count(b"\n") == 1
        assert b"Read-only" in error


def test_an_index_file_whose_last_bytes_do_not_fit_is_an_error(tmp_path: Path) -> None:
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


def test_an_index_file_that_cannot_be_written_leaves_nothing_behind(
    cli: "Cli", tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
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
    assert cli.take(tmp_path / "photos") == {"unchanged": 1}
    assert cli.is_whole()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_a_failure_and_not_an_answer(
    cli: "Cli", tmp_path: Path, paint: Paint, unbuffered: str
) -> None:
    paint(tmp_path / "photos", red="red")
    cli.take(tmp_path / "photos")
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
