"""Captions as vectors: embedded now, or made elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cli.evaluate.systems import QueryVectors, System
from cli.progress import ShownProgress
from core.errors import EvaluationError
from encoders.base import Encoder
from search.evaluate.datasets import Dataset

__all__ = ["caption_vectors"]

_AT_ONCE = 256
"""Captions between two reports of progress."""


def caption_vectors(system: System, dataset: Dataset, templates: Sequence[str] = ()) -> NDArray[np.float32]:
    """Unit vectors (C, D) of the captions, in the data set's order.

    With `templates` ("a photo of a {}") each caption is put into all of them, and the mean is taken, as CLIP does
    (Radford et al., 2021, section 3.1.4).
    """
    if isinstance(system.words, QueryVectors):
        return _read(system.words, system, dataset)
    texts = [caption.text for caption in dataset.captions]
    filled = [[template.replace("{}", text) for text in texts] for template in templates or ["{}"]]
    with ShownProgress() as progress:
        progress.begin(len(texts) * len(filled))
        vectors = np.mean([_embed(system.words, some, progress) for some in filled], axis=0)  # (C, D)
    return _unit(vectors)


def _embed(encoder: Encoder, texts: Sequence[str], progress: ShownProgress) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        parts.append(encoder.encode_texts(texts[start : start + _AT_ONCE]))
        progress.advance(len(parts[-1]))
    return np.concatenate(parts)


def _read(given: QueryVectors, system: System, dataset: Dataset) -> NDArray[np.float32]:
    """The rows of a file that are the captions'; without ids there is one row a caption, in the data set's order."""
    from store.exchange import read_vectors

    ids, vectors = read_vectors(given.path, given.ids)
    dim = system.stored.space.dim
    if vectors.shape[1] != dim:
        raise EvaluationError(f"{given.path}: {vectors.shape[1]} dimensions, but {system.name} has {dim}")
    wanted = [caption.id for caption in dataset.captions]
    if ids is None:
        if len(vectors) != len(wanted):
            raise EvaluationError(f"{given.path}: {len(vectors):,} vectors without ids for {len(wanted):,} captions")
        return _unit(vectors)
    return _unit(vectors[_rows(ids, wanted, given.path)])


def _rows(ids: Sequence[str], wanted: Sequence[str], path: Path) -> list[int]:
    """Where each of the wanted ids stands."""
    rows = {name: row for row, name in enumerate(ids)}
    if len(rows) < len(ids):
        twice = next(name for row, name in enumerate(ids) if rows[name] != row)
        raise EvaluationError(f"{path}: two vectors are called {twice}")
    lacking = [name for name in wanted if name not in rows]
    if lacking:
        few = ", ".join(lacking[:5])
        raise EvaluationError(f"{path}: no vector for {len(lacking):,} of {len(wanted):,} captions: {few}")
    return [rows[name] for name in wanted]


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # (C, 1)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise EvaluationError("a caption's vector is zero or not finite: it has no direction")
    return np.asarray(vectors / lengths, dtype=np.float32)
