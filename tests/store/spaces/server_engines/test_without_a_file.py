"""Searching vectors that stay in the catalogue."""

from collections.abc import Callable

import numpy as np
import pytest

from store import Library
from store.spaces.catalogue_index import CatalogueIndex
from store.spaces.registry import StoredSpace
from tests.support.engines import Clusters

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]


def in_memory(index: CatalogueIndex) -> bool:
    return index.is_in_memory


def test_a_machine_without_a_file_reads_few_vectors(
    library: Library, stored: StoredSpace, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters.add(60)
    monkeypatch.setattr("store.spaces.catalogue_index.MAX_READ", 30)
    everything = clusters.everything()
    index = CatalogueIndex(library, stored, np.array(sorted(everything)))
    found = index.search(clusters.query(0)[None], 5, np.array(sorted(everything)[:30]))
    assert found.ids[0].tolist() == [
        frame for frame, _ in clusters.best(clusters.query(0), 5, np.array(sorted(everything)[:30]))
    ]
    assert not in_memory(index)
    assert index.search(clusters.query(0)[None], 5).ids[0].tolist() == [
        frame for frame, _ in clusters.best(clusters.query(0), 5)
    ]
    assert in_memory(index)
    copy = index.copy()
    assert copy.remove(np.array(sorted(everything)[:10])) == 10
    assert len(copy.search(clusters.query(0)[None], 60).ids[0]) == 50
    assert len(index.search(clusters.query(0)[None], 60).ids[0]) == 60
