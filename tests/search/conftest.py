"""A searcher over pictures of plain colours."""

from pathlib import Path

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library


@pytest.fixture
def searcher(library: Library, album: Path, encoder: FakeEncoder) -> Searcher:
    """Four pictures: red, green, blue and yellow."""
    index(library, [album], encoder)
    return Searcher(library, encoder)
