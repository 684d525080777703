"""A query to one unit vector: each part embedded by the model or looked up, weighed, added."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery
from encoders.base import Encoder
from search.chunking import Long, pieces
from search.prompt_templates import sentences
from search.query import Picture, Query, Source, Stored, Text, Vector
from search.query_cache import Memory
from search.stored_vectors import known_picture
from store.library import Library
from store.queries import vector_of
from store.spaces.registry import StoredSpace

__all__ = ["Asking", "Embedded", "Embedder", "unit"]


@dataclass(frozen=True)
class Asking:
    """How the words of a query become vectors."""

    long: Long = "split"
    """What becomes of a text that is longer than the model reads."""
    ensemble: str | None = None
    """The language whose sentences (`search/prompt_templates.py`) words are put into; None leaves words as they are."""


@dataclass(frozen=True)
class Embedded:
    """A query as numbers."""

    vector: NDArray[np.float32]
    """(D,), of unit length."""
    parts: NDArray[np.float32]
    """(P, D): the unit vector of each part."""
    notes: tuple[str, ...] = ()
    """What was done to the query that whoever asked it should know."""


@dataclass(frozen=True)
class Embedder:
    """Makes vectors of one space of a library. `memory` keeps those of words that were asked before."""

    library: Library
    stored: StoredSpace
    encoder: Callable[[], Encoder]
    """The model of the space; called only for words and new pictures. Raises what is in its way."""
    memory: Memory = field(default_factory=Memory)

    def embed(self, query: Query, asking: Asking) -> Embedded:
        """The sum of the parts' unit vectors by their weights, at unit length.

        Raises `InvalidQuery` for parts that cancel each other out, a picture that cannot be read or that the library
        does not have, and a vector of another shape; for words and new pictures what `encoder` raises.
        """
        texts, notes = self._texts([part.source.text for part in query.parts if isinstance(part.source, Text)], asking)
        pictures = self._pictures([part.source for part in query.parts if isinstance(part.source, Picture)])
        known: dict[Source, NDArray[np.floating]] = {**texts, **pictures}
        for part in query.parts:
            if isinstance(part.source, Stored):
                known[part.source] = self.of_content(part.source.id)
            elif isinstance(part.source, Vector):
                known[part.source] = self.of_vector(part.source)
        parts = np.stack([known[part.source] for part in query.parts]).astype(np.float32)  # (P, D)
        weights = np.array([part.weight for part in query.parts])  # (P,)
        return Embedded(unit(weights @ parts.astype(np.float64)), parts, notes)

    def of_content(self, content_id: int) -> NDArray[np.float32]:
        """The vector (D,) of a picture of the library. Raises `InvalidQuery` when there is none."""
        with self.library.read() as connection:
            vector = vector_of(connection, self.stored, content_id)
        if vector is None:
            raise InvalidQuery(f"no picture with the id {content_id} has a vector here; `search --json` shows ids")
        return unit(vector)

    def of_vector(self, source: Vector) -> NDArray[np.float32]:
        """Numbers of one's own as a unit vector (D,). Raises `InvalidQuery` for another number of them."""
        dim = self.stored.space.dim
        if len(source.values) != dim:
            raise InvalidQuery(f"a query vector is of {dim} finite numbers that are not all zero")
        wide = np.array(source.values, np.float64)
        return unit(wide / np.abs(wide).max())  # the squares of large numbers need not fit

    def _texts(
        self, texts: Sequence[str], asking: Asking
    ) -> tuple[Mapping[Source, NDArray[np.float32]], tuple[str, ...]]:
        """The unit vector of each text, and what was done to those that are too long."""
        if not texts:
            return {}, ()
        encoder = self.encoder()
        asked, notes = {}, []
        for text in texts:
            cut = pieces(text, encoder, asking.long)
            asked[text] = [sentence for piece in cut.pieces for sentence in sentences(piece, asking.ensemble)]
            notes += [cut.note] if cut.note else []
        every = list(dict.fromkeys(sentence for group in asked.values() for sentence in group))
        vectors = dict(zip(every, self.memory.texts(encoder, every), strict=True))
        means = {text: np.mean([vectors[one] for one in group], axis=0) for text, group in asked.items()}  # (D,) each
        return {Text(text): unit(mean) for text, mean in means.items()}, tuple(dict.fromkeys(notes))

    def _pictures(self, pictures: Sequence[Picture]) -> Mapping[Source, NDArray[np.float32]]:
        """The unit vector of each picture: as it is stored, where the library holds the very same bytes."""
        found: dict[Source, NDArray[np.float32]] = {}
        for picture in pictures:
            known = None if picture.crop else known_picture(self.library, self.stored, picture.path)
            if known is not None:
                found[picture] = unit(known[1])
        new = [picture for picture in pictures if picture not in found]
        if new:
            from search.query_image import open_picture  # words need no code that reads pictures

            encoder = self.encoder()
            opened = [open_picture(picture.path, encoder.preprocess.size, picture.crop) for picture in new]
            found |= zip(new, encoder.encode_images(opened), strict=True)
        return found


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """`vector` at unit length. Raises `InvalidQuery` for one of no length."""
    length = float(np.linalg.norm(vector))
    if length < 1e-6:
        raise InvalidQuery("the parts of the query cancel each other out")
    return np.asarray(vector / length, dtype=np.float32)
