"""Query embedding: each part is embedded by the model or looked up, then the parts are weighted and added."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import ContentNotEmbedded, InvalidQuery
from core.notices import Notice
from encoders.base import Encoder
from search.chunking import fit_to_context
from search.options import DEFAULT_OPTIONS, SearchOptions
from search.prompt_templates import apply_templates
from search.query import ImageInput, Query, QueryInput, StoredInput, TextInput, VectorInput
from search.query_cache import QueryCache
from search.query_image import find_stored_vector, open_query_image
from store.catalog.frame_ids import CONTENT_BITS, frame_id
from store.library import Library
from store.spaces.embeddings import load_vector
from store.spaces.registry import StoredSpace

__all__ = ["EmbeddedQuery", "QueryEmbedder", "normalized"]

MIN_LENGTH = 1e-6
"""A vector shorter than this has no direction."""


@dataclass(frozen=True)
class EmbeddedQuery:
    """A query as vectors."""

    vector: NDArray[np.float32]
    """(D,), of unit length."""
    parts: NDArray[np.float32]
    """(P, D): the unit vector of each part."""
    shares: NDArray[np.float64]
    """(P,): the weight of each part, divided by the length of the weighted sum: `vector` is `shares @ parts`."""
    notices: tuple[Notice, ...] = ()
    """What the user should know about changes to the query, such as a text that was cut off."""


@dataclass(frozen=True)
class QueryEmbedder:
    """Embeds queries in one space of a library, with a cache of text vectors."""

    library: Library
    stored: StoredSpace
    encoder: Callable[[], Encoder]
    """Returns the model of the space, or raises why it is unavailable. Called only for texts and new pictures."""
    cache: QueryCache = field(default_factory=QueryCache)

    def embed(self, query: Query, options: SearchOptions = DEFAULT_OPTIONS) -> EmbeddedQuery:
        """Embed a query: the weighted sum of its parts' unit vectors, at unit length.

        Raises `InvalidQuery` for parts that cancel out, for a picture that cannot be read or that the library does not
        contain, and for a vector of the wrong length. For texts and new pictures, raises the errors of `encoder`.
        """
        inputs = [part.source for part in query.parts]
        texts, notices = self._texts([source.text for source in inputs if isinstance(source, TextInput)], options)
        images = self._images([source for source in inputs if isinstance(source, ImageInput)])
        vectors: dict[QueryInput, NDArray[np.floating]] = {**texts, **images}
        for source in inputs:
            if isinstance(source, StoredInput):
                vectors[source] = self._stored(source)
            elif isinstance(source, VectorInput):
                vectors[source] = self._vector(source)
        parts = np.stack([vectors[source] for source in inputs]).astype(np.float32)  # (P, D)
        weights = np.array([part.weight for part in query.parts])  # (P,)
        total = weights @ parts.astype(np.float64)  # (D,)
        return EmbeddedQuery(normalized(total), parts, weights / np.linalg.norm(total), notices)

    def _texts(
        self, texts: Sequence[str], options: SearchOptions
    ) -> tuple[Mapping[QueryInput, NDArray[np.float32]], tuple[Notice, ...]]:
        """Return the unit vector of each text, and notices about those that are too long."""
        if not texts:
            return {}, ()
        encoder = self.encoder()
        sentences, notices = {}, []
        for text in texts:
            fitted = fit_to_context(text, encoder, options.long_texts)
            sentences[text] = [
                sentence for piece in fitted.pieces for sentence in apply_templates(piece, options.prompt_ensemble)
            ]
            notices += [fitted.notice] if fitted.notice else []
        unique = list(dict.fromkeys(sentence for group in sentences.values() for sentence in group))
        vectors = dict(zip(unique, self.cache.texts(encoder, unique), strict=True))
        means = {text: np.mean([vectors[one] for one in group], axis=0) for text, group in sentences.items()}  # (D,)
        return {TextInput(text): normalized(mean) for text, mean in means.items()}, tuple(dict.fromkeys(notices))

    def _images(self, images: Sequence[ImageInput]) -> Mapping[QueryInput, NDArray[np.float32]]:
        """Return the unit vector of each picture: the stored one, if the library contains a file of the same bytes."""
        vectors: dict[QueryInput, NDArray[np.float32]] = {}
        for image in images:
            stored = None if image.crop else find_stored_vector(self.library, self.stored, image.path, image.frame)
            if stored is not None:
                vectors[image] = normalized(stored.vector)
        new = [image for image in images if image not in vectors]
        if new:
            encoder = self.encoder()
            side = encoder.preprocess.size
            opened = [open_query_image(image.path, side, image.crop, image.frame) for image in new]
            vectors |= zip(new, encoder.encode_images(opened), strict=True)
        return vectors

    def _stored(self, source: StoredInput) -> NDArray[np.float32]:
        """Return the unit vector (D,) of a frame of a picture of the library."""
        is_id = not source.id >> CONTENT_BITS  # a larger number would name a frame of another picture
        vector = load_vector(self.library, self.stored, frame_id(source.id, source.frame)) if is_id else None
        if vector is None:
            raise ContentNotEmbedded(source.id, source.frame)
        return normalized(vector)

    def _vector(self, source: VectorInput) -> NDArray[np.float32]:
        """Return the given numbers as a unit vector (D,)."""
        dim = self.stored.space.dim
        if len(source.values) != dim:
            raise InvalidQuery(f"A query vector of this space has {dim} numbers, not {len(source.values)}.")
        wide = np.array(source.values, np.float64)
        return normalized(wide / np.abs(wide).max())  # squares of large numbers could overflow


def normalized(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return `vector` at unit length. Raises `InvalidQuery` if its length is zero."""
    length = float(np.linalg.norm(vector))
    if length < MIN_LENGTH:
        raise InvalidQuery("The parts of the query cancel each other out.")
    return np.asarray(vector / length, dtype=np.float32)
