"""Pictures on their way in: find them, read them, embed them, commit them."""

from indexer.pipeline import IndexSettings, index
from indexer.summary import Progress, Summary

__all__ = ["IndexSettings", "Progress", "Summary", "index"]
