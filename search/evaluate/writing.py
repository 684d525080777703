"""Files written whole or not at all: whatever breaks off, what was there before stays."""

import os
from collections.abc import Iterable
from pathlib import Path

from core.errors import EvaluationError

__all__ = ["write_lines", "write_whole"]


def write_whole(path: Path | str, chunks: Iterable[bytes]) -> None:
    """Writes a file beside `path` and renames it when all of it is on disk. Pipes and devices are written to directly.

    Raises `EvaluationError` when it cannot be written.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(chunks)
        else:
            _write_beside(Path(os.path.realpath(path)), chunks)  # where links lead, so that they stay
    except OSError as exc:
        raise EvaluationError(f"cannot write {path}: {exc.strerror or exc}") from exc


def write_lines(path: Path | str, lines: Iterable[str]) -> None:
    """The same for lines of text in UTF-8."""
    write_whole(path, (f"{line}\n".encode() for line in lines))


def _write_beside(target: Path, chunks: Iterable[bytes]) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
