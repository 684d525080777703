"""Absolute paths, and atomic writing."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.files import absolute, atomic_writer, remove_abandoned_drafts, write_atomically


def test_absolute_removes_dots_and_keeps_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    assert absolute("link/../link/a") == tmp_path / "link" / "a"


def test_absolute_expands_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute("~/Pictures") == tmp_path / "Pictures"


def test_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    target = tmp_path / "list.txt"
    target.write_bytes(b"old")

    def write() -> None:
        with atomic_writer(target) as file:
            file.write(b"half of the new")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]
    assert target.read_bytes() == b"old"


def test_write_follows_a_link_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target.txt")
    write_atomically(tmp_path / "link", [b"a", b"b"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target.txt").read_bytes() == b"ab"


def test_write_to_a_pipe_is_direct(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, [b"row\n"])
        assert os.read(reader, 100) == b"row\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_unwritable_folder_raises_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "list.txt", [b"a"])


def test_threads_that_write_the_same_file_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "list.txt"

    def write(data: bytes) -> None:
        with atomic_writer(target, durable=False) as file:
            for _ in range(200):
                file.write(data)
                file.flush()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, [bytes([65 + number]) * 100 for number in range(16)]))
    written = target.read_bytes()
    assert written == written[:1] * 20_000
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]


def test_temporary_files_of_killed_processes_are_removed_after_an_hour(tmp_path: Path) -> None:
    names = {
        ".a.json.12.34.tmp": 1,
        ".a.json.9.9.tmp": None,
        ".b.json.1.2.tmp": 1,
        ".a.json.tmp": 1,
        "a.json.1.2.tmp": 1,
    }
    for name, modified in names.items():
        (tmp_path / name).touch()
        if modified is not None:
            os.utime(tmp_path / name, (modified, modified))
    write_atomically(tmp_path / "a.json", [b"1"])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.json", *names} - {".a.json.12.34.tmp"}


def test_a_temporary_file_of_the_future_is_removed(tmp_path: Path) -> None:
    """It was written while the clock was wrong."""
    draft = tmp_path / ".a.1.2.tmp"
    draft.touch()
    os.utime(draft, (2**32, 2**32))
    remove_abandoned_drafts(tmp_path, "a")
    remove_abandoned_drafts(tmp_path / "none", "a")
    assert not draft.exists()
