"""The cost of an index run: few statements, because each is a request if the database is on a server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import event

from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from store import Library
from tests.support.indexing import nonzero_counts

BATCH = 4
MOST_OF_A_BATCH = 13
"""Statements, with those that begin transactions. In PostgreSQL, rows are copied without one."""

Draw = Callable[[Path, int], Path]


@pytest.fixture
def draw() -> Draw:
    """Return a function that fills a folder with pictures of one size in bytes."""
    rng = np.random.default_rng(1)

    def fill(folder: Path, number: int) -> Path:
        folder.mkdir()
        for each in range(number):
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{each:03}.bmp")
        return folder

    return fill


@contextmanager
def executed(library: Library) -> Iterator[list[str]]:
    """Yield the statements that are executed in the block."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(library.backend.engine, "before_cursor_execute", note)
    yield asked
    event.remove(library.backend.engine, "before_cursor_execute", note)


def test_a_batch_of_new_pictures_takes_few_statements(library: Library, tmp_path: Path, draw: Draw) -> None:
    counts = []
    for batches in (2, 7):
        folder = draw(tmp_path / f"{batches}", batches * BATCH)
        with executed(library) as statements:
            summary = index(library, folder, FakeEncoder(batch_size=BATCH), IndexSettings())
        assert nonzero_counts(summary) == {"new": batches * BATCH, "embedded": batches * BATCH}
        counts.append(len(statements))
    few, many = counts
    assert (many - few) / 5 <= MOST_OF_A_BATCH


def test_new_files_of_known_sizes_are_not_looked_up_one_by_one(library: Library, tmp_path: Path, draw: Draw) -> None:
    encoder = FakeEncoder(batch_size=64)
    index(library, draw(tmp_path / "before", 3), encoder)
    counts = []
    for number in (5, 50):
        with executed(library) as statements:
            summary = index(library, draw(tmp_path / f"{number}", number), encoder)
        assert nonzero_counts(summary) == {"new": number, "embedded": number}
        counts.append(len(statements))
    few, many = counts
    assert many == few


def test_copies_of_pictures_that_are_known_are_still_recognised(library: Library, tmp_path: Path, draw: Draw) -> None:
    first = draw(tmp_path / "before", 6)
    index(library, first, FakeEncoder())
    again = draw(tmp_path / "again", 2)
    for file in sorted(first.iterdir())[:4]:
        (again / f"copy of {file.name}").write_bytes(file.read_bytes())
    summary = index(library, again, FakeEncoder())
    assert nonzero_counts(summary) == {"new": 6, "embedded": 2, "duplicates": 4}
