"""Index pictures: scan folders, read files, embed them and write them to the catalogue."""

from indexer.fill import FillResult, FillSettings, fill, switch
from indexer.pipeline import IndexSettings, index
from indexer.summary import Progress, Summary

__all__ = ["FillResult", "FillSettings", "IndexSettings", "Progress", "Summary", "fill", "index", "switch"]
