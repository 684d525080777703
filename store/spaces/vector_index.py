"""Nearest neighbours among unit vectors. Knows ids and vectors; nothing of pictures, spaces or where files live.

`VectorIndex` is the seam behind which other engines can come. `FlatIndex` is exact search by FAISS over 16-bit floats:
to about a million pictures it is fast enough, exact within any subset, and right after removals.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["FlatIndex", "Ids", "Ranking", "VectorIndex"]

Ids = NDArray[np.int64]

FEW = 50
"""One in so many, or fewer: then it is faster to copy their vectors out than to look for them among all.

Measured at a million vectors of 256 numbers on one core: 1 % takes 0.6 ms instead of 2.4, 3 % 11.9 instead of 7.4."""


class Ranking(NamedTuple):
    """Best first, for each of Q queries; K is the number asked for, or fewer when there are fewer vectors."""

    scores: NDArray[np.float32]
    """(Q, K) cosine similarities."""
    ids: Ids
    """(Q, K)."""


class VectorIndex(ABC):
    """Unit vectors by id, ranked by their dot product with a query."""

    dim: int

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def ids(self) -> Ids:
        """All ids, (N,), in no particular order."""

    @abstractmethod
    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """The vectors as they are stored, (n, D), of `ids()[start:stop]`."""

    @abstractmethod
    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Adds (n, D) vectors under (n,) ids that must not be there yet."""

    @abstractmethod
    def remove(self, ids: Ids) -> int:
        """Removes what is there of `ids`; returns how many were."""

    @abstractmethod
    def copy(self) -> Self:
        """One with the same vectors in memory, which can be changed while this one is searched."""

    @abstractmethod
    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """The `k` best for each of (Q, D) unit `queries`, exactly; `among` restricts the answer to these ids."""

    @abstractmethod
    def above(
        self, query: NDArray[np.float32], lowest: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """Scores (n,) and ids (n,) of all whose dot product with a unit `query` (D,) reaches `lowest`, in no order."""

    @abstractmethod
    def write(self, path: Path) -> None:
        """Writes the index to a file. Raises `OSError` unless all of it was written."""

    @classmethod
    @abstractmethod
    def read(cls, path: Path, *, mapped: bool = False) -> Self:
        """Reads what `write` wrote; `mapped` maps the vectors from the file, and the index is then read-only.

        Raises `OSError` or `RuntimeError` when the file is not a whole index.
        """


class FlatIndex(VectorIndex):
    """Exact search over `dtype` (float16 or float32) vectors with FAISS."""

    def __init__(self, dim: int, dtype: str = "float16") -> None:
        import faiss

        kinds = {"float16": faiss.ScalarQuantizer.QT_fp16, "float32": None}
        kind = kinds[dtype]
        metric = faiss.METRIC_INNER_PRODUCT
        flat = faiss.IndexFlat(dim, metric) if kind is None else faiss.IndexScalarQuantizer(dim, kind, metric)
        # IDMap and not IDMap2: the reverse map of the latter costs time at every load and serves nothing here.
        self._index: Any = faiss.IndexIDMap(flat)
        self._mapped = False
        self._by_id: tuple[Ids, Ids] | None = None
        self.dim = dim

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def ids(self) -> Ids:
        """All ids, (N,)."""
        import faiss

        return np.asarray(faiss.vector_to_array(self._index.id_map), dtype=np.int64)

    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """The vectors, (n, D), of `ids()[start:stop]`."""
        stop = len(self) if stop is None else min(stop, len(self))
        if start >= stop:
            return np.empty((0, self.dim), np.float32)
        return np.asarray(self._index.index.reconstruct_n(start, stop - start), dtype=np.float32)

    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Adds (n, D) vectors under (n,) ids."""
        self._require_writable()
        if vectors.shape != (len(ids), self.dim):
            raise ValueError(f"expected vectors of shape {(len(ids), self.dim)}, got {vectors.shape}")
        if len(ids):
            self._by_id = None
            self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64))

    def remove(self, ids: Ids) -> int:
        """Removes what is there of `ids`."""
        self._require_writable()
        self._by_id = None
        return int(self._index.remove_ids(np.ascontiguousarray(ids, np.int64))) if len(ids) else 0

    def copy(self) -> Self:
        """One with the same vectors, in memory."""
        import faiss

        other = type(self).__new__(type(self))
        other._index = faiss.IndexIDMap(self._empty_like())
        other._mapped, other._by_id, other.dim = False, None, self.dim
        if len(self):
            other._index.add_sa_codes(self._codes(), self.ids())
        return other

    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """The `k` best for each query, exactly."""
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(f"expected queries of shape (Q, {self.dim}), got {queries.shape}")
        k = min(k, len(self))
        if k < 1 or (among is not None and not len(among)):
            return Ranking(np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64))
        if among is not None and len(among) * FEW <= len(self):
            return self._search_few(queries, k, among)
        restricted = None if among is None else _restrict(self._rows(among), len(self))
        with _threads_for(len(queries)):
            rows = np.ascontiguousarray(queries, np.float32)
            scores, places = self._flat().search(rows, k, params=restricted)  # (Q, K) both
        found = int((places >= 0).sum(axis=1).min())  # FAISS fills up with -1 when `among` holds fewer than k
        # Sixteen bits leave a vector's length within 5e-4 of one; a cosine is never above one.
        return Ranking(np.clip(scores[:, :found], -1, 1), self.ids()[places[:, :found]])

    def _search_few(self, queries: NDArray[np.float32], k: int, among: Ids) -> Ranking:
        """As `search`, among few: their vectors are copied out as they are, so that the scores are the same bits."""
        rows = self._rows(among)
        flat = self._empty_like()
        if len(rows):
            flat.add_sa_codes(self._codes()[rows])
        k = min(k, len(rows))
        if k < 1:
            return Ranking(np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64))
        with _threads_for(len(queries)):
            scores, places = flat.search(np.ascontiguousarray(queries, np.float32), k)  # (Q, K) both
        return Ranking(np.clip(scores, -1, 1), self.ids()[rows][places])

    def _rows(self, among: Ids) -> Ids:
        """Where the vectors of those ids stand that are here."""
        if self._by_id is None:
            ids = self.ids()
            order = np.argsort(ids, kind="stable")
            self._by_id = ids[order], order
        known, order = self._by_id
        # Those of a filter ascend already; `np.unique` alone would take longer than ranking them.
        wanted = among if (among[1:] > among[:-1]).all() else np.unique(among)
        places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.asarray(order[places[known[places] == wanted]], dtype=np.int64)

    def _codes(self) -> NDArray[np.uint8]:
        """The vectors as they are stored, (N, bytes of one), without a copy."""
        import faiss

        flat = self._flat()
        return np.asarray(faiss.rev_swig_ptr(flat.codes.data(), len(self) * flat.code_size)).reshape(len(self), -1)

    def _flat(self) -> Any:
        import faiss

        return faiss.downcast_index(self._index.index)

    def _empty_like(self) -> Any:
        """An index without vectors, that keeps and compares them as this one does."""
        import faiss

        flat = self._flat()
        if isinstance(flat, faiss.IndexScalarQuantizer):
            return faiss.IndexScalarQuantizer(self.dim, flat.sq.qtype, faiss.METRIC_INNER_PRODUCT)
        return faiss.IndexFlat(self.dim, faiss.METRIC_INNER_PRODUCT)

    def above(
        self, query: NDArray[np.float32], lowest: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """All that reach `lowest`."""
        if query.shape != (self.dim,):
            raise ValueError(f"expected a query of shape ({self.dim},), got {query.shape}")
        if among is not None and not len(among):
            return np.empty(0, np.float32), np.empty(0, np.int64)
        # FAISS wants more than the radius. Sixteen bits can put a cosine a little below -1.
        radius = float(np.nextafter(np.float32(lowest), np.float32(-np.inf))) if lowest > -1 else -np.inf
        rows = np.ascontiguousarray(query[None], np.float32)
        restricted = None if among is None else _restrict(self._rows(among), len(self))
        with _threads_for(1):
            _, scores, places = self._flat().range_search(rows, radius, params=restricted)
        return np.clip(scores, -1, 1), self.ids()[places]

    def write(self, path: Path) -> None:
        """Writes the index to a file."""
        import faiss

        with path.open("wb") as file:
            # Given a path, FAISS only prints that the last bytes did not fit on the disk, and reports success.
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]

    @classmethod
    def read(cls, path: Path, *, mapped: bool = False) -> Self:
        """Reads what `write` wrote."""
        import faiss

        self = cls.__new__(cls)
        self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)
        self._mapped = mapped
        self._by_id = None
        self.dim = int(self._index.d)
        return self

    def _require_writable(self) -> None:
        if self._mapped:  # FAISS itself would write into the read-only mapping and crash the process
            raise ValueError("a mapped index is read-only; read it with mapped=False to change it")


@contextmanager
def _threads_for(queries: int) -> Iterator[None]:
    """FAISS gives each query to one thread. For a single one the others wait, and on a busy machine it for them."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(min(threads, max(queries, 1)))  # of this thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _restrict(rows: Ids, number: int) -> Any:
    """FAISS search parameters that keep the answer within `rows` of `number`: a bit for each is the fastest to ask."""
    import faiss

    chosen = np.zeros(number, np.bool_)
    chosen[rows] = True
    bits = faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))  # type: ignore[call-arg, arg-type]
    return faiss.SearchParameters(sel=bits)  # type: ignore[call-arg]
