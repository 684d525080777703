"""Index engines: the default, plug-ins from other packages, and files that another engine wrote."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core import plugins
from core.errors import UnknownIndexEngine
from store import Library
from store.check import verify
from store.spaces import index_cache, index_engines
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE, approximate_from, index_engine
from store.spaces.registry import StoredSpace
from tests.support.distributions import install_plugin

Put = Callable[..., list[int]]
Unit = Callable[[int], NDArray[np.float32]]

NUMPY_ENGINE = '''
"""Exact search in a dictionary of vectors, stored as JSON."""

import json

import numpy as np

from store.spaces.vector_index import Ranking, VectorIndex


class NumpyIndex(VectorIndex):
    def __init__(self, dim, dtype="float16"):
        self.dim, self.rows = dim, {}

    def __len__(self):
        return len(self.rows)

    def ids(self):
        return np.array(list(self.rows), np.int64)

    def vectors(self, start=0, stop=None):
        return np.array(list(self.rows.values())[start:stop], np.float32).reshape(-1, self.dim)

    def add(self, ids, vectors):
        self.rows.update(zip(ids.tolist(), vectors.astype(np.float32), strict=True))

    def remove(self, ids):
        return sum(self.rows.pop(content_id, None) is not None for content_id in ids.tolist())

    def copy(self):
        other = type(self)(self.dim)
        other.rows = dict(self.rows)
        return other

    def search(self, queries, k, among=None):
        ids = self.ids() if among is None else np.intersect1d(self.ids(), among)
        scores = queries @ np.stack([self.rows[content_id] for content_id in ids.tolist()]).T
        order = np.argsort(-scores, axis=1)[:, :k]
        return Ranking(np.take_along_axis(scores, order, 1), ids[order])

    def search_range(self, query, min_score, among=None):
        ids = self.ids() if among is None else np.intersect1d(self.ids(), among)
        scores = np.stack([self.rows[content_id] for content_id in ids.tolist()]) @ query
        return scores[scores >= min_score], ids[scores >= min_score]

    def write(self, path):
        rows = {content_id: row.tolist() for content_id, row in self.rows.items()}
        path.write_text(json.dumps({"dim": self.dim, "rows": rows}))

    @classmethod
    def read(cls, path, *, mapped=False):
        try:
            content = json.loads(path.read_text())
        except ValueError as exc:
            raise OSError("not an index of this engine") from exc
        self = cls(content["dim"])
        self.rows = {int(content_id): np.array(row, np.float32) for content_id, row in content["rows"].items()}
        return self
'''


@pytest.fixture
def numpy_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin(
        tmp_path / "site",
        monkeypatch,
        group=index_engines.ENGINES.group,
        name="numpy",
        target="numpy_index_plugin:NumpyIndex",
        source=NUMPY_ENGINE,
    )


def test_exact_search_is_the_default_and_reads_no_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    monkeypatch.setattr(plugins, "entry_points", lambda **_: pytest.fail("entry points were read"))
    assert index_engine() is FlatIndex


def test_unknown_engine_is_rejected_with_the_known_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "hnsw")
    with pytest.raises(UnknownIndexEngine, match="flat") as caught:
        index_engine()
    assert caught.value.name == "hnsw"


@pytest.mark.usefixtures("numpy_engine")
def test_a_plugin_engine_builds_publishes_and_reads_the_index(
    library: Library, stored: StoredSpace, put: Put, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "numpy")
    ids = put(1, 2, 3)
    published = index_cache.publish(library, stored)
    assert type(published.index).__name__ == "NumpyIndex"
    loaded = index_cache.load(library, stored)
    assert loaded.published
    assert loaded.index.search(unit(2)[None], 1).ids[0, 0] == ids[1]
    assert verify(library) == []


@pytest.mark.usefixtures("numpy_engine")
def test_an_index_file_of_another_engine_is_rebuilt(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(1, 2, 3)
    for engine, name in (("numpy", "NumpyIndex"), ("flat", "FlatIndex"), ("numpy", "NumpyIndex")):
        monkeypatch.setenv(ENGINE_VARIABLE, engine)
        current = index_cache.load(library, stored)
        assert (type(current.index).__name__, sorted(current.index.ids().tolist())) == (name, ids)
        index_cache.publish(library, stored)
        assert verify(library) == []


def test_a_faiss_file_that_is_not_a_flat_index_is_rejected(tmp_path: Path) -> None:
    import faiss

    faiss.write_index(faiss.IndexHNSWFlat(8, 4), str(tmp_path / "hnsw.faiss"))
    faiss.write_index(faiss.IndexIDMap(faiss.IndexHNSWFlat(8, 4)), str(tmp_path / "hnsw-ids.faiss"))
    for name in ("hnsw.faiss", "hnsw-ids.faiss"):
        with pytest.raises(RuntimeError, match="not a flat index"):
            FlatIndex.read(tmp_path / name)


@pytest.mark.parametrize(
    ("value", "expected"), [("", 1_000_000), ("auto", 1_000_000), ("auto:5", 5), ("flat", None), ("torch", None)]
)
def test_size_from_which_lists_are_used(monkeypatch: pytest.MonkeyPatch, value: str, expected: int | None) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, value)
    assert approximate_from() == expected


@pytest.mark.parametrize("value", ["auto:", "auto:x", "auto:-1", "auto:1e6"])
def test_size_that_is_not_a_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, value)
    if value == "auto:":
        assert approximate_from() == 1_000_000
        return
    with pytest.raises(UnknownIndexEngine, match="auto:NUMBER"):
        approximate_from()
