"""A query to an answer: embed it, rank pictures by cosine similarity, look them up, say how relevant they are.

Scores are plain cosine similarities between the query's unit vector and each picture's; ranking is exact. Each step is
a file of its own: `embedding` makes the vector, `answering` puts the rest together.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexFault, InvalidQuery, SpaceDropped
from encoders.base import Encoder
from encoders.placement import Placement
from search.active_space import View, Views
from search.crop import Crop
from search.filters import Filters
from search.paging import Answer, Sort
from search.pipeline import Order, answer, answer_many
from search.query import Part, Picture, Query, Stored, Vector
from search.query_cache import Memory
from search.query_embedding import Asking, Embedder
from search.stored_vectors import known_picture
from store.library import Library
from store.spaces.registry import StoredSpace

__all__ = ["Searcher"]

ANYTHING = Filters()
ANYWHERE = Placement()
AS_IT_IS = Asking()

Answered = TypeVar("Answered")


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
        self.placement = placement
        """Where its models run."""
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

    @property
    def encoder(self) -> Encoder:
        """The model of that space. Raises what is in its way: the vectors were made elsewhere, or by other weights."""
        return self._views.last.require_encoder()

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
        fold: bool = True,
        asking: Asking = AS_IT_IS,
    ) -> Answer:
        """The `k` pictures most similar to `query`, best first; only those that reach `min_score`, if it is given.

        Words mean themselves: `search.query_language.parser` reads the query language. `filters` narrows the search
        before
        ranking, so that it never loses a hit. `relevant` keeps only hits that are more likely an answer than not,
        possibly none. `sort="date"` shows the newest first: of all that are relevant or reach `min_score`, if either
        is asked for, else of the `k` best. `cursor`, the `next` of an answer to the same question, goes on after it.
        `diverse` (0 to 1, `search/diversity.py`) prefers hits that differ from each other; it has no further pages.
        `explain` adds the cosine of each part of the query with each hit. Of near-duplicates the best answer stands for
        all, unless `fold` is False. `asking` says what becomes of its words.

        Raises `InvalidQuery` for a `k` below 1, a picture that cannot be read, a cursor of another question, or
        `relevant` where nobody has measured what a score means (another model than the built-in one; queries of mixed
        kinds), `NothingKnown` for a folder that the library does not cover, and `ModelUnavailable` when the library's
        vectors were made elsewhere.
        """
        query = Query.of(query) if isinstance(query, str) else query
        order = Order(k, min_score, filters, relevant, sort, cursor, diverse, explain, fold)
        return self._in_one_space(
            lambda view: answer(self._library, view, query, self._embedder(view).embed(query, asking), order)
        )

    def search_many(
        self,
        queries: Sequence[tuple[Query, Filters]],
        k: int = 10,
        min_score: float | None = None,
        *,
        relevant: bool = False,
        fold: bool = True,
        asking: Asking = AS_IT_IS,
    ) -> list[Answer]:
        """The answer to each of many queries, by relevance, in their order; all are answered in the same space.

        Those with the same filters are ranked in one pass of the index. Raises as `search` does, for the first query
        that cannot be answered.
        """
        groups: dict[Filters, list[int]] = {}
        for place, (_, filters) in enumerate(queries):
            groups.setdefault(filters, []).append(place)

        def in_view(view: View) -> list[Answer]:
            embedder, answers = self._embedder(view), [Answer()] * len(queries)
            for filters, places in groups.items():
                asked = [queries[place][0] for place in places]
                embedded = [embedder.embed(query, asking) for query in asked]
                order = Order(k, min_score, filters, relevant, fold=fold)
                found = answer_many(self._library, view, asked, embedded, order)
                for place, hits in zip(places, found, strict=True):
                    answers[place] = hits
            return answers

        return self._in_one_space(in_view)

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
        fold: bool = True,
    ) -> Answer:
        """The `k` pictures most similar to a picture, without the picture itself and its exact copies.

        If its bytes are in the library, its stored vector is used. `image` can also be the id of a document, where the
        library's vectors were made elsewhere. With `crop`, what is sought is like that region. Raises as `search` does.
        """
        order = Order(k, min_score, filters, relevant, sort, cursor, diverse, fold=fold)

        def in_view(view: View) -> Answer:
            known = known_picture(self._library, view.stored, image)
            query = Query((Part(Picture(Path(image), crop) if known is None or crop else Stored(known[0])),))
            itself = frozenset[int]() if known is None else frozenset([known[0]])
            return answer(self._library, view, query, self._embedder(view).embed(query, AS_IT_IS), order, itself)

        return self._in_one_space(in_view)

    def nearest(
        self, vector: NDArray[np.floating], k: int = 10, min_score: float | None = None, filters: Filters = ANYTHING
    ) -> Answer:
        """The `k` pictures most similar to `vector` (D,), which whatever made the vectors of the library made too.

        Raises `InvalidQuery` for another shape and for a vector without direction.
        """
        if vector.ndim != 1:
            raise InvalidQuery(f"a query vector is one row of finite numbers; this has {vector.ndim} dimensions")
        return self.search(Query((Part(Vector(tuple(vector.tolist()))),)), k, min_score, filters)

    def embed(self, query: Query, asking: Asking = AS_IT_IS) -> NDArray[np.float32]:
        """The unit vector (D,) of a query in the space that answers, as `Query` says."""
        return self._embedder(self._views.now()).embed(query, asking).vector

    def heal(self) -> bool:
        """Mends the index file if it was damaged or behind, so that the next search need not work around it."""
        return self._views.heal()

    def _in_one_space(self, ask: Callable[[View], Answered]) -> Answered:
        """What `ask` makes of the view as of now; of the next one, where its space is dropped meanwhile."""
        view = self._views.now()
        while True:
            try:
                return ask(view)
            except SpaceDropped:
                view = self._views.now(wait=True)  # of another space; raises where this searcher has no other

    def _embedder(self, view: View) -> Embedder:
        return Embedder(self._library, view.stored, view.require_encoder, self._memory)
