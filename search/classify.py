"""Zero-shot classification: the probability of each of several labels, for any picture.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML 2021), section 3.1.4; Chen
et al., "AltCLIP" (2022), do the same. A label is put into several prompt templates; the mean of their unit vectors, at
unit length, is the vector of the label. The probabilities are the softmax over the labels of the cosines times the
model's logit scale. A picture of the library with several frames, such as pages, is classified by the frame whose best
label is the most probable.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery
from encoders.base import Encoder, Vectors
from search.prompt_templates import apply_templates
from search.query_image import find_stored_vector, open_query_image
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.library import Library
from store.queries import load_content_records
from store.spaces.embeddings import load_vectors
from store.spaces.frame_lists import list_embedded_frames
from store.spaces.registry import StoredSpace

__all__ = ["Classification", "Classifier", "classify_library", "classify_pictures"]

MAX_BATCH_PICTURES = 4_096
MAX_BATCH_COSINES = 2**22
"""Pictures times labels; about 100 MB with all intermediate results."""
LABEL_BATCH_SIZE = 64
"""Labels whose templates are embedded at once."""
PLACEHOLDER = "{}"
"""The place of the label in a template."""


@dataclass(frozen=True)
class Classification:
    """A picture with the score of each of L labels, in the order of the labels."""

    paths: tuple[Path, ...]
    content_id: int | None
    """The content ID; None for a picture that is not in the library."""
    labels: tuple[str, ...]
    cosines: NDArray[np.float64]
    """(L,)"""
    probabilities: NDArray[np.float64] | None
    """(L,), with the sum 1; None if the model has no logit scale."""

    @property
    def best(self) -> int:
        """The index of the best label; of equal ones, the first."""
        return int(np.argmax(self.cosines))

    @property
    def label(self) -> str:
        """The best label."""
        return self.labels[self.best]

    @property
    def probability(self) -> float | None:
        """The probability of the best label."""
        return None if self.probabilities is None else float(self.probabilities[self.best])


class Classifier:
    """A classifier of pictures by `labels`, in the space of `encoder`.

    `templates` are sentences with `{}` for the label; by default, those of `language` (`search/prompt_templates.py`).
    `batch_size` labels are embedded at once. Raises `InvalidQuery` for fewer than two labels, for duplicate labels, and
    for a template without exactly one `{}`.
    """

    def __init__(
        self,
        encoder: Encoder,
        labels: Sequence[str],
        templates: Sequence[str] = (),
        language: str = "en",
        *,
        batch_size: int = LABEL_BATCH_SIZE,
    ) -> None:
        self.labels = tuple(label.strip() for label in labels)
        if len(self.labels) < 2 or not all(self.labels):
            raise InvalidQuery("Give at least two labels. None of them may be empty.")
        duplicate = next((label for label, count in Counter(self.labels).items() if count > 1), None)
        if duplicate is not None:
            raise InvalidQuery(f"Duplicate label {duplicate!r}.")
        if not all(template.count(PLACEHOLDER) == 1 for template in templates):
            raise InvalidQuery(
                f"A template must contain {PLACEHOLDER} exactly once, as in 'a photo of a {PLACEHOLDER}'."
            )
        self.scale = encoder.logit_scale
        self.vectors: NDArray[np.float64] = np.concatenate(
            [
                _label_vectors(encoder, self.labels[start : start + batch_size], templates, language)
                for start in range(0, len(self.labels), batch_size)
            ]
        )  # (L, D)

    def cosines(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the cosines (N, L) of pictures with the unit vectors (N, D)."""
        return np.asarray(vectors.astype(np.float64) @ self.vectors.T)

    def probabilities(self, cosines: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the probabilities (N, L) for cosines (N, L); None if the model has no logit scale."""
        if self.scale is None:
            return None
        logits = self.scale * cosines
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))  # avoids overflow
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def classify(
        self, vectors: NDArray[np.floating], pictures: Sequence[tuple[tuple[Path, ...], int | None]]
    ) -> Iterator[Classification]:
        """Classify pictures by their unit vectors (N, D), given the paths and the content ID of each."""
        cosines = self.cosines(vectors)  # (N, L)
        probabilities = self.probabilities(cosines)  # (N, L)
        for row, (paths, content_id) in enumerate(pictures):
            row_probabilities = None if probabilities is None else probabilities[row]
            yield Classification(paths, content_id, self.labels, cosines[row], row_probabilities)


def classify_library(
    library: Library,
    stored: StoredSpace,
    classifier: Classifier,
    ids: Ids,
    *,
    max_pictures: int = MAX_BATCH_PICTURES,
    max_cosines: int = MAX_BATCH_COSINES,
) -> Iterator[list[Classification]]:
    """Classify the pictures `ids` by their stored vectors, in batches.

    A batch has at most `max_pictures` frames and `max_cosines` cosines, so that memory is bounded, or a single picture.
    """
    batch_size = max(1, min(max_pictures, max_cosines // len(classifier.labels)))
    for batch in list_embedded_frames(library, stored, ids).batches(batch_size):
        # Read batch by batch, so that tags can be written in between.
        vectors, contents = load_vectors(library, stored, batch.ids), content_of(batch.ids)  # (F, D), (F,)
        records = load_content_records(library, np.unique(contents).tolist())
        rows = np.flatnonzero(~np.isnan(vectors[:, 0]) & np.isin(contents, list(records)))
        if batch.has_further_frames:
            rows = rows[_best_rows(classifier, vectors[rows], contents[rows])]
        pictures = [(records[content_id].paths, content_id) for content_id in contents[rows].tolist()]
        yield list(classifier.classify(vectors[rows], pictures))


def classify_pictures(
    library: Library | None, stored: StoredSpace | None, encoder: Encoder, classifier: Classifier, paths: Sequence[Path]
) -> Iterator[list[Classification]]:
    """Classify picture files by their first frames, in batches. Those in the library are not embedded again.

    Raises `InvalidQuery`.
    """
    for start in range(0, len(paths), encoder.batch_size):
        batch = paths[start : start + encoder.batch_size]
        found = [find_stored_vector(library, stored, path) if library and stored else None for path in batch]
        images = [
            open_query_image(path, encoder.preprocess.size)
            for path, vector in zip(batch, found, strict=True)
            if vector is None
        ]
        embedded = iter(encoder.encode_images(images))
        vectors = np.stack([next(embedded) if one is None else one.vector for one in found])  # (n, D)
        pictures = [((path,), None if one is None else one.content_id) for path, one in zip(batch, found, strict=True)]
        yield list(classifier.classify(vectors, pictures))


def _best_rows(classifier: Classifier, vectors: NDArray[np.floating], contents: Ids) -> Ids:
    """Return the row of the frame of each content, of vectors (F, D) and `contents` (F,), with the most certain label.

    Without a logit scale, that is the frame with the highest cosine. The contents keep their order.
    """
    cosines = classifier.cosines(vectors)  # (F, L)
    probabilities = classifier.probabilities(cosines)
    certainty = (cosines if probabilities is None else probabilities).max(axis=1)  # (F,)
    _, first, place = np.unique(contents, return_index=True, return_inverse=True)
    order = np.lexsort((-certainty, first[place]))  # by content as they came, then the most certain first
    changes = np.flatnonzero(np.diff(contents[order], prepend=-1))
    return np.asarray(order[changes])


def _label_vectors(
    encoder: Encoder, labels: Sequence[str], templates: Sequence[str], language: str
) -> NDArray[np.float64]:
    """Return the unit vectors (L, D) of labels: the mean over each label's sentences, at unit length."""
    sentences = [
        [template.replace(PLACEHOLDER, label) for template in templates] or apply_templates(label, language)
        for label in labels
    ]
    vectors: Vectors = encoder.encode_texts([sentence for group in sentences for sentence in group])  # (L * T, D)
    means = vectors.astype(np.float64).reshape(len(labels), -1, vectors.shape[-1]).mean(axis=1)  # (L, D)
    lengths = np.linalg.norm(means, axis=1)  # (L,)
    if lengths.min() < 1e-6:
        raise InvalidQuery(f"The prompts of {labels[int(lengths.argmin())]!r} cancel each other out.")
    return np.asarray(means / lengths[:, None])
