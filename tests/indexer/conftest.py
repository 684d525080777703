"""What several of these tests begin with."""

import pytest

from tests.indexer.runs import Counting


@pytest.fixture
def counting() -> Counting:
    return Counting()
