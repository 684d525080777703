"""A library in PostgreSQL, the engine in the same database, and several machines."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from encoders.fake import FakeEncoder
from store import Library
from store.check import verify
from store.roots import ensure_root
from store.spaces.approximation import update_approximation
from store.spaces.catalogue_index import CatalogueIndex
from store.spaces.current_index import CurrentIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.ranker import Ranker
from store.spaces.registry import activate, register
from store.spaces.server_engines import recall, server_index
from store.spaces.server_engines.checking import report_engine
from store.spaces.server_engines.connections import EngineConnections
from store.spaces.server_engines.pgvector import PgvectorEngine
from store.spaces.server_engines.server_index import ServerIndex
from tests.support.engines import Clusters, N
from tests.support.writers import publish

pytestmark = pytest.mark.servers

Machine = Callable[[str], Library]


@pytest.fixture
def machine(pgvector_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Open the library on a machine of that name, which has a folder of its own."""
    monkeypatch.setattr(PgvectorEngine, "approximate_from", 300)
    monkeypatch.setattr(server_index, "FEW", 20)
    monkeypatch.setattr(recall, "QUERIES", 10)
    monkeypatch.setenv(ENGINE_VARIABLE, "pgvector")
    opened = []

    def open_on(name: str) -> Library:
        monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / name))
        opened.append(Library.open(pgvector_url, create=True))
        return opened[-1]

    yield open_on
    for library in opened:
        library.close()


@pytest.fixture
def clusters(machine: Machine, tmp_path: Path) -> Clusters:
    library = machine("first")
    with library.transaction() as connection:
        stored = register(connection, FakeEncoder().space)
        activate(connection, stored)
    with library.exclusive() as writer:
        place = ensure_root(writer, tmp_path / "photos")
    return Clusters(library, stored, place.root_id)


def base_of(current: CurrentIndex) -> object:
    assert isinstance(current.index, ServerIndex)
    assert current.index.connect() is not None
    return current.index.base


def found(index: Ranker, clusters: Clusters, among: list[int] | None = None) -> list[list[int]]:
    kept = None if among is None else np.array(among)
    return [index.search(clusters.query(seed)[None], 10, kept).ids[0].tolist() for seed in range(5)]


def expected(clusters: Clusters, among: list[int] | None = None) -> list[list[int]]:
    kept = None if among is None else np.array(among)
    return [[frame for frame, _ in clusters.best(clusters.query(seed), 10, kept)] for seed in range(5)]


def test_a_second_machine_searches_without_a_file(clusters: Clusters, machine: Machine) -> None:
    ids = clusters.add(N)
    publish(clusters.library, clusters.stored)
    assert update_approximation(clusters.library, clusters.stored)
    other = machine("second")
    connections = EngineConnections(other)
    current = connections.load(clusters.stored)
    assert isinstance(base_of(current), CatalogueIndex)
    assert found(current.index, clusters) == found(
        EngineConnections(clusters.library).load(clusters.stored).index, clusters
    )
    assert found(current.index, clusters, ids[:200]) == expected(clusters, ids[:200])
    assert found(current.index.exact, clusters) == expected(clusters)
    assert list(other.indexes.iterdir()) == []

    clusters.lose(ids[:20])
    added = clusters.add(10)
    current = connections.load(clusters.stored, current)
    assert isinstance(base_of(current), CatalogueIndex)
    kept = [*ids[:200], *added]
    assert found(current.index, clusters, kept) == expected(clusters, kept)
    assert verify(other) == []
    report = report_engine(other, clusters.stored)
    assert report is not None
    assert report.behind == 30
    connections.close()


def test_either_machine_brings_the_engine_up_to_date(clusters: Clusters, machine: Machine) -> None:
    clusters.add(N)
    assert update_approximation(clusters.library, clusters.stored)
    other = machine("second")
    clusters.add(5)
    with clusters.library.engine_lock_if_free(clusters.stored.space.fingerprint) as is_free:
        assert is_free
        before = report_engine(other, clusters.stored)
        update_approximation(other, clusters.stored)
        assert report_engine(other, clusters.stored) == before
    update_approximation(other, clusters.stored)
    report = report_engine(clusters.library, clusters.stored)
    assert report is not None
    assert report.behind == 0
    assert report.state is not None
    assert report.state.vectors == N + 5
