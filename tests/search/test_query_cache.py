"""The query cache returns the same vectors as the model, and a broken cache is ignored."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from encoders.fake import FakeEncoder
from search.query_cache import QueryCache
from store.remembered_queries import CACHE_FILE

TEXTS = ["red", "blue and green", "雪"]


class Counting(FakeEncoder):
    """An encoder that records the texts it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []

    def forward_texts(self, texts: "list[str]") -> np.ndarray:  # type: ignore[override]
        self.embedded += texts
        return super().forward_texts(texts)


def test_cached_vectors_equal_embedded_ones(tmp_path: Path) -> None:
    encoder = Counting()
    fresh = encoder.encode_texts(TEXTS)
    encoder.embedded.clear()
    for _ in range(3):
        np.testing.assert_array_equal(QueryCache(tmp_path).texts(encoder, TEXTS), fresh)
    assert encoder.embedded == TEXTS
    np.testing.assert_array_equal(QueryCache(tmp_path).texts(encoder, ["new", "red"])[1], fresh[0])
    assert encoder.embedded == [*TEXTS, "new"]
    assert QueryCache(tmp_path).texts(encoder, []).shape == (0, 13)


def test_texts_are_not_stored(tmp_path: Path) -> None:
    QueryCache(tmp_path).texts(FakeEncoder(), ["something embarrassing"])
    assert b"embarrassing" not in (tmp_path / CACHE_FILE).read_bytes()


def test_models_do_not_share_vectors(tmp_path: Path) -> None:
    other = Counting()
    other.space = type(other.space)(model="other", weights="none", dim=13, preprocessing={})
    QueryCache(tmp_path).texts(FakeEncoder(), ["red"])
    QueryCache(tmp_path).texts(other, ["red"])
    assert other.embedded == ["red"]


def test_old_vectors_are_deleted(tmp_path: Path) -> None:
    cache, encoder = QueryCache(tmp_path, max_vectors=5), Counting()
    for number in range(20):
        cache.texts(encoder, [f"text {number}"])
    with closing(sqlite3.connect(tmp_path / CACHE_FILE)) as database:
        assert database.execute("SELECT count(*) FROM asked").fetchone() == (5,)
    encoder.embedded.clear()
    cache.texts(encoder, ["text 19", "text 15", "text 14"])
    assert encoder.embedded == ["text 14"]


def test_damaged_vector_is_embedded_again(tmp_path: Path) -> None:
    encoder = Counting()
    fresh = QueryCache(tmp_path).texts(encoder, ["red"])
    with closing(sqlite3.connect(tmp_path / CACHE_FILE)) as database, database:
        database.execute("UPDATE asked SET vector = zeroblob(length(vector))")
    np.testing.assert_array_equal(QueryCache(tmp_path).texts(encoder, ["red"]), fresh)
    np.testing.assert_array_equal(QueryCache(tmp_path).texts(encoder, ["red"]), fresh)
    assert encoder.embedded == ["red", "red"]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CACHE_FILE).write_bytes(content)
    encoder = Counting()
    for _ in range(3):
        QueryCache(tmp_path).texts(encoder, ["red"])
    assert 1 <= len(encoder.embedded) <= 2


def test_locked_file_is_skipped(tmp_path: Path) -> None:
    encoder = Counting()
    QueryCache(tmp_path).texts(encoder, ["red"])
    with closing(sqlite3.connect(tmp_path / CACHE_FILE)) as database:
        database.execute("BEGIN EXCLUSIVE")
        np.testing.assert_array_equal(QueryCache(tmp_path).texts(encoder, ["red"]), encoder.encode_texts(["red"]))


@pytest.mark.parametrize("folder", [None, Path("/nowhere/at/all"), Path("/proc")])
def test_unusable_folder_disables_cache(folder: Path | None) -> None:
    np.testing.assert_array_equal(QueryCache(folder).texts(FakeEncoder(), TEXTS), FakeEncoder().encode_texts(TEXTS))


def test_threads_share_cache(tmp_path: Path) -> None:
    cache, encoder = QueryCache(tmp_path), FakeEncoder()
    fresh = encoder.encode_texts(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: cache.texts(encoder, TEXTS), range(40)):
            np.testing.assert_array_equal(found, fresh)
