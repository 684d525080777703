"""Questions in, ranked pictures out."""

from search.crop import Crop
from search.filters import Filters
from search.hits import Hit
from search.paging import Answer
from search.query import Part, Picture, Query, Stored, Text, Vector
from search.query_embedding import Asking
from search.searcher import Searcher

__all__ = [
    "Answer",
    "Asking",
    "Crop",
    "Filters",
    "Hit",
    "Part",
    "Picture",
    "Query",
    "Searcher",
    "Stored",
    "Text",
    "Vector",
]
