"""Files written whole, or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from core.errors import EvaluationError
from search.evaluate.writing import write_lines, write_whole


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
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


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", [b"some", b" bytes"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"some bytes"


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=write_whole, args=(tmp_path / "pipe", [b"some", b" bytes"]), daemon=True)
    writer.start()
    assert (tmp_path / "pipe").read_bytes() == b"some bytes"
    writer.join()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("name", [".", "none/file"])
def test_what_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvaluationError, match=f"cannot write .*{name}: "):
        write_whole(tmp_path / name, [b""])
    assert list(tmp_path.iterdir()) == []
