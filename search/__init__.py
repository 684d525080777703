"""Search: queries in, ranked pictures out."""

from search.filters import Filters
from search.options import SearchOptions
from search.query import ImageInput, Part, Query, QueryInput, StoredInput, TextInput, VectorInput
from search.query_image import Crop
from search.results import Answer, Hit
from search.searcher import Searcher

__all__ = [
    "Answer",
    "Crop",
    "Filters",
    "Hit",
    "ImageInput",
    "Part",
    "Query",
    "QueryInput",
    "SearchOptions",
    "Searcher",
    "StoredInput",
    "TextInput",
    "VectorInput",
]
