"""Small data sets on disk. Nothing opens the pictures, so they are empty files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a text file, or several records as JSON Lines; returns its path."""

    def put(name: str, *content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in content)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return put


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., None]:
    """Makes empty files of these names."""

    def put(*names: str) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return put
