"""Open vectors in `.npy` and Parquet files, in folders written by clip-retrieval, and in exports.

clip-retrieval writes `img_emb/img_emb_0.npy`, ... and `metadata/metadata_0.parquet`, ... with a column `image_path`
(https://github.com/rom1504/clip-retrieval). The numbers can have leading zeros, and all files can be in one folder.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from store.exchange.npy import open_npy
from store.exchange.parquet import ParquetColumns, open_parquet, parquet_names
from store.exchange.vector_file import ItemName, NameList, VectorFile, numbered_names, read_names

__all__ = ["ITEMS_FILENAME", "VECTORS_FILENAME", "VectorSource", "open_vectors", "read_vectors"]

VECTORS_FILENAME, ITEMS_FILENAME = "vectors.npy", "items.jsonl"
"""The files of an export that are read again."""

_CLIP_RETRIEVAL_FILE = re.compile(r"(img|text)_emb_(\d+)\.npy")


@dataclass(frozen=True)
class VectorSource:
    """Vectors with their names, which are read a block at a time. `open_vectors` creates it."""

    path: Path
    files: Sequence[VectorFile]
    names: NameList | None = None
    """Names of all vectors, which replace the names that the files have."""

    @property
    def count(self) -> int:
        """The number of vectors."""
        return sum(file.count for file in self.files)

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        return self.files[0].dim

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The dtype of the vectors."""
        return self.files[0].dtype

    def __iter__(self) -> Iterator[tuple[list[ItemName], NDArray[np.floating]]]:
        """Yield blocks of n names and (n, D) vectors. Raises `BadVectorFile` if their numbers differ."""
        if self.names is not None:
            yield from _paired(self.names, self.count, chain.from_iterable(file.blocks() for file in self.files))
            return
        for file in self.files:
            numbered = NameList(file.path, lambda file=file: numbered_names(file.count))  # type: ignore[misc]
            yield from _paired(file.names or numbered, file.count, file.blocks())


def open_vectors(
    path: Path | str, names: Path | str | None = None, *, as_paths: bool = False, columns: ParquetColumns | None = None
) -> VectorSource:
    """Open the vectors at `path`: a `.npy` or `.parquet` file, or a folder that clip-retrieval or an export wrote.

    `names` is a file of names (see `read_names`). Without it, names are read from the file or a file next to it, else
    vectors are numbered from 0. `columns` selects the columns of a Parquet file.

    Raises `BadVectorFile`, or `ExtraMissing` for Parquet without pyarrow.
    """
    path, columns = Path(path), columns or ParquetColumns()
    files = _folder(path, columns, named=names is not None) if path.is_dir() else [_file(path, columns)]
    for file in files:
        file.require_same_type(files[0])
    if names is None:
        return VectorSource(path, files)
    listed = Path(names)
    return VectorSource(path, files, NameList(listed, lambda: read_names(listed, as_paths=as_paths)))


def read_vectors(
    path: Path | str, names: Path | str | None = None, *, columns: ParquetColumns | None = None
) -> tuple[list[str] | None, NDArray[np.float32]]:
    """Read all vectors at `path`, such as those of queries: their names, and (N, D) float32, not normalized.

    Vectors without names have None in place of the list. Arguments and errors are those of `open_vectors`.
    """
    source = open_vectors(path, names, columns=columns)
    matrix = np.empty((source.count, source.dim), np.float32)
    all_names: list[str] = []
    for block, vectors in source:
        matrix[len(all_names) : len(all_names) + len(block)] = vectors
        all_names.extend(str(name) for name in block)
    has_names = source.names is not None or any(file.names for file in source.files)
    return all_names if has_names else None, matrix


def _file(path: Path, columns: ParquetColumns) -> VectorFile:
    if not path.exists():
        raise BadVectorFile(path, "no such file or folder")
    return open_parquet(path, columns) if path.suffix in (".parquet", ".pq") else open_npy(path)


def _folder(folder: Path, columns: ParquetColumns, *, named: bool) -> list[VectorFile]:
    exported = folder / VECTORS_FILENAME
    if exported.exists():
        items = folder / ITEMS_FILENAME
        return [replace(open_npy(exported), names=NameList(items, lambda: read_names(items)))]
    inner = folder / "img_emb"
    numbered = _clip_retrieval_files(inner if inner.is_dir() else folder)
    if not numbered:
        raise BadVectorFile(folder, f"The folder contains neither {VECTORS_FILENAME} nor files img_emb_NUMBER.npy.")
    return [_with_metadata(numbered[number], columns, named=named) for number in sorted(numbered)]


def _clip_retrieval_files(folder: Path) -> dict[int, Path]:
    """The files of clip-retrieval in `folder` by number: image embeddings, else text embeddings."""
    try:
        matches = [(match, path) for path in folder.iterdir() if (match := _CLIP_RETRIEVAL_FILE.fullmatch(path.name))]
    except OSError as exc:
        raise BadVectorFile(folder, exc.strerror or str(exc)) from exc
    by_kind = {kind: {int(match[2]): path for match, path in matches if match[1] == kind} for kind in ("img", "text")}
    return by_kind["img"] or by_kind["text"]


def _with_metadata(path: Path, columns: ParquetColumns, *, named: bool) -> VectorFile:
    file = open_npy(path)
    if named:
        return file
    name = f"metadata_{path.stem.rpartition('_')[2]}.parquet"
    candidates = (path.parent / name, path.parent.parent / "metadata" / name)
    metadata = next((candidate for candidate in candidates if candidate.exists()), None)
    if metadata is None:
        raise BadVectorFile(
            path, f"There are no names for these vectors: {name} is missing. Give a list of IDs or paths."
        )
    return replace(file, names=NameList(metadata, lambda: parquet_names(metadata, columns)))


def _paired(
    names: NameList, count: int, blocks: Iterable[NDArray[np.floating]]
) -> Iterator[tuple[list[ItemName], NDArray[np.floating]]]:
    """Yield names with vectors. Raises `BadVectorFile` if their numbers differ."""
    names_left = names.read()
    read = 0
    for vectors in blocks:
        block = list(islice(names_left, len(vectors)))
        read += len(block)
        if len(block) < len(vectors):
            raise BadVectorFile(names.path, f"{read:,} names for {count:,} vectors; each vector needs a name")
        empty = next((row for row, name in enumerate(block) if not name.value or b"\0" in name.value), None)
        if empty is not None:
            raise BadVectorFile(names.path, f"the name of row {read - len(block) + empty} is empty")
        yield block, vectors
    surplus = sum(1 for _ in names_left)
    if surplus:
        raise BadVectorFile(names.path, f"{read + surplus:,} names for {count:,} vectors; each name needs a vector")
