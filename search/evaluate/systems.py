"""The systems of an evaluation: a space of a library, and the encoder or file that provides the captions' vectors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CaptionVectorsRequired, EvaluationError, NothingIndexed, SpaceMismatch
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from search.evaluate.datasets.base import Dataset, describe_captions
from store.exchange import read_vectors
from store.library import Library
from store.spaces.registry import StoredSpace, active_space, list_spaces, named_space

__all__ = ["CaptionVectorFile", "RetrievalSystem", "caption_vectors", "encoder_system", "library_system"]

_BATCH_SIZE = 256
"""Captions embedded between two reports of progress."""

OnProgress = Callable[[int, int], None]
"""Called with the number of embedded texts so far, and the total."""


@dataclass(frozen=True)
class CaptionVectorFile:
    """A file of vectors of captions that were made elsewhere, and optionally a file with the captions' ids."""

    path: Path
    ids: Path | None = None


@dataclass(frozen=True)
class RetrievalSystem:
    """A space of a library, and the source of the captions' vectors in this space."""

    library: Library
    stored: StoredSpace
    captions: Encoder | CaptionVectorFile

    @property
    def name(self) -> str:
        """The model and the beginning of the space's fingerprint."""
        return str(self.stored.space)


def library_system(
    library: Library,
    space: str | None = None,
    vector_files: Mapping[str, CaptionVectorFile] | None = None,
    placement: Placement = DEFAULT_PLACEMENT,
) -> RetrievalSystem:
    """Return the space called `space` of the library, or the active one, with its model.

    `vector_files` are used instead of the model; they are named by space, or "" for any space. Raises `NothingIndexed`,
    `UnknownSpace`, `CaptionVectorsRequired`, and the errors of loading the model, such as `WeightsChanged`.
    """
    stored = named_space(library, space, prefer_active=True) if space else active_space(library)
    if stored is None:
        raise NothingIndexed(library.backend.place)
    files = vector_files or {}
    file = files.get(stored.space.name) or files.get(stored.space.model) or files.get("")
    if file is not None:
        return RetrievalSystem(library, stored, file)
    if stored.space.is_imported:
        raise CaptionVectorsRequired(str(stored.space))
    return RetrievalSystem(library, stored, registry.load_for_space(stored.space, placement))


def encoder_system(library: Library, encoder: Encoder) -> RetrievalSystem:
    """Return the space of `encoder` in the library. Raises `NothingIndexed`, and `SpaceMismatch` if it has none."""
    summaries = list_spaces(library)
    for summary in summaries:
        if summary.stored.space.fingerprint == encoder.space.fingerprint:
            return RetrievalSystem(library, summary.stored, encoder)
    if not summaries:
        raise NothingIndexed(library.backend.place)
    raise SpaceMismatch(", ".join(str(summary.stored.space) for summary in summaries), str(encoder.space))


def caption_vectors(
    system: RetrievalSystem,
    dataset: Dataset,
    templates: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> NDArray[np.float32]:
    """Return unit vectors (C, D) of the captions, in the order of the data set.

    With `templates` ("a photo of a {}") each caption is put into all of them, and the mean of the vectors is taken, as
    in CLIP (Radford et al., 2021, section 3.1.4). Raises `EvaluationError` for a file of vectors that does not fit.
    """
    if isinstance(system.captions, CaptionVectorFile):
        return _read_vectors(system.captions, system, dataset)
    texts = [caption.text for caption in dataset.captions]
    batches = [
        [template.replace("{}", text) for text in texts[start : start + _BATCH_SIZE]]
        for template in templates or ["{}"]
        for start in range(0, len(texts), _BATCH_SIZE)
    ]
    total = len(texts) * len(templates or ["{}"])
    vectors: list[NDArray[np.float32]] = []
    if on_progress:
        on_progress(0, total)
    for batch in batches:
        vectors.append(system.captions.encode_texts(batch))
        if on_progress:
            on_progress(sum(map(len, vectors)), total)
    stacked = np.concatenate(vectors).reshape(-1, len(texts), vectors[0].shape[1])  # (T, C, D)
    return _normalize(np.mean(stacked, axis=0))


def _read_vectors(file: CaptionVectorFile, system: RetrievalSystem, dataset: Dataset) -> NDArray[np.float32]:
    """Read the vectors of the captions. Without ids the file has one row per caption, in the order of the data set."""
    ids, vectors = read_vectors(file.path, file.ids)
    dim = system.stored.space.dim
    if vectors.shape[1] != dim:
        raise EvaluationError(f"{file.path}: {vectors.shape[1]} dimensions, but {system.name} has {dim}.")
    caption_ids = [caption.id for caption in dataset.captions]
    if ids is None:
        if len(vectors) == len(caption_ids):
            return _normalize(vectors)
        if dataset.whole is not None and len(vectors) == len(dataset.whole.captions):
            return _normalize(vectors[dataset.rows_in_whole()])
        raise EvaluationError(
            f"{file.path}: {len(vectors):,} vectors without ids, but {describe_captions(dataset)}. Without ids there "
            "is one row for each caption, in the order of the data set."
        )
    return _normalize(vectors[_rows_of(caption_ids, ids, file.path)])


def _rows_of(caption_ids: Sequence[str], ids: Sequence[str], path: Path) -> list[int]:
    """Return the row of each caption in the file."""
    rows = {name: row for row, name in enumerate(ids)}
    if len(rows) < len(ids):
        duplicate = next(name for row, name in enumerate(ids) if rows[name] != row)
        raise EvaluationError(f"{path}: Two vectors have the id {duplicate!r}.")
    missing = [name for name in caption_ids if name not in rows]
    if missing:
        names = ", ".join(missing[:5])
        raise EvaluationError(f"{path}: No vector for {len(missing):,} of {len(caption_ids):,} captions: {names}")
    return [rows[name] for name in caption_ids]


def _normalize(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # (C, 1)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise EvaluationError("The vector of a caption is zero or not finite, so it has no direction.")
    return np.asarray(vectors / lengths, dtype=np.float32)
