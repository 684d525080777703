"""The stored vectors of a data set's images, in the order of the data set."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.errors import MissingVectors
from search.evaluate.datasets.base import Dataset
from store.catalog.id_sets import Ids
from store.library import Library
from store.spaces.embeddings import embedded_contents, load_vectors
from store.spaces.registry import StoredSpace

__all__ = ["LibraryGallery", "open_gallery"]


class LibraryGallery:
    """A gallery with one vector per image, read from the library in blocks (n, D) each time it is iterated.

    Files with the same bytes share a content, and therefore a vector.
    """

    def __init__(self, library: Library, stored: StoredSpace, contents: Ids, block_size: int = 4096) -> None:
        self._library = library
        self._stored = stored
        self._contents = contents  # (N,)
        self._block_size = block_size

    def __len__(self) -> int:
        return len(self._contents)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors of all images, in order."""
        for start in range(0, len(self), self._block_size):
            yield load_vectors(self._library, self._stored, self._contents[start : start + self._block_size])


def open_gallery(library: Library, stored: StoredSpace, dataset: Dataset, block_size: int = 4096) -> LibraryGallery:
    """Return the vectors that the library has of `dataset.images` in one space: by file, or by document ID.

    Raises `MissingVectors` for images without a vector in this space.
    """
    contents = embedded_contents(library, stored, dataset.root, dataset.images)
    missing = tuple(image for image, content in zip(dataset.images, contents, strict=True) if content is None)
    if missing:
        raise MissingVectors(str(stored.space), missing)
    return LibraryGallery(library, stored, np.array(contents, dtype=np.int64), block_size)
