"""Fixtures for tests of engines on servers."""

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from store import Library
from store.catalog.id_sets import Ids
from store.roots import ensure_root
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.ranker import Ranker
from store.spaces.registry import StoredSpace
from store.spaces.server_engines import recall, server_index
from store.spaces.server_engines.connections import EngineConnections
from store.spaces.server_engines.pgvector import PgvectorEngine
from tests.support.engines import SERVERS, Clusters, N, Setup
from tests.support.tools import miss

MILVUS_VARIABLE = "SIGHTLINE_TEST_MILVUS"
"""The URI of a Milvus server with which the tests of Milvus are run, instead of Milvus Lite."""


@pytest.fixture
def clusters(library: Library, stored: StoredSpace) -> Clusters:
    with library.exclusive() as writer:
        place = ensure_root(writer, library.path.parent / "photos")
    return Clusters(library, stored, place.root_id)


@pytest.fixture(params=["flat", "layered", *SERVERS])
def setup(
    request: pytest.FixtureRequest,
    library: Library,
    stored: StoredSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Setup]:
    """Each engine in turn; small numbers, so that all its ways of searching are taken."""
    name: str = request.param
    monkeypatch.setattr(PgvectorEngine, "approximate_from", 300)
    monkeypatch.setattr(server_index, "FEW", 20)
    monkeypatch.setattr(server_index, "MAX_SENT", 150)
    monkeypatch.setattr(recall, "QUERIES", 10)
    if name.startswith("pgvector"):
        monkeypatch.setenv(ENGINE_VARIABLE, f"pgvector:{request.getfixturevalue('pgvector_url')}")
    elif name.startswith("milvus"):
        monkeypatch.setenv(ENGINE_VARIABLE, f"milvus:{request.getfixturevalue('milvus')}")
    else:
        monkeypatch.setenv(ENGINE_VARIABLE, "flat" if name == "flat" else "auto:300")
    setup = Setup(name, library, stored, EngineConnections(library))
    yield setup
    setup.connections.close()
    if name.startswith("milvus") and MILVUS_VARIABLE in os.environ:
        engine = setup.engine()
        engine.drop()
        engine.close()


@pytest.fixture
def filled(setup: Setup, clusters: Clusters) -> list[int]:
    """The contents of an engine that is up to date."""
    ids = clusters.add(N)
    setup.update()
    return ids


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[str]:
    """The URI of a Milvus: that of a server, or the file of a Milvus Lite that ends with the test."""
    if uri := os.environ.get(MILVUS_VARIABLE):
        yield uri
        return
    if find_spec("milvus_lite") is None or find_spec("pymilvus") is None:
        miss("milvus", "milvus-lite is not installed.")
    path = tmp_path / "engine.db"
    yield str(path)
    from milvus_lite.server_manager import server_manager_instance

    server_manager_instance.release_server(str(path))


@pytest.fixture
def agrees(clusters: Clusters) -> Callable[..., None]:
    """Return a check of rankings: exact ones are those of brute force, and scores are exact in any case."""

    def check(index: Ranker, k: int = 10, among: Ids | None = None, *, exact: bool, queries: int = 5) -> None:
        found = [clusters.query(seed) for seed in range(queries)]
        ranking = index.search(np.stack(found), k, among)
        assert ranking.complete == exact
        everything = clusters.everything()
        for query, ids, scores in zip(found, ranking.ids.tolist(), ranking.scores.tolist(), strict=True):
            best = clusters.best(query, k, among)
            assert len(ids) == len(set(ids)) == len(best)
            assert scores == pytest.approx([float(np.dot(everything[frame], query)) for frame in ids], abs=1e-5)
            if exact:
                assert scores == pytest.approx([score for _, score in best], abs=1e-5)
            else:
                assert len({frame for frame, _ in best} & set(ids)) >= 0.8 * k

    return check
