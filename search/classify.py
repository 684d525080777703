"""Zero-shot classification: which of some labels a picture shows, with how much probability.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML 2021), section 3.1.4; Chen
et al., "AltCLIP" (2022), do the same. A label is put into several sentences; the mean of their unit vectors, at unit
length, is the label's; the softmax over labels of the cosines times the model's own logit scale is the probability.
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
from store.library import Library
from store.queries import load_content_records
from store.spaces.embeddings import load_vectors
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import Ids

__all__ = ["Classified", "Classifier", "classify_library", "classify_pictures"]

CHUNK = 4_096
"""Pictures at a time."""
CELLS = 2**22
"""Cosines at a time, pictures times labels: some 100 MB with all that is made of them."""
TOGETHER = 64
"""Labels whose sentences are embedded at a time."""
BLANK = "{}"
"""Where a template has its label."""


@dataclass(frozen=True)
class Classified:
    """A picture and what each label scores, in the order of the labels."""

    paths: tuple[Path, ...]
    content_id: int | None
    """In the library; None for a picture that it does not know."""
    labels: tuple[str, ...]
    cosines: NDArray[np.float64]
    """(L,)"""
    probabilities: NDArray[np.float64] | None
    """(L,), which sum to 1; None where the model has no logit scale: its cosines rank, and are no probabilities."""

    @property
    def best(self) -> int:
        """The number of the label that fits best; of equals, the first."""
        return int(np.argmax(self.cosines))

    @property
    def label(self) -> str:
        """The label that fits best."""
        return self.labels[self.best]

    @property
    def probability(self) -> float | None:
        """Of that label."""
        return None if self.probabilities is None else float(self.probabilities[self.best])


class Classifier:
    """Tells `labels` apart in the space of `encoder`.

    `templates` are sentences with `{}` for the label; without any, those of `language`
    (`search/prompt_templates.py`). Raises
    `InvalidQuery` for fewer than two labels, for two that are the same, and for templates that do not hold one `{}`.
    """

    def __init__(
        self, encoder: Encoder, labels: Sequence[str], templates: Sequence[str] = (), language: str = "en"
    ) -> None:
        self.labels = tuple(label.strip() for label in labels)
        if len(self.labels) < 2 or not all(self.labels):
            raise InvalidQuery("labels are told apart: give two or more, none of them empty")
        twice = next((label for label, count in Counter(self.labels).items() if count > 1), None)
        if twice is not None:
            raise InvalidQuery(f"labels are told apart: {twice!r} is there more than once")
        if not all(template.count(BLANK) == 1 for template in templates):
            raise InvalidQuery(f"a template is a sentence with one {BLANK} for the label, as 'a photo of a {BLANK}'")
        self.scale = encoder.logit_scale
        self.vectors: NDArray[np.float64] = np.concatenate(
            [
                _ensembles(encoder, self.labels[start : start + TOGETHER], templates, language)
                for start in range(0, len(self.labels), TOGETHER)
            ]
        )  # (L, D)

    def cosines(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, D) unit vectors of pictures to (N, L)."""
        return np.asarray(vectors.astype(np.float64) @ self.vectors.T)

    def probabilities(self, cosines: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """(N, L) cosines to (N, L), of which each row sums to 1; None where the model has no logit scale."""
        if self.scale is None:
            return None
        logits = self.scale * cosines
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))  # no overflow; the quotient is the same
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def classified(
        self, vectors: NDArray[np.floating], pictures: Sequence[tuple[tuple[Path, ...], int | None]]
    ) -> Iterator[Classified]:
        """(N, D) unit vectors, with the paths and the content of each."""
        cosines = self.cosines(vectors)  # (N, L)
        likely = self.probabilities(cosines)  # (N, L)
        for row, (paths, content_id) in enumerate(pictures):
            yield Classified(paths, content_id, self.labels, cosines[row], None if likely is None else likely[row])


def classify_library(
    library: Library, stored: StoredSpace, classifier: Classifier, ids: Ids
) -> Iterator[list[Classified]]:
    """The pictures `ids` by their stored vectors, at most some thousands at a time: memory does not grow with the
    library, nor much with the number of labels."""
    chunk = max(1, min(CHUNK, CELLS // len(classifier.labels)))
    for start in range(0, len(ids), chunk):
        batch = ids[start : start + chunk]  # one transaction each, so that tags can be written in between
        vectors, records = load_vectors(library, stored, batch), load_content_records(library, batch.tolist())
        rows = [row for row in np.flatnonzero(~np.isnan(vectors[:, 0])).tolist() if int(batch[row]) in records]
        pictures = [(records[int(batch[row])].paths, int(batch[row])) for row in rows]
        yield list(classifier.classified(vectors[rows], pictures))


def classify_pictures(
    library: Library | None, stored: StoredSpace | None, encoder: Encoder, classifier: Classifier, paths: Sequence[Path]
) -> Iterator[list[Classified]]:
    """Given files, a batch at a time; one that the library has is not embedded again. Raises `InvalidQuery`."""
    for start in range(0, len(paths), encoder.batch_size):
        batch = paths[start : start + encoder.batch_size]
        known = [find_stored_vector(library, stored, path) if library and stored else None for path in batch]
        images = [
            open_query_image(path, encoder.preprocess.size)
            for path, there in zip(batch, known, strict=True)
            if there is None
        ]
        fresh = iter(encoder.encode_images(images))
        vectors = np.stack([next(fresh) if there is None else there[1] for there in known])  # (n, D)
        ids = [None if there is None else there[0] for there in known]
        yield list(classifier.classified(vectors, [((path,), each) for path, each in zip(batch, ids, strict=True)]))


def _ensembles(encoder: Encoder, labels: Sequence[str], templates: Sequence[str], language: str) -> NDArray[np.float64]:
    """The unit vectors (L, D) of labels: of each the mean of its sentences', at unit length."""
    said = [[one.replace(BLANK, label) for one in templates] or apply_templates(label, language) for label in labels]
    vectors: Vectors = encoder.encode_texts([sentence for group in said for sentence in group])  # (L * T, D)
    means = vectors.astype(np.float64).reshape(len(labels), -1, vectors.shape[-1]).mean(axis=1)  # (L, D)
    lengths = np.linalg.norm(means, axis=1)  # (L,)
    if lengths.min() < 1e-6:
        raise InvalidQuery(f"the sentences of {labels[int(lengths.argmin())]!r} cancel each other out")
    return np.asarray(means / lengths[:, None])
