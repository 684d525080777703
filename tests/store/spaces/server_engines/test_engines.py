"""What every engine promises: the same tests for files and for servers."""

from collections.abc import Callable

import pytest

from store.spaces.server_engines.server_index import ServerIndex
from tests.support.engines import Clusters, N, Setup

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]


def test_the_best_of_all_are_found_with_exact_scores(setup: Setup, clusters: Clusters, agrees: Agrees) -> None:
    clusters.add(N)
    setup.update()
    index = setup.load().index
    assert isinstance(index, ServerIndex) == setup.is_server
    agrees(index, exact=setup.name == "flat")
    agrees(index.exact, exact=True)


def test_a_small_library_is_ranked_exactly_or_well(setup: Setup, clusters: Clusters, agrees: Agrees) -> None:
    clusters.add(60)
    setup.update()
    agrees(setup.load().index, exact=not setup.name.startswith("milvus"))
