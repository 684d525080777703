"""Captioned image data sets in several file formats, one module per format."""

from search.evaluate.datasets.base import Caption, Dataset, DatasetBuilder, DatasetFormat, ReadOptions
from search.evaluate.datasets.formats import FORMATS, open_dataset

__all__ = ["FORMATS", "Caption", "Dataset", "DatasetBuilder", "DatasetFormat", "ReadOptions", "open_dataset"]
