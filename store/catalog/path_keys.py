"""What the catalogue stores of the path of a file beside the path itself, so that no query has to compute it.

The keys are comparable forms (`store.catalog.collation.fold`): equal names have equal keys, and a pattern is compared
with them by LIKE. The key of an absolute path is the key of its root, `/`, and the key of the rest.
"""

from typing import TypedDict

from store.catalog.collation import fold

__all__ = ["PathColumns", "folder_of", "name_key", "path_columns", "path_key"]


class PathColumns(TypedDict):
    """The columns of a picture that follow from `relpath`."""

    folder: bytes
    path_key: str
    name_key: str


def path_columns(relpath: bytes) -> PathColumns:
    """Return the columns that follow from the path of a file relative to its root, or from the ID of a document."""
    return {"folder": folder_of(relpath), "path_key": path_key(relpath), "name_key": name_key(relpath)}


def folder_of(relpath: bytes) -> bytes:
    """Return the folder of a file, relative to its root; empty for the root itself."""
    return relpath.rpartition(b"/")[0]


def path_key(path: bytes) -> str:
    """Return the comparable form of a path. Bytes that are not UTF-8, and NUL, become U+FFFD."""
    return fold(path.decode("utf-8", "replace")).replace("\0", "\ufffd")


def name_key(relpath: bytes) -> str:
    """Return the comparable form of the name of a file."""
    return path_key(relpath.rpartition(b"/")[2])
