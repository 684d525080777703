"""Systems whose vectors were made elsewhere: files of vectors of pictures and of captions, without a library or model.

The files are read a block at a time, and vectors are normalised, so scores are cosine similarities. Rows belong to the
pictures and captions of a data set: by their ids, or else in its order. Pictures are in the order in which the captions
first name them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile, EvaluationError
from core.errors.base import first_names
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE, Caption, Dataset, describe_captions
from search.evaluate.datasets.file_names import NameMatcher
from store.exchange import VectorSource, open_vectors

__all__ = ["UnitVectors", "VectorSystem", "describe_lengths", "open_vector_system", "paired_dataset"]

_LENGTH_TOLERANCE = 0.01
"""Vectors whose lengths differ less from 1 are reported as normalised."""


@dataclass
class UnitVectors:
    """The vectors of a file as unit vectors, in blocks (n, D) of 32-bit numbers, read each time they are iterated."""

    source: VectorSource
    rows: NDArray[np.bool_] | None = None
    """The rows to use (N,); None for all."""
    shortest: float = field(default=np.inf, init=False)
    longest: float = field(default=0.0, init=False)

    def __len__(self) -> int:
        return self.source.count if self.rows is None else int(self.rows.sum())

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors in order. Raises `BadVectorFile` for a row that is zero or not finite."""
        before = 0  # rows in the files before
        for file in self.source.files:
            for first, block in _numbered(file.blocks()):
                rows = np.arange(first, first + len(block))
                if self.rows is not None:
                    chosen = self.rows[before + rows]
                    block, rows = block[chosen], rows[chosen]
                if len(block):
                    lengths = self._lengths(block, rows, file.path)
                    yield np.asarray(block / lengths.astype(np.result_type(block, np.float32))[:, None], np.float32)
            before += file.count

    def array(self) -> NDArray[np.float32]:
        """Return all vectors (N, D). Raises `BadVectorFile`."""
        vectors = np.empty((len(self), self.source.dim), np.float32)
        end = 0
        for block in self:
            vectors[end : end + len(block)] = block
            end += len(block)
        return vectors

    @property
    def were_normalised(self) -> bool:
        """Whether the lengths of the vectors read so far differed from 1."""
        return self.shortest < 1 - _LENGTH_TOLERANCE or self.longest > 1 + _LENGTH_TOLERANCE

    def _lengths(self, block: NDArray[np.floating], rows: NDArray[np.int64], path: Path) -> NDArray[np.float64]:
        """Return the lengths (n,) of the vectors, which are in these rows of the file."""
        lengths: NDArray[np.float64] = np.sqrt(np.einsum("nd,nd->n", block, block, dtype=np.float64))
        wrong = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
        if len(wrong):
            kind = "zero" if not block[wrong[0]].any() else "not finite (NaN or infinity)"
            more = f", and {len(wrong) - 1:,} of the rows after it are, too" if len(wrong) > 1 else ""
            raise BadVectorFile(
                path,
                f"the vector in row {rows[wrong[0]]} (from 0) is {kind}{more}. Compute it again; it has no direction.",
            )
        self.shortest = min(self.shortest, float(lengths.min(initial=np.inf)))
        self.longest = max(self.longest, float(lengths.max(initial=0.0)))
        return lengths


@dataclass(frozen=True)
class VectorSystem:
    """The vectors of one system for a data set, whose images are in the order of the vectors."""

    name: str
    dataset: Dataset
    images: UnitVectors
    captions: NDArray[np.float32]
    """Unit vectors (C, D) of the captions, in the order of the data set."""
    notices: tuple[str, ...] = ()


def open_vector_system(
    name: str,
    dataset: Dataset,
    image_file: Path,
    text_file: Path,
    image_ids: Path | None = None,
    text_ids: Path | None = None,
) -> VectorSystem:
    """Open files of vectors (`.npy`, `.parquet`, folders of clip-retrieval) for the images and captions of a data set.

    Without ids the rows are in the order of the data set. Raises `BadVectorFile`, `EvaluationError` for files that do
    not belong to the data set or to each other, and `ExtraMissing` for Parquet without pyarrow.
    """
    images, texts = open_vectors(image_file, image_ids), open_vectors(text_file, text_ids)
    if images.dim != texts.dim:
        raise EvaluationError(
            f"{image_file} has {images.dim} dimensions, but {text_file} has {texts.dim}. Vectors of pictures and of "
            "captions must come from one model."
        )
    captions = UnitVectors(texts)
    order = _caption_rows(texts, dataset)
    vectors = captions.array()
    whole_first = dataset.whole is not None and texts.count == len(dataset.whole.captions)
    ordered, gallery, notices = _ordered_images(images, dataset, image_file, whole_first)
    if captions.were_normalised:
        notices = (*notices, describe_lengths(text_file, captions))
    return VectorSystem(name, ordered, gallery, vectors if order is None else vectors[order], notices)


