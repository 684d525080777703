"""Import vectors of other models as spaces, and export the vectors of a space."""

from store.exchange.export import export_space
from store.exchange.import_vectors import (
    ImportHooks,
    ImportSettings,
    ImportSummary,
    import_vectors,
    remove_replaced_spaces,
)
from store.exchange.parquet import ParquetColumns
from store.exchange.sources import VectorSource, open_vectors, read_vectors
from store.exchange.vector_file import ItemName

__all__ = [
    "ImportHooks",
    "ImportSettings",
    "ImportSummary",
    "ItemName",
    "ParquetColumns",
    "VectorSource",
    "export_space",
    "import_vectors",
    "open_vectors",
    "read_vectors",
    "remove_replaced_spaces",
]
