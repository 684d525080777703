"""A query to an answer: embed it, rank pictures by cosine similarity, look them up, say how relevant they are.

Scores are plain cosine similarities between the query's unit vector and each picture's; ranking is exact. Each step is
a file of its own: `embedding`, `ranking`, `paging`, `diversity`, `relevance`; this one puts them together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.placement import Placement
from search.crop import Crop
from search.diversity import POOL, POOL_LEAST, checked, diverse_order
from search.embedding import Asking, Embedded, Embedder, unit
from search.filters import Filters
from search.hits import Hit
from search.known import known_picture
from search.memory import Memory
from search.paging import Answer, Cursor, Place, Sort, question
from search.query import Part, Picture, Query, Vector
from search.ranking import Wanted, rank, rank_by_date
from search.relevance import judged, lowest_relevant
from search.view import View, Views
from sightline.errors import IndexFault, InvalidQuery
from store.library import Library
from store.lookup import embeddings
from store.selection import selected_ids
from store.spaces import StoredSpace
from store.vectors import Ids

__all__ = ["Searcher"]

ANYTHING = Filters()
ANYWHERE = Placement()
AS_IT_IS = Asking()


@dataclass(frozen=True)
class _Order:
    """Which hits of a ranking an answer shows, and how."""

    k: int
    min_score: float | None
    filters: Filters
    relevant: bool = False
    sort: Sort = "relevance"
    cursor: str | None = None
    diverse: float | None = None
    explain: bool = False


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
        self._memory = Memory(library.path)

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
        sort: Sort = "relevance",
        cursor: str | None = None,
        diverse: float | None = None,
        explain: bool = False,
        asking: Asking = AS_IT_IS,
    ) -> Answer:
        """The `k` pictures most similar to `query`, best first; only those that reach `min_score`, if it is given.

        Words mean themselves: `search.grammar.parse` reads the query language. `filters` narrows the search before
        ranking, so that it never loses a hit. `relevant` keeps only hits that are more likely an answer than not,
        possibly none. `sort="date"` shows the newest first: of all that are relevant or reach `min_score`, if either
        is asked for, else of the `k` best. `cursor`, the `next` of an answer to the same question, goes on after it.
        `diverse` (0 to 1, `search/diversity.py`) prefers hits that differ from each other; it has no further pages.
        `explain` adds the cosine of each part of the query with each hit. `asking` says what becomes of its words.

        Raises `InvalidQuery` for a `k` below 1, a picture that cannot be read, a cursor of another question, or
        `relevant` where nobody has measured what a score means (another model than the built-in one; queries of mixed
        kinds), `NothingKnown` for a folder that the library does not cover, and `ModelUnavailable` when the library's
        vectors were made elsewhere.
        """
        query = Query.of(query) if isinstance(query, str) else query
        order = _Order(k, min_score, filters, relevant, sort, cursor, diverse, explain)
        view = self._views.now()
        return self._answer(view, query, self._embedder(view).embed(query, asking), order)

    def similar(
        self,
        image: Path | str,
        k: int = 10,
        min_score: float | None = None,
        filters: Filters = ANYTHING,
        *,
        crop: Crop | None = None,
        relevant: bool = False,
        sort: Sort = "relevance",
        cursor: str | None = None,
        diverse: float | None = None,
    ) -> Answer:
        """The `k` pictures most similar to a picture, without the picture itself and its exact copies.

        If its bytes are in the library, its stored vector is used. `image` can also be the id of a document, where the
        library's vectors were made elsewhere. With `crop`, what is sought is like that region. Raises as `search` does.
        """
        order = _Order(k, min_score, filters, relevant, sort, cursor, diverse)
        view = self._views.now()
        known = known_picture(self._library, view.stored, image)
        query = Query((Part(Picture(Path(image), crop)),))
        if known is None or crop is not None:
            embedded = self._embedder(view).embed(query, AS_IT_IS)
        else:
            embedded = Embedded(unit(known[1]), unit(known[1])[None])
        itself = frozenset[int]() if known is None else frozenset([known[0]])
        return self._answer(view, query, embedded, order, itself)

    def nearest(
        self, vector: NDArray[np.floating], k: int = 10, min_score: float | None = None, filters: Filters = ANYTHING
    ) -> Answer:
        """The `k` pictures most similar to `vector` (D,), which whatever made the vectors of the library made too.

        Raises `InvalidQuery` for another shape and for a vector without direction.
        """
        if vector.ndim != 1:
            raise InvalidQuery(f"a query vector is of {self.space.space.dim} finite numbers in one row")
        return self.search(Query((Part(Vector(tuple(vector.tolist()))),)), k, min_score, filters)

    def embed(self, query: Query, asking: Asking = AS_IT_IS) -> NDArray[np.float32]:
        """The unit vector (D,) of a query in the space that answers, as `Query` says."""
        return self._embedder(self._views.now()).embed(query, asking).vector

    def refresh(self) -> None:
        """Takes up what other processes have changed since; `search` does so by itself."""
        self._views.now()

    def heal(self) -> bool:
        """Mends the index file if it was damaged or behind, so that the next search need not work around it."""
        return self._views.heal()

    def _embedder(self, view: View) -> Embedder:
        return Embedder(self._library, view.stored, view.require_encoder, self._memory)

    def _answer(
        self, view: View, query: Query, embedded: Embedded, order: _Order, without: frozenset[int] = frozenset()
    ) -> Answer:
        """Ranks, in `view` alone."""
        if order.k < 1:
            raise InvalidQuery(f"cannot show the best {order.k} pictures; ask for at least one")
        vector, kind = embedded.vector, query.kind
        lowest = order.min_score
        if order.relevant:
            least = lowest_relevant(vector, view.calibration, kind, view.stored.space.model)
            lowest = least if lowest is None else max(least, lowest)
        asked = question(view.stored.space.fingerprint, vector, order.filters, order.sort, lowest)
        wanted = self._wanted(view, order, asked, lowest, without)
        hits = judged(self._ranked(view, vector, wanted, order), vector, view.calibration, kind)
        if order.relevant:
            hits = [hit for hit in hits if hit.is_relevant]
        page = hits[: order.k]
        # Of the k best by date there is no second page: which are the next best is not for a date to say.
        pages = order.diverse is None and (order.sort == "relevance" or lowest is not None)
        following = _cursor(asked, page[-1], order.sort) if pages and len(hits) > order.k else None
        page = self._explained(view, page, embedded) if order.explain else page
        if order.filters.within:
            page = [hit.seen_from(order.filters.within) for hit in page]
        return Answer(page, following, embedded.notes)

    def _wanted(self, view: View, order: _Order, asked: str, lowest: float | None, without: frozenset[int]) -> Wanted:
        cursor = None if order.cursor is None else Cursor.parse(order.cursor, asked)
        if cursor is not None and order.diverse is not None:
            raise InvalidQuery("hits that differ from each other are one page; ask for more of them at once")
        return Wanted(
            k=order.k,
            among=self._among(view, order.filters),
            without=without,
            lowest=lowest,
            after=cursor.place if cursor else None,
            shown=cursor.shown if cursor else 0,
        )

    def _ranked(self, view: View, vector: NDArray[np.float32], wanted: Wanted, order: _Order) -> list[Hit]:
        """The hits of a page and the one after it, in order."""
        index = view.current.index
        if order.diverse is not None:
            return self._diverse(view, vector, wanted, checked(order.diverse))
        if order.sort == "relevance":
            return rank(self._library, index, vector, wanted)
        if wanted.lowest is not None:
            return rank_by_date(self._library, index, vector, wanted)
        best = rank(self._library, index, vector, wanted)[: wanted.k]
        return _numbered(sorted(best, key=lambda hit: _place(hit).key("date")))

    def _diverse(self, view: View, vector: NDArray[np.float32], wanted: Wanted, balance: float) -> list[Hit]:
        pool = rank(self._library, view.current.index, vector, replace(wanted, k=max(POOL_LEAST, POOL * wanted.k)))
        vectors = self._vectors(view, [hit.id for hit in pool])
        pool = [hit for hit in pool if hit.id in vectors]
        if not pool:
            return []
        scores = np.array([hit.score for hit in pool])  # (n,)
        chosen = diverse_order(scores, np.stack([vectors[hit.id] for hit in pool]), wanted.k, balance)
        return _numbered([pool[row] for row in chosen])

    def _explained(self, view: View, hits: Sequence[Hit], embedded: Embedded) -> list[Hit]:
        """`hits` with their cosine similarity to each part of the query."""
        vectors = self._vectors(view, [hit.id for hit in hits])
        cosines = {known: np.clip(embedded.parts @ vector, -1, 1).tolist() for known, vector in vectors.items()}
        return [replace(hit, parts=tuple(cosines[hit.id])) if hit.id in cosines else hit for hit in hits]

    def _vectors(self, view: View, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The stored vectors (D,) of contents."""
        found: dict[int, NDArray[np.float32]] = {}
        with self._library.read() as connection:
            for known, vectors in embeddings(connection, view.stored, np.array(ids, np.int64)):
                found |= zip(known.tolist(), vectors.astype(np.float32), strict=True)
        return found

    def _among(self, view: View, filters: Filters) -> Ids | None:
        """The contents to rank; None for all of them."""
        if not filters:
            return None
        with self._library.read() as connection:
            return selected_ids(connection, view.stored, filters.selection(connection))


def _place(hit: Hit) -> Place:
    return Place(hit.score, hit.id, hit.taken_at)


def _cursor(asked: str, last: Hit, sort: Sort) -> str:
    place = _place(last) if sort == "date" else Place(last.score, last.id)
    return str(Cursor(asked, last.rank, place))


def _numbered(hits: Sequence[Hit]) -> list[Hit]:
    return [replace(hit, rank=number) for number, hit in enumerate(hits, start=1)]
