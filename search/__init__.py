"""Search: queries in, ranked pictures out. The exports are imported when they are used."""

from typing import TYPE_CHECKING

from core.lazy import lazy_exports

if TYPE_CHECKING:
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

_QUERY = ("ImageInput", "Part", "Query", "QueryInput", "StoredInput", "TextInput", "VectorInput")

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "Answer": "search.results",
            "Crop": "search.query_image",
            "Filters": "search.filters",
            "Hit": "search.results",
            "SearchOptions": "search.options",
            "Searcher": "search.searcher",
            **dict.fromkeys(_QUERY, "search.query"),
        },
    )
