"""Pictures on their way in: find them, read them, embed them, commit them."""

from indexer.fill import Filled, FillSettings, fill, switch
from indexer.pipeline import IndexSettings, index
from indexer.summary import Progress, Summary

__all__ = ["FillSettings", "Filled", "IndexSettings", "Progress", "Summary", "fill", "index", "switch"]
