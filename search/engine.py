"""A query to a ranking: embed its parts, rank by cosine similarity, look the pictures up.

Scores are plain cosine similarities between the query's unit vector and each picture's; ranking is exact.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from encoders import registry
from encoders.base import Encoder
from search.hits import Hit
from search.open_picture import open_picture
from search.query import Query
from sightline.errors import IndexFault, InvalidQuery
from store import cache
from store.library import Library
from store.lookup import describe, stored_vector
from store.spaces import StoredSpace, active_space, require_active

__all__ = ["Searcher"]


class Searcher:
    """Answers queries over one library; keep it for many queries. It notices when the library has changed.

    Safe to share between threads.

        with Library.open("photos.library") as library:
            for hit in Searcher(library).search("a dog in the snow"):
                print(hit.score, hit.path)

    `encoder` is the model of the library's active space unless given. Raises `InvalidQuery` when nothing is indexed
    yet, and `SpaceMismatch` for an encoder of another space.
    """

    def __init__(self, library: Library, encoder: Encoder | None = None) -> None:
        active = active_space(library)
        if active is None:
            raise InvalidQuery(f"nothing is indexed in {library.path} yet; `sightline index FOLDER` does that")
        self._library = library
        self._encoder = encoder or registry.load(active.space.model)
        self._stored: StoredSpace = require_active(library, self._encoder.space)
        self._current = cache.load(library, self._stored)
        self._refreshing = Lock()

    @property
    def fault(self) -> IndexFault | None:
        """What was wrong with the index file, if anything; answers are right all the same."""
        return self._current.fault

    def __len__(self) -> int:
        """How many pictures can be found (copies count once)."""
        return len(self._current.index)

    def search(self, query: Query | str, k: int = 10, min_score: float | None = None) -> list[Hit]:
        """The `k` pictures most similar to `query`, best first; only those that reach `min_score`, if it is given.

        Raises `InvalidQuery` for a `k` below 1 or a picture that cannot be read.
        """
        query = Query.of(query) if isinstance(query, str) else query
        return self._rank(self.embed(query), k, min_score, without=frozenset())

    def similar(self, image: Path | str, k: int = 10, min_score: float | None = None) -> list[Hit]:
        """The `k` pictures most similar to a picture, without the picture itself and its exact copies.

        If its bytes are in the library, its stored vector is used. Raises `InvalidQuery` as `search` does.
        """
        image = Path(image)
        try:
            with image.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
        except OSError as exc:
            raise InvalidQuery(f"{image}: {exc.strerror or exc}") from exc
        with self._library.read() as connection:
            known = stored_vector(connection, self._stored, digest)
        if known is None:
            return self._rank(self.embed(Query.of(images=image)), k, min_score, without=frozenset())
        content_id, vector = known
        return self._rank(_unit(vector), k, min_score, without=frozenset([content_id]))

    def embed(self, query: Query) -> NDArray[np.float32]:
        """The unit vector (D,) of a query: the mean of its parts' unit vectors, scaled to length one."""
        parts = [self._encoder.encode_texts(query.texts)] if query.texts else []
        if query.images:
            pictures = [open_picture(path, self._encoder.preprocess.size) for path in query.images]
            parts.append(self._encoder.encode_images(pictures))
        return _unit(np.concatenate(parts).mean(axis=0))

    def refresh(self) -> None:
        """Takes up what other processes have changed since; `search` does so by itself."""
        if self._current.revision == self._library.revision():
            return
        with self._refreshing:  # one thread loads the index, and the others need not do it again
            if self._current.revision != self._library.revision():
                self._current = cache.load(self._library, self._stored)

    def heal(self) -> bool:
        """Mends the index file if it was damaged or behind, so that the next search need not work around it."""
        return not self._current.published and cache.heal(self._library, self._stored)

    def _rank(self, vector: NDArray[np.float32], k: int, min_score: float | None, without: frozenset[int]) -> list[Hit]:
        if k < 1:
            raise InvalidQuery(f"cannot show the best {k} pictures; ask for at least one")
        self.refresh()
        wanted = k + 1 + len(without)
        while True:
            scores, ids = self._current.index.search(vector[None], wanted)
            with self._library.read() as connection:
                hits = _hits(connection, scores[0], ids[0], without)
            # More are needed when a picture vanished between ranking and looking it up, and when equals of the last
            # one shown may be left out: which of them come first must not depend on how the index came to be.
            enough = len(hits) >= k and hits[k - 1].score > scores[0][-1]
            if enough or len(ids[0]) < wanted:
                break
            wanted *= 2
        return [hit for hit in hits[:k] if min_score is None or hit.score >= min_score]


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


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    if length < 1e-6:
        raise InvalidQuery("the parts of the query cancel each other out")
    return np.asarray(vector / length, dtype=np.float32)
