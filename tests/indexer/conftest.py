"""Fixtures of the indexer tests."""

import pytest

from tests.support.indexing import CountingEncoder


@pytest.fixture
def counting() -> CountingEncoder:
    return CountingEncoder()
