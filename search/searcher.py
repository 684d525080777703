"""The searcher: answers queries over one library, in its active embedding space or in a chosen one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexFault, InvalidQuery, SpaceDropped
from core.frames import FIRST_FRAME
from encoders.base import Encoder
from encoders.placement import Placement
from search.active_space import ActiveSpace, ActiveSpaceTracker
from search.options import DEFAULT_OPTIONS, SearchOptions
from search.pipeline import run_queries, run_query
from search.query import ImageInput, Part, Query, QueryInput, StoredInput, VectorInput
from search.query_cache import QueryCache
from search.query_embedding import QueryEmbedder
from search.query_image import Crop, find_stored_vector
from search.results import Answer
from store.library import Library
from store.spaces.registry import StoredSpace

__all__ = ["Searcher"]

ANY_DEVICE = Placement()

Result = TypeVar("Result")


class Searcher:
    """Answers queries over one library. Create it once and use it for many queries, from any number of threads.

        with Library.open("photos.library") as library:
            searcher = Searcher(library)
            for hit in searcher.search("a dog in the snow", k=5):
                print(hit.score, hit.path)
            searcher.search("a beach", SearchOptions(relevant=True, sort="date"))

    Scores are cosine similarities between the unit vectors of the query and of each picture. Ranking is exact, except
    in a library with an approximate index (`Answer.complete`).

    Changes to the library are picked up by the next query. By default, queries are answered in the active space of the
    library, also after another space becomes active. With a `space` (its name, or a prefix of its fingerprint) or an
    `encoder` (the model of that space), the searcher keeps that space. A space with imported vectors has no model; it
    supports `similar` and `nearest` only.

    Raises `InvalidQuery` if nothing is indexed yet, `UnknownSpace`, and `SpaceMismatch` for an encoder of another
    space.
    """

    def __init__(
        self,
        library: Library,
        encoder: Encoder | None = None,
        *,
        space: StoredSpace | str | None = None,
        placement: Placement = ANY_DEVICE,
    ) -> None:
        self.placement = placement
        """The device and precision of its models."""
        self._library = library
        self._tracker = ActiveSpaceTracker(library, encoder, space, placement)
        self._cache = QueryCache(library.path)

    @property
    def fault(self) -> IndexFault | None:
        """A defect of the index file, if there is one. Answers are correct regardless."""
        return self._tracker.last.current.fault

    @property
    def space(self) -> StoredSpace:
        """The space of the last answer."""
        return self._tracker.last.stored

    @property
    def revision(self) -> int:
        """The revision of that space that the last answer reflects."""
        return self._tracker.last.current.revision

    @property
    def encoder(self) -> Encoder:
        """The model of that space. Raises an error if it has none or if its weights have changed."""
        return self._tracker.last.require_encoder()

    @property
    def needs_calibration(self) -> bool:
        """Whether hits have no relevance because no calibration has been made for the model yet (see `calibrate`)."""
        return self._tracker.last.needs_calibration

    @property
    def is_calibrating(self) -> bool:
        """Whether that calibration is being made, by this searcher or by another thread or process."""
        return self._tracker.last.is_calibrating

    @property
    def calibration_failure(self) -> str | None:
        """Why no calibration could be made for the model; None if it was made, or has not been tried."""
        outcome = self._tracker.last.calibration_outcome
        return None if outcome is None else outcome.failure

    def calibrate(self) -> None:
        """Make a calibration for a model that ships without one, from photos that ship with Sightline.

        It is kept for later searches with the same model. This can take a minute, while searches go on. If another
        thread or process is making it, this waits for it. A kind of query that cannot be judged reliably still has no
        relevance afterwards. If the model fails, that is kept too (`calibration_failure`).
        """
        self._tracker.calibrate()

    def __len__(self) -> int:
        """Return the number of pictures that can be found; exact copies count once."""
        return self._tracker.last.current.content_count

    def search(
        self,
        query: Query | str,
        options: SearchOptions = DEFAULT_OPTIONS,
        *,
        k: int | None = None,
        exclude: frozenset[int] = frozenset(),
    ) -> Answer:
        """Return the pictures most similar to `query`, best first.

        A string is a plain text query; `search.query_language.parse` parses the query language. `k` overrides
        `options.k`. `exclude` are the IDs of pictures to leave out.

        Raises `InvalidQuery` for a picture that cannot be read, a cursor of another query, or `relevant` without a
        calibration; `PathNotIndexed` for a folder that the library does not cover; and `ModelUnavailable` for a text
        or a new picture if the space has no model.
        """
        query, options = Query.of(query) if isinstance(query, str) else query, _with_k(options, k)
        return self._in_one_space(
            lambda space: run_query(self._library, space, self._embedder(space), query, options, exclude)
        )

    def search_many(self, queries: Sequence[tuple[Query | str, SearchOptions]]) -> list[Answer]:
        """Return the answer to each of several queries, in order. All are answered in the same space.

        Queries with equal options share one pass of the index. Raises as `search` does, for the first invalid query.
        """
        groups: dict[SearchOptions, list[int]] = {}
        for number, (_, options) in enumerate(queries):
            groups.setdefault(options, []).append(number)
        parsed = [Query.of(query) if isinstance(query, str) else query for query, _ in queries]

        def in_space(space: ActiveSpace) -> list[Answer]:
            embedder, answers = self._embedder(space), [Answer()] * len(queries)
            for options, numbers in groups.items():
                group = [parsed[number] for number in numbers]
                for number, answer in zip(
                    numbers, run_queries(self._library, space, embedder, group, options), strict=True
                ):
                    answers[number] = answer
            return answers

        return self._in_one_space(in_space)

    def similar(
        self,
        image: Path | str,
        options: SearchOptions = DEFAULT_OPTIONS,
        *,
        crop: Crop | None = None,
        frame: int = FIRST_FRAME,
        k: int | None = None,
    ) -> Answer:
        """Return the pictures most similar to a picture, without the picture itself and its exact copies.

        `image` is a file, or the ID of an imported document. If the library contains the same bytes, the stored vector
        is used. With `crop`, the query is that region of the picture. `frame` is the number of a page or a moment of a
        file that has several, from 0. Raises as `search` does.
        """
        options = _with_k(options, k)

        def in_space(space: ActiveSpace) -> Answer:
            stored = find_stored_vector(self._library, space.stored, image)
            if stored is None or crop is not None or frame != FIRST_FRAME:
                source: QueryInput = ImageInput(Path(image), crop, frame)
            else:
                source = StoredInput(stored.content_id)
            exclude = frozenset[int]() if stored is None else frozenset([stored.content_id])
            return run_query(
                self._library, space, self._embedder(space), Query((Part(source),)), options, exclude=exclude
            )

        return self._in_one_space(in_space)

    def nearest(
        self, vector: NDArray[np.floating], options: SearchOptions = DEFAULT_OPTIONS, *, k: int | None = None
    ) -> Answer:
        """Return the pictures most similar to `vector` (D,), made by the model that made the vectors of the library.

        Raises `InvalidQuery` for another shape and for a zero vector.
        """
        if vector.ndim != 1:
            raise InvalidQuery(f"A query vector has one dimension, not {vector.ndim}.")
        return self.search(Query((Part(VectorInput(tuple(vector.tolist()))),)), options, k=k)

    def embed(self, query: Query, options: SearchOptions = DEFAULT_OPTIONS) -> NDArray[np.float32]:
        """Return the unit vector (D,) of a query in the current space."""
        return self._embedder(self._tracker.now()).embed(query, options).vector

    def heal(self) -> bool:
        """Rewrite the index file if it is damaged or out of date. Returns whether it was rewritten."""
        return self._tracker.heal()

    def _in_one_space(self, answer: Callable[[ActiveSpace], Result]) -> Result:
        """Call `answer` with the current space; with the next one if that space is dropped in between."""
        space = self._tracker.now()
        while True:
            try:
                return answer(space)
            except SpaceDropped:
                space = self._tracker.now(wait=True)  # raises if this searcher has no other space

    def _embedder(self, space: ActiveSpace) -> QueryEmbedder:
        return QueryEmbedder(self._library, space.stored, space.require_encoder, self._cache)


def _with_k(options: SearchOptions, k: int | None) -> SearchOptions:
    return options if k is None else replace(options, k=k)
