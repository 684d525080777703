"""The catalogue (SQLAlchemy) and the vectors (FAISS): what a library knows, kept so that nothing is ever lost."""

from store.catalog import annotations as annotations  # its tables belong to the catalogue
from store.catalog import likeness as likeness
from store.library import Library

__all__ = ["Library"]
