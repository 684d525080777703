"""A library in a PostgreSQL database of its own."""

from collections.abc import Iterator

import pytest

from store import Library


@pytest.fixture
def library(postgres_url: str) -> Iterator[Library]:
    with Library.open(postgres_url, create=True) as opened:
        yield opened
