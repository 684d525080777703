"""Fixtures for snapshots: libraries with the same pictures, in another order and elsewhere."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import insert

from store import Library
from store.catalog.tables import Content, Picture, PictureState
from store.roots import ensure_root

NewLibrary = Callable[..., Library]


def digest_of(number: int) -> bytes:
    return number.to_bytes(32)


def add_pictures(library: Library, root: Path, *numbers: int) -> dict[int, int]:
    """Insert pictures without vectors, named after their numbers, below `root`; return number -> content ID."""
    ids = {}
    with library.exclusive() as writer:
        place = ensure_root(writer, root)
    with library.transaction() as connection:
        for number in numbers:
            values = {"digest": digest_of(number), "size": 1, "format": "PNG", "width": 8, "height": 8}
            ids[number] = connection.execute(insert(Content).values(values).returning(Content.id)).scalar_one()
            connection.execute(
                insert(Picture).values(
                    root_id=place.root_id,
                    relpath=b"%04d.png" % number,
                    size=1,
                    mtime_ns=1,
                    content_id=ids[number],
                    state=PictureState.PRESENT,
                )
            )
    return ids


@pytest.fixture
def new_library(tmp_path: Path, empty_library: Path) -> Iterator[NewLibrary]:
    """Return a function that makes an empty library."""
    with ExitStack() as opened:
        number = 0

        def make() -> Library:
            nonlocal number
            number += 1
            folder = tmp_path / f"library-{number}"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(empty_library, folder)
            return opened.enter_context(Library.open(folder))

        yield make
