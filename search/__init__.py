"""Questions in, ranked pictures out."""

from search.crop import Crop
from search.embedding import Asking
from search.engine import Searcher
from search.filters import Filters
from search.hits import Hit
from search.paging import Answer
from search.query import Part, Picture, Query, Stored, Text, Vector

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
