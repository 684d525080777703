"""Questions in, ranked pictures out."""

from search.engine import Searcher
from search.query import Query

__all__ = ["Query", "Searcher"]
