"""Candidates for a query from short codes in inverted lists (IVF), with FAISS.

Vectors are assigned to the nearest of a few thousand centroids, and stored there as 4 bits per dimension of the
difference to the centroid. A search reads the lists of the centroids that are nearest to the query. Its scores are
approximate, so that they only select candidates. Source: Jégou, Douze and Schmid, "Product quantization for nearest
neighbor search" (PAMI 2011), section 4; the codes are FAISS's scalar quantizer.

4-bit codes were chosen by measurement (`docs/scale_measurements.md`).
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["InvertedLists", "number_of_lists"]

MAX_LISTS = 16_384
SAMPLE_PER_LIST = 40
"""Vectors per list that the centroids are computed from."""
TRAINING_ITERATIONS = 8


def number_of_lists(vectors: int) -> int:
    """Return the power of two nearest to four times the root of `vectors`, as FAISS recommends, at most 16,384."""
    wanted = max(4 * vectors**0.5, 1)
    return int(min(2 ** round(np.log2(wanted)), MAX_LISTS, max(1, vectors // SAMPLE_PER_LIST)))


class InvertedLists:
    """The codes of rows 0, 1, 2, ... of another index, which has the vectors themselves."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def trained(cls, sample: NDArray[np.float32], lists: int) -> Self:
        """Return empty lists whose centroids are computed from `sample` (n, D), with n of at least `lists`."""
        import faiss

        dim = sample.shape[1]
        metric, kind = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_4bit
        index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, lists, kind, metric)
        index.cp.niter, index.cp.min_points_per_centroid = TRAINING_ITERATIONS, 1
        index.train(np.ascontiguousarray(sample, np.float32))
        return cls(index)

    def emptied(self) -> Self:
        """Return empty lists with the same centroids."""
        import faiss

        quantizer = faiss.clone_index(self._index.quantizer)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer, self._index.d, self._index.nlist, self._index.sq.qtype, self._index.metric_type
        )
        index.sq, index.is_trained = self._index.sq, True
        return type(self)(index)

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Return lists in memory with the codes of the rows where `kept` (N,) is true, numbered from 0 on."""
        import faiss

        new, rows, size = self.emptied(), np.cumsum(kept) - 1, int(self._index.code_size)
        source, target = self._index.invlists, new._index.invlists
        for number in range(self.lists):
            if length := source.list_size(number):
                ids = faiss.rev_swig_ptr(source.get_ids(number), length)
                codes = faiss.rev_swig_ptr(source.get_codes(number), length * size).reshape(length, size)
                is_kept = kept[ids]
                new_ids, new_codes = rows[ids[is_kept]], codes[is_kept]
                target.add_entries(number, len(new_ids), faiss.swig_ptr(new_ids), faiss.swig_ptr(new_codes))
        new._index.ntotal = int(kept.sum())
        return new

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dim(self) -> int:
        """The dimension of the vectors."""
        return int(self._index.d)

    @property
    def lists(self) -> int:
        """The number of lists."""
        return int(self._index.nlist)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Add the vectors (n, D) of the next rows."""
        self._index.add(np.ascontiguousarray(vectors, np.float32))

    def fit(self, vectors: NDArray[np.float32]) -> float:
        """Return the mean cosine similarity of unit vectors (n, D) to the nearest centroid: how well the lists fit."""
        scores, _ = self._index.quantizer.search(np.ascontiguousarray(vectors, np.float32), 1)
        return float(scores.mean())

    def propose(self, queries: NDArray[np.float32], number: int, probes: int, live: NDArray[np.uint8] | None) -> Ids:
        """Return the rows (Q, `number`) with the best codes in the `probes` nearest lists; -1 where there are too few.

        `live` is a bitmap of the rows to consider, the lowest bit first; None for all.
        """
        import faiss

        options: dict[str, Any] = {"nprobe": min(probes, self.lists)}
        if live is not None:
            options["sel"] = faiss.IDSelectorBitmap(live)  # type: ignore[call-arg, arg-type]
        parameters = faiss.IVFSearchParameters(**options)
        rows: Ids = self._index.search(np.ascontiguousarray(queries, np.float32), number, params=parameters)[1]
        return np.where((rows >= 0) & (rows < len(self)), rows, -1)

    def write(self, path: Path) -> None:
        """Write the lists to a file. Raises `OSError` if they cannot be written completely."""
        import faiss

        with path.open("wb") as file:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Map the file that `write` wrote. Raises `OSError` or `RuntimeError` if it is damaged."""
        import faiss

        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        if not isinstance(index, faiss.IndexIVFScalarQuantizer):
            raise RuntimeError("not inverted lists of short codes")
        mapped = faiss.downcast_InvertedLists(index.invlists)  # type: ignore[arg-type]
        if isinstance(mapped, faiss.OnDiskInvertedLists):
            mapped.prefetch_nthread = 0  # starting threads for each search takes longer than the search
        return cls(index)
