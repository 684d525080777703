"""The stored vectors of a data set's images, in the order of the data set."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.errors import MissingVectors
from search.evaluate.datasets.base import Dataset
from search.evaluate.vector_blocks import FrameGallery
from store.catalog.id_sets import Ids
from store.library import Library
from store.spaces.embeddings import load_vectors
from store.spaces.frame_lists import FrameList, list_embedded_frames
from store.spaces.named_contents import embedded_contents
from store.spaces.registry import StoredSpace

__all__ = ["LibraryFrameGallery", "LibraryGallery", "open_gallery"]


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

    def subset(self, rows: NDArray[np.int64]) -> "LibraryGallery":
        """Return a gallery of the images `rows` (n,), in this order."""
        return LibraryGallery(self._library, self._stored, self._contents[rows], self._block_size)


class LibraryFrameGallery(LibraryGallery, FrameGallery):
    """A gallery in which some images have several frames. Iterating it yields the vectors of the first ones."""

    def __init__(self, library: Library, stored: StoredSpace, frames: FrameList, block_size: int = 4096) -> None:
        super().__init__(library, stored, frames.ids[frames.firsts], block_size)
        self._frames = frames

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of frames (N,) of each image."""
        return self._frames.counts

    def frame_blocks(self, size: int) -> Iterator[tuple[NDArray[np.floating], NDArray[np.int64]]]:
        """Yield the vectors (f, D) of all frames of some images, and how many each image has (n,)."""
        for part in self._frames.batches(size):
            yield load_vectors(self._library, self._stored, part.ids), part.counts

    def subset(self, rows: NDArray[np.int64]) -> "LibraryFrameGallery":
        """Return a gallery of the images `rows` (n,), in this order."""
        return LibraryFrameGallery(self._library, self._stored, self._frames.of(rows), self._block_size)


def open_gallery(library: Library, stored: StoredSpace, dataset: Dataset, block_size: int = 4096) -> LibraryGallery:
    """Return the vectors that the library has of `dataset.images` in one space: by file, or by document ID.

    It is a `FrameGallery` if any image has several frames.

    Raises `MissingVectors` for images without a vector in this space.
    """
    contents = embedded_contents(library, stored, dataset.root, dataset.images)
    missing = tuple(image for image, content in zip(dataset.images, contents, strict=True) if content is None)
    if missing:
        raise MissingVectors(str(stored.space), missing)
    frames = list_embedded_frames(library, stored, np.array(contents, dtype=np.int64))
    if frames.has_further_frames:
        return LibraryFrameGallery(library, stored, frames, block_size)
    return LibraryGallery(library, stored, frames.ids, block_size)
