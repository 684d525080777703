"""Ray with two cores, started once for all tests of a process."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from indexer.cluster.connection import RayCluster, open_cluster
from indexer.cluster.reachability import AUTO
from tests.support.tools import miss


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """A connection that index runs of this process use, instead of starting Ray themselves."""
    if find_spec("ray") is None:
        miss("ray", "the package is not installed")
    with open_cluster(AUTO, cores=2, memory=256 << 20) as cluster:
        yield cluster
