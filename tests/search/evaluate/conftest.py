"""Small data sets on disk. The pictures are empty files, because no test opens them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a text file, or records as JSON Lines, and returns its path."""

    def put(name: str, *content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in content)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return put


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., None]:
    """Return a function that creates empty files."""

    def put(*names: str) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return put
