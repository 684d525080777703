"""Semantic image search: index folders of pictures, and search them by words or by another picture.

    import sightline

    library = sightline.open("photos.library", create=True)
    sightline.index(library, "~/Pictures")
    for hit in sightline.Searcher(library).search("a dog playing in the snow", k=5):
        print(hit.score, hit.path)

Everything here is imported when it is first used, so that `import sightline` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from core.version import __version__

if TYPE_CHECKING:
    from core.frames import Frame
    from core.metadata import PhotoMetadata
    from core.space import Space
    from encoders.base import Encoder
    from encoders.preprocess import Preprocess
    from encoders.registry import load as load_model
    from indexer import IndexSettings, Progress, Summary, index
    from indexer.cluster import ClusterRunner, ClusterSettings
    from search import Answer, Crop, Filters, Hit, Part, Query, Searcher, SearchOptions
    from search.evaluate import evaluate
    from search.highlight import Highlight, highlight
    from sightline import errors
    from sightline.api import forget, open  # noqa: A004 (`sightline.open` reads as `gzip.open` does)
    from store.check import verify
    from store.library import Library

__all__ = [
    "Answer",
    "ClusterRunner",
    "ClusterSettings",
    "Crop",
    "Encoder",
    "Filters",
    "Frame",
    "Highlight",
    "Hit",
    "IndexSettings",
    "Library",
    "Part",
    "PhotoMetadata",
    "Preprocess",
    "Progress",
    "Query",
    "SearchOptions",
    "Searcher",
    "Space",
    "Summary",
    "__version__",
    "errors",
    "evaluate",
    "forget",
    "highlight",
    "index",
    "load_model",
    "open",
    "verify",
]

_SOURCES = {
    "Answer": "search:Answer",
    "ClusterRunner": "indexer.cluster:ClusterRunner",
    "ClusterSettings": "indexer.cluster:ClusterSettings",
    "Crop": "search:Crop",
    "Encoder": "encoders.base:Encoder",
    "Filters": "search:Filters",
    "Frame": "core.frames:Frame",
    "Highlight": "search.highlight:Highlight",
    "Hit": "search:Hit",
    "IndexSettings": "indexer:IndexSettings",
    "Library": "store.library:Library",
    "Part": "search:Part",
    "PhotoMetadata": "core.metadata:PhotoMetadata",
    "Preprocess": "encoders.preprocess:Preprocess",
    "Progress": "indexer:Progress",
    "Query": "search:Query",
    "SearchOptions": "search:SearchOptions",
    "Searcher": "search:Searcher",
    "Space": "core.space:Space",
    "Summary": "indexer:Summary",
    "evaluate": "search.evaluate:evaluate",
    "forget": "sightline.api:forget",
    "highlight": "search.highlight:highlight",
    "index": "indexer:index",
    "load_model": "encoders.registry:load",
    "open": "sightline.api:open",
    "verify": "store.check:verify",
}

if not TYPE_CHECKING:  # type checkers accept any name of a package that has a `__getattr__`

    def __getattr__(name: str) -> object:
        if name == "errors":
            return import_module("sightline.errors")
        if name not in _SOURCES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _SOURCES[name].partition(":")
        value: object = getattr(import_module(module), attribute)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
