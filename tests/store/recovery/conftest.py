"""A library with everything that people say about pictures, and copies of it to damage."""

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import (
    Album,
    AlbumContent,
    Content,
    ContentTag,
    DistinctPair,
    Embedding,
    PerceptualHashRow,
    Picture,
    Root,
    Tag,
    TextFrame,
    TextLineRow,
    TextReadingRow,
)
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.registry import create_active_space

COUNT = 900
"""Enough that most tables have interior pages."""

TABLES = (
    *("roots", "contents", "pictures", "embeddings", "tags", "content_tags", "albums", "album_contents"),
    *("distinct_pairs", "likenesses", "text_readings", "text_frames", "text_lines"),
)
SAID = "content_tags", "albums", "album_contents", "distinct_pairs"
"""Tables that only people can fill again."""

Rows = dict[str, set[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that no test may change."""
    path = tmp_path_factory.mktemp("whole") / "library"
    encoder, ids, now = FakeEncoder(), range(1, COUNT + 1), datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001
    vectors = np.random.default_rng(1).normal(size=(COUNT, encoder.space.dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Library.open(path, create=True) as library:
        with library.exclusive() as writer:
            stored = create_active_space(writer, encoder.space)
        with library.transaction() as connection:
            rows: dict[type[Any], list[dict[str, Any]]] = {
                Root: [{"id": 1, "path": b"/photos", "added_at": now}],
                Content: [
                    {
                        "digest": hashlib.sha256(b"%d" % i).digest(),
                        "size": 1000 + i,
                        "format": "JPEG",
                        "width": 640,
                        "height": 480,
                        "taken_at": now,
                        "title": f"Title {i}" + "!" * (9_000 if i == 7 else 0),  # one needs overflow pages
                        "latitude": i / 7,
                        "longitude": -0.5,
                    }
                    for i in ids
                ],
                Picture: [
                    {
                        "root_id": 1,
                        "relpath": b"2024/%05d.jpg" % i,
                        "size": 1000 + i,
                        "mtime_ns": -i if i % 2 else i << 40,
                        "content_id": i,
                        "state": "present",
                    }
                    for i in ids
                ],
                Embedding: [
                    {"space_id": stored.id, "content_id": i, "vector": stored.to_bytes(vectors[i - 1])} for i in ids
                ],
                Tag: [{"id": i, "key": f"tag {i}", "name": f"Tag {i}"} for i in range(1, 101)],
                ContentTag: [{"tag_id": i % 100 + 1, "content_id": i, "source": "user"} for i in ids],
                Album: [
                    {
                        "key": f"album {i}",
                        "name": f"Album {i}",
                        "by_hand": True,
                        "query": "",
                        "top": 0,
                        "created_at": now,
                    }
                    for i in range(10)
                ],
                AlbumContent: [{"album_id": i % 10 + 1, "content_id": i, "position": i} for i in ids],
                DistinctPair: [{"first_id": i, "second_id": i + 1} for i in ids[:-1]],
                PerceptualHashRow: [{"content_id": i, "version": 1, "bits": None, "anchor_id": None} for i in ids],
                TextReadingRow: [{"content_id": i, "recognizer": "r", "version": "1"} for i in ids],
                TextFrame: [{"id": i, "content_id": i, "number": 0, "comparable": f"text {i} " * 5} for i in ids],
                TextLineRow: [
                    {"frame_id": i, "number": 0, "text": "text", "confidence": 0.5, "corners": bytes(32)} for i in ids
                ],
            }
            for table, values in rows.items():
                connection.execute(insert(table), values)
            mark_changed(connection)
        index_cache.publish(library, stored)
    return path


@pytest.fixture
def damaged(whole: Path, tmp_path: Path) -> Path:
    """A copy of the library, to be damaged by the test."""
    return Path(shutil.copytree(whole, tmp_path / "library"))


def rows_of(path: Path) -> Rows:
    """Return all rows of a library by table, read without Sightline's code."""
    with closing(sqlite3.connect(path / "catalog.sqlite")) as connection:
        return {table: set(connection.execute(f"SELECT * FROM {table}")) for table in TABLES}


@pytest.fixture
def open_elsewhere() -> Iterator[Callable[[Path], None]]:
    """Return a function that opens a database in another process until the test ends."""
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM sqlite_schema').fetchone();"
        "print('open', flush=True); sys.stdin.read()"
    )
    with ExitStack() as stack:

        def start(file: Path) -> None:
            process = subprocess.Popen(
                [sys.executable, "-c", script, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.communicate, "")
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"

        yield start
