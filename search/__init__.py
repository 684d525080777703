"""Questions in, ranked pictures out."""

from search.engine import Searcher
from search.filters import Filters
from search.hits import Hit
from search.query import Query

__all__ = ["Filters", "Hit", "Query", "Searcher"]
