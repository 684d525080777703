"""Data sets as people have them, one format a file."""

from search.evaluate.datasets.base import Caption, Dataset
from search.evaluate.datasets.formats import FORMATS, open_dataset

__all__ = ["FORMATS", "Caption", "Dataset", "open_dataset"]
