"""Which column of a Parquet file holds what, said by the user or known by its name."""

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["BYTES", "ID", "PATH", "VECTOR", "Columns", "pick"]

VECTOR, PATH, ID, BYTES = "embedding", "path", "id", "name_bytes"
"""The columns of a file that Sightline writes; `BYTES` holds names that are not UTF-8."""

VECTOR_NAMES = (VECTOR, "embeddings", "vector", "vectors", "emb", "image_embedding", "img_emb")
PATH_NAMES = ("image_path", PATH, "file_path", "filepath", "file_name", "filename", "file")
ID_NAMES = (ID, "image_id", "doc_id", "docid", "key", "uid", "url")


@dataclass(frozen=True)
class Columns:
    """Names of columns; None looks for a usual one."""

    vector: str | None = None
    path: str | None = None
    """Holds paths of files."""
    id: str | None = None
    """Holds ids of documents; also of those rows whose path is null."""

    def named(self, present: Collection[str]) -> list[tuple[str, bool]]:
        """The columns of `present` that name a row, and whether each holds paths; the first that is not null counts."""
        said = [(self.path, True), (self.id, False)]
        if any(name for name, _ in said):
            return [(name, is_path) for name, is_path in said if name]
        usual = [(pick(PATH_NAMES, present), True), (pick(ID_NAMES, present), False)]
        return [(name, is_path) for name, is_path in usual if name]

    def vectors(self, lists: Collection[str]) -> str | None:
        """The column among `lists` (those that hold lists of numbers) with the vectors; None if nothing says which."""
        only = next(iter(lists)) if len(lists) == 1 else None
        return self.vector or pick(VECTOR_NAMES, lists) or only


def pick(usual: Collection[str], present: Collection[str]) -> str | None:
    """The first of the `usual` names that is `present`."""
    return next((name for name in usual if name in present), None)
