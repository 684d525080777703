"""Libraries to merge."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from encoders.base import Encoder
from encoders.fake import FakeEncoder
from indexer import index
from store import Library

Paint = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, empty_library: Path) -> Iterator[Callable[..., Library]]:
    """Return a function that makes a library, and indexes folders with it."""
    with ExitStack() as opened:

        def new(name: str, *folders: Path, encoder: Encoder | None = None) -> Library:
            shutil.copytree(empty_library, tmp_path / name)
            library = opened.enter_context(Library.open(tmp_path / name))
            if folders:
                index(library, folders, encoder or FakeEncoder())
            return library

        yield new


@pytest.fixture
def two(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> tuple[Library, Library]:
    """Two libraries with two pictures each, one of them in both."""
    paint(tmp_path / "a" / "red.png", "red")
    paint(tmp_path / "a" / "blue.png", "blue")
    paint(tmp_path / "b" / "green.png", "green")
    shutil.copy(tmp_path / "a" / "red.png", tmp_path / "b" / "copy.png")
    return make("one", tmp_path / "a"), make("other", tmp_path / "b")