def paired_dataset(name: str, pictures: int, captions: int, per_picture: int | None = None) -> Dataset:
    """Return a data set in which the captions of picture i are the rows i * `per_picture` and following.

    Without `per_picture` it is the ratio of the numbers. Raises `EvaluationError` if the numbers do not fit.
    """
    if per_picture is None and (not pictures or captions % pictures):
        raise EvaluationError(
            f"{captions:,} vectors of captions for {pictures:,} vectors of pictures: not the same number for each "
            "picture. Name a data set that says which belong together."
        )
    per_picture = per_picture or captions // pictures
    if captions != pictures * per_picture:
        raise EvaluationError(
            f"{pictures:,} vectors of pictures with {per_picture} captions each need {pictures * per_picture:,} "
            f"vectors of captions, but there are {captions:,}."
        )
    rows = (Caption(str(row), "", UNKNOWN_LANGUAGE, {str(row // per_picture): 1}) for row in range(captions))
    return Dataset(name, "all", Path(), tuple(map(str, range(pictures))), tuple(rows))


def describe_lengths(path: Path, vectors: UnitVectors) -> str:
    """Return a notice of the lengths that the vectors had before they were normalised."""
    return f"{path}: vectors of length {vectors.shortest:.3g} to {vectors.longest:.3g} were normalised."


def _numbered(blocks: Iterator[NDArray[np.floating]]) -> Iterator[tuple[int, NDArray[np.floating]]]:
    start = 0
    for block in blocks:
        yield start, block
        start += len(block)


def _ordered_images(
    source: VectorSource, dataset: Dataset, path: Path, whole_first: bool
) -> tuple[Dataset, UnitVectors, tuple[str, ...]]:
    """Return the data set with its images in the order of the vectors.

    Without names this is the order in which the captions name them: those in the chosen languages or in all of them,
    as the number of vectors tells; if both fit, those in all languages with `whole_first`.
    """
    names = _names(source)
    if names is None:
        sets = [dataset, dataset.whole or dataset]
        orders = [_order_of_appearance(each) for each in (sets[::-1] if whole_first else sets)]
        order = next((each for each in orders if len(each) == source.count), orders[0])
        if source.count != len(order):
            raise EvaluationError(
                f"{path}: {source.count:,} vectors, but {dataset.name} has {len(order):,} pictures with a caption. "
                "Without ids there is one row for each picture, in the order in which the captions name them."
            )
        if len(order) < len(dataset.images):
            raise EvaluationError(
                f"{dataset.name} has {len(dataset.images) - len(order):,} pictures without a caption, so the order of "
                f"the rows of {path} is not known. Name the rows in a file of ids."
            )
        notice = f"{path}: row 0 is {order[0]}, row {len(order) - 1} is {order[-1]}, in the order of {dataset.name}."
        notices = (notice,) if any(caption.text for caption in dataset.captions) else ()  # not for plain pairs
        return replace(dataset, images=order), UnitVectors(source), notices
    rows, order = _named_rows(names, dataset.images, path, "pictures")
    left_out = len(names) - len(order)
    left = (f"{path}: {left_out:,} vectors are of pictures that are not in {dataset.name}.",) if left_out else ()
    if len(order) == len(names):
        return replace(dataset, images=order), UnitVectors(source), left
    used = np.zeros(len(names), dtype=np.bool_)
    used[rows] = True
    return replace(dataset, images=order), UnitVectors(source, used), left


def _named_rows(
    names: Sequence[str], wanted: Sequence[str], path: Path, kind: str
) -> tuple[list[int], tuple[str, ...]]:
    """Return the rows of the wanted names, ascending, and these names in the order of the rows."""
    matcher = NameMatcher(wanted)
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        known = matcher.find(name)
        if known is not None and rows.setdefault(known, row) != row:
            raise BadVectorFile(path, f"rows {rows[known]} and {row} (from 0) have the same id {name!r}")
    missing = tuple(name for name in wanted if name not in rows)
    if missing:
        raise EvaluationError(
            f"{path}: no vectors for {len(missing):,} of {len(wanted):,} {kind}: {first_names(missing)}. "
            f"The first ids of the file are: {first_names(tuple(names[:3]))}"
        )
    return list(rows.values()), tuple(rows)


def _caption_rows(source: VectorSource, dataset: Dataset) -> list[int] | None:
    """Return the row of each caption; None if the rows are in the order of the data set."""
    wanted = [caption.id for caption in dataset.captions]
    names = _names(source)
    if names is not None:
        rows, found = _named_rows(names, wanted, source.path, "captions")
        by_name = dict(zip(found, rows, strict=True))
        return [by_name[name] for name in wanted]
    if source.count == len(wanted):
        return None
    if dataset.whole is not None and source.count == len(dataset.whole.captions):
        return dataset.rows_in_whole()
    raise EvaluationError(
        f"{source.path}: {source.count:,} vectors, but {describe_captions(dataset)}. Without ids there is one row for "
        "each caption, in the order of the data set."
    )


def _order_of_appearance(dataset: Dataset) -> tuple[str, ...]:
    """Return the images that have a caption, in the order in which the captions name them."""
    return tuple(dict.fromkeys(image for caption in dataset.captions for image in caption.images))


def _names(source: VectorSource) -> list[str] | None:
    """Return the names of all rows; None if the rows have none."""
    if source.names is None and not any(file.names for file in source.files):
        return None
    return [str(name) for names, _ in source for name in names]
