"""Atomic writing of files, with errors as `EvaluationError`."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from core.errors import EvaluationError
from search.evaluate.text_files import write_bytes, write_lines


def test_interrupted_write_keeps_the_old_file(tmp_path: Path) -> None:
    def lines() -> Iterator[str]:
        yield "new"
        raise KeyboardInterrupt

    (tmp_path / "kept.txt").write_text("old\n")
    for name in ("kept.txt", "new.txt"):
        with pytest.raises(KeyboardInterrupt):
            write_lines(tmp_path / name, lines())
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert (tmp_path / "kept.txt").read_text() == "old\n"
    write_lines(tmp_path / "kept.txt", ["a", "雪"])
    assert (tmp_path / "kept.txt").read_bytes() == "a\n雪\n".encode()


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_bytes(tmp_path / "link", [b"some", b" bytes"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"some bytes"


def test_pipe_is_written_to_directly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=write_bytes, args=(tmp_path / "pipe", [b"some", b" bytes"]), daemon=True)
    writer.start()
    assert (tmp_path / "pipe").read_bytes() == b"some bytes"
    writer.join()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("name", [".", "none/file"])
def test_unwritable_path_raises_evaluation_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvaluationError, match=f"Cannot write .*{name}: "):
        write_bytes(tmp_path / name, [b""])
    assert list(tmp_path.iterdir()) == []
