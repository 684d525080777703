"""Vectors made elsewhere, taken in as a space of their own; and a library's vectors, given out."""

from store.exchange.columns import Columns
from store.exchange.export import export_space
from store.exchange.import_vectors import Imported, ImportSettings, import_vectors
from store.exchange.names import Name
from store.exchange.sources import VectorSource, open_vectors, read_vectors

__all__ = [
    "Columns",
    "ImportSettings",
    "Imported",
    "Name",
    "VectorSource",
    "export_space",
    "import_vectors",
    "open_vectors",
    "read_vectors",
]
