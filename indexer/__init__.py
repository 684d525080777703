"""Index pictures: scan folders, read files, embed them and write them to the catalogue.

The exports are imported when they are used: many commands need only `Progress`.
"""

from typing import TYPE_CHECKING

from core.lazy import lazy_exports

if TYPE_CHECKING:
    from indexer.filling import FillResult, FillSettings, fill, switch
    from indexer.pipeline import IndexSettings, index
    from indexer.summary import Progress, Summary

__all__ = ["FillResult", "FillSettings", "IndexSettings", "Progress", "Summary", "fill", "index", "switch"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "FillResult": "indexer.filling",
            "FillSettings": "indexer.filling",
            "IndexSettings": "indexer.pipeline",
            "Progress": "indexer.summary",
            "Summary": "indexer.summary",
            "fill": "indexer.filling",
            "index": "indexer.pipeline",
            "switch": "indexer.filling",
        },
    )
