"""A query to a ranking: embed its parts, rank by cosine similarity, look the pictures up.

Scores are plain cosine similarities between the query's unit vector and each picture's; ranking is exact.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from encoders.base import Encoder
from encoders.placement import Placement
from search.calibrate import Kind
from search.filters import Filters
from search.hits import Hit
from search.open_picture import open_picture
from search.query import Query
from search.view import View, Views
from sightline.errors import IndexFault, InvalidQuery
from store.library import Library
from store.lookup import describe, document_content, stored_vector, vector_of
from store.selection import selected_ids
from store.spaces import StoredSpace
from store.vectors import Ids

__all__ = ["Searcher"]

ANYTHING = Filters()
ANYWHERE = Placement()

AWAY = 0.5
"""Weight of what a query wants to stay away from. At 1, a query that shares much with it turns away from itself."""


class Searcher:
    """Answers queries over one library; keep it for many queries. It notices when the library has changed.

    Safe to share between threads.

        with Library.open("photos.library") as library:
            for hit in Searcher(library).search("a dog in the snow"):
                print(hit.score, hit.path)

    It answers in the library's active space and follows when another becomes active; each answer is of one space. With
    a `space` (its name, or how its fingerprint begins) or an `encoder`, which must be that space's model, it stays in
    it. A space whose vectors were made elsewhere has no model, and answers `similar` and `nearest` only. Raises
    `InvalidQuery` when nothing is indexed yet, `UnknownSpace`, and `SpaceMismatch` for an encoder of another space.
    """

    def __init__(
        self,
        library: Library,
        encoder: Encoder | None = None,
        *,
        space: StoredSpace | str | None = None,
        placement: Placement = ANYWHERE,
    ) -> None:
        self._library = library
        self._views = Views(library, encoder, space, placement)

    @property
    def fault(self) -> IndexFault | None:
        """What was wrong with the index file, if anything; answers are right all the same."""
        return self._views.last.current.fault

    @property
    def space(self) -> StoredSpace:
        """The space of the last answer."""
        return self._views.last.stored

    def __len__(self) -> int:
        """How many pictures can be found (copies count once)."""
        return len(self._views.last.current.index)

    def search(
        self,
        query: Query | str,
        k: int = 10,
        min_score: float | None = None,
        filters: Filters = ANYTHING,
        *,
        relevant: bool = False,
    ) -> list[Hit]:
        """The `k` pictures most similar to `query`, best first; only those that reach `min_score`, if it is given.

        `filters` narrows the search before ranking, so that it never loses a hit. `relevant` keeps only hits that are
        more likely an answer than not, possibly none. Raises `InvalidQuery` for a `k` below 1, a picture that cannot be
        read, or `relevant` where nobody has measured what a score means (another model than the built-in one; words and
        pictures together), `NothingKnown` for a folder that the library does not cover, and `ModelUnavailable` when the
        library's vectors were made elsewhere.
        """
        query = Query.of(query) if isinstance(query, str) else query
        view = self._views.now()
        vector = _embed(view, query)
        return _judged(view, self._rank(view, vector, k, min_score, filters), vector, query.kind, relevant=relevant)

    def similar(
        self,
        image: Path | str,
        k: int = 10,
        min_score: float | None = None,
        filters: Filters = ANYTHING,
        *,
        relevant: bool = False,
    ) -> list[Hit]:
        """The `k` pictures most similar to a picture, without the picture itself and its exact copies.

        If its bytes are in the library, its stored vector is used. `image` can also be the id of a document, where the
        library's vectors were made elsewhere. Raises as `search` does.
        """
        view = self._views.now()
        known = self._document_vector(view, image) or self._file_vector(view, Path(image))
        vector = _embed(view, Query.of(images=image)) if known is None else _unit(known[1])
        itself = frozenset[int]() if known is None else frozenset([known[0]])
        hits = self._rank(view, vector, k, min_score, filters, without=itself)
        return _judged(view, hits, vector, "picture", relevant=relevant)

    def nearest(
        self, vector: NDArray[np.floating], k: int = 10, min_score: float | None = None, filters: Filters = ANYTHING
    ) -> list[Hit]:
        """The `k` pictures most similar to `vector` (D,), which whatever made the vectors of the library made too.

        Raises `InvalidQuery` for another shape and for a vector without direction.
        """
        view = self._views.now()
        dim = view.stored.space.dim
        if vector.shape != (dim,) or not np.isfinite(vector).all() or not vector.any():
            raise InvalidQuery(f"a query vector is of {dim} finite numbers that are not all zero")
        wide = np.asarray(vector, np.float64)
        return self._rank(view, _unit(wide / np.abs(wide).max()), k, min_score, filters)

    def embed(self, query: Query) -> NDArray[np.float32]:
        """The unit vector (D,) of a query in the space that answers, as `Query` says."""
        return _embed(self._views.now(), query)

    def refresh(self) -> None:
        """Takes up what other processes have changed since; `search` does so by itself."""
        self._views.now()

    def heal(self) -> bool:
        """Mends the index file if it was damaged or behind, so that the next search need not work around it."""
        return self._views.heal()

    def _document_vector(self, view: View, document: Path | str) -> tuple[int, NDArray[np.float32]] | None:
        """The content id and the vector (D,) of a document of the space."""
        with self._library.read() as connection:
            content_id = document_content(connection, view.stored, os.fsencode(document))
            vector = None if content_id is None else vector_of(connection, view.stored, content_id)
        return None if content_id is None or vector is None else (content_id, vector)

    def _file_vector(self, view: View, image: Path) -> tuple[int, NDArray[np.float32]] | None:
        """The content id and the vector (D,) of the bytes of a file, if the library has them."""
        try:
            with image.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
        except OSError as exc:
            nor_document = ", and no document has this id" if view.stored.space.is_imported else ""
            raise InvalidQuery(f"{image}: {exc.strerror or exc}{nor_document}") from exc
        with self._library.read() as connection:
            return stored_vector(connection, view.stored, digest)

    def _rank(
        self,
        view: View,
        vector: NDArray[np.float32],
        k: int,
        min_score: float | None,
        filters: Filters,
        without: frozenset[int] = frozenset(),
    ) -> list[Hit]:
        if k < 1:
            raise InvalidQuery(f"cannot show the best {k} pictures; ask for at least one")
        among = self._among(view, filters)
        wanted = k + 1 + len(without)
        while True:
            scores, ids = view.current.index.search(vector[None], wanted, among)
            with self._library.read() as connection:
                hits = _hits(connection, scores[0], ids[0], without)
            # More are needed when a picture vanished between ranking and looking it up, and when equals of the last
            # one shown may be left out: which of them come first must not depend on how the index came to be.
            enough = len(hits) >= k and hits[k - 1].score > scores[0][-1]
            if enough or len(ids[0]) < wanted:
                break
            wanted *= 2
        shown = [hit for hit in hits[:k] if min_score is None or hit.score >= min_score]
        return [hit.seen_from(filters.within) for hit in shown] if filters.within else shown

    def _among(self, view: View, filters: Filters) -> Ids | None:
        """The contents to rank; None for all of them."""
        if not filters:
            return None
        with self._library.read() as connection:
            return selected_ids(connection, view.stored, filters.selection(connection))


def _embed(view: View, query: Query) -> NDArray[np.float32]:
    """The unit vector (D,) of a query."""
    encoder = view.require_encoder()
    parts = [encoder.encode_texts(query.texts)] if query.texts else []
    if query.images:
        pictures = [open_picture(path, encoder.preprocess.size) for path in query.images]
        parts.append(encoder.encode_images(pictures))
    vector = np.concatenate(parts).mean(axis=0)  # (D,)
    if query.without:
        vector = vector - AWAY * encoder.encode_texts(query.without).mean(axis=0)
    return _unit(vector)


def _judged(
    view: View, hits: Sequence[Hit], vector: NDArray[np.float32], kind: Kind | None, *, relevant: bool
) -> list[Hit]:
    """`hits` with their relevance, where it is known; on demand only the relevant ones."""
    if view.calibration is None or kind is None:
        if relevant:
            what = "words and pictures together" if view.calibration else f"the model {view.stored.space.model}"
            raise InvalidQuery(f"nobody has measured which scores are relevant for {what}; give a lowest score instead")
        return list(hits)
    scores = np.array([hit.score for hit in hits])  # (k,)
    likely = view.calibration.relevance(scores, vector, kind)  # (k,)
    judged = [replace(hit, relevance=float(p)) for hit, p in zip(hits, likely, strict=True)]
    return [hit for hit in judged if hit.is_relevant] if relevant else judged


def _hits(
    connection: Connection, scores: NDArray[np.float32], ids: NDArray[np.int64], without: frozenset[int]
) -> list[Hit]:
    """Ranked ids as hits; equal scores in the order of their ids, so that an answer never changes by itself."""
    order: Sequence[int] = np.lexsort((ids, -scores)).tolist()
    records = describe(connection, ids.tolist())
    hits: list[Hit] = []
    for position in order:
        record = records.get(int(ids[position]))
        if record is not None and record.id not in without:
            hits.append(Hit(rank=len(hits) + 1, score=float(scores[position]), record=record))
    return hits


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    if length < 1e-6:
        raise InvalidQuery("the parts of the query cancel each other out")
    return np.asarray(vector / length, dtype=np.float32)
