"""Vectors in files as people have them: `.npy`, Parquet, the folders of clip-retrieval and those of an export.

clip-retrieval writes `img_emb/img_emb_0.npy`, ... and `metadata/metadata_0.parquet`, ... with a column `image_path`
(https://github.com/rom1504/clip-retrieval); numbers may be padded with zeros, and all files may lie in one folder.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from store.exchange.columns import Columns
from store.exchange.names import Name, number_names, read_names
from store.exchange.npy import open_npy
from store.exchange.parquet import open_parquet, parquet_names
from store.exchange.vector_file import Names, Part

__all__ = ["ITEMS", "VECTORS", "VectorSource", "open_vectors", "read_vectors"]

VECTORS, ITEMS = "vectors.npy", "items.jsonl"
"""The files of an export."""

_PARTS = re.compile(r"(img|text)_emb_(\d+)\.npy")


@dataclass(frozen=True)
class VectorSource:
    """Vectors with their names, to be read a block at a time; made by `open_vectors`."""

    path: Path
    parts: Sequence[Part]
    names: Names | None = None
    """Names of all vectors, in place of those that the parts bring."""

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return sum(part.count for part in self.parts)

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self.parts[0].dim

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the numbers."""
        return self.parts[0].dtype

    def __iter__(self) -> Iterator[tuple[list[Name], NDArray[np.floating]]]:
        """Blocks of n names and (n, D) vectors. Raises `BadVectorFile` when there are more of one than of the other."""
        if self.names is not None:
            yield from _paired(self.names, self.count, chain.from_iterable(part.blocks() for part in self.parts))
            return
        for part in self.parts:
            numbered = Names(part.path, lambda part=part: number_names(part.count))  # type: ignore[misc]
            yield from _paired(part.names or numbered, part.count, part.blocks())


def open_vectors(
    path: Path | str, names: Path | str | None = None, *, as_paths: bool = False, columns: Columns | None = None
) -> VectorSource:
    """The vectors at `path`: a file `.npy` or `.parquet`, or a folder that clip-retrieval or an export wrote.

    `names` is a file that lists whose they are (see `read_names`); without it, and if nothing beside the vectors says
    it, they are numbered from 0. `columns` says which columns of a Parquet file to read.
    Raises `BadVectorFile`, or `ExtraMissing` for Parquet without pyarrow.
    """
    path, columns = Path(path), columns or Columns()
    parts = _folder(path, columns, named=names is not None) if path.is_dir() else [_file(path, columns)]
    for part in parts:
        part.require_like(parts[0])
    if names is None:
        return VectorSource(path, parts)
    listed = Path(names)
    return VectorSource(path, parts, Names(listed, lambda: read_names(listed, as_paths=as_paths)))


def read_vectors(
    path: Path | str, names: Path | str | None = None, *, columns: Columns | None = None
) -> tuple[list[str] | None, NDArray[np.float32]]:
    """All vectors at `path` at once, such as those of queries: their names, and (N, D) in 32 bits, as they are.

    The names are None when nothing says them. Arguments and errors are those of `open_vectors`.
    """
    source = open_vectors(path, names, columns=columns)
    found = np.empty((source.count, source.dim), np.float32)
    called: list[str] = []
    for block, vectors in source:
        found[len(called) : len(called) + len(block)] = vectors
        called.extend(str(name) for name in block)
    named = source.names is not None or any(part.names for part in source.parts)
    return called if named else None, found


def _file(path: Path, columns: Columns) -> Part:
    if not path.exists():
        raise BadVectorFile(path, "there is no such file or folder")
    return open_parquet(path, columns) if path.suffix in (".parquet", ".pq") else open_npy(path)


def _folder(folder: Path, columns: Columns, *, named: bool) -> list[Part]:
    exported = folder / VECTORS
    if exported.exists():
        items = folder / ITEMS
        return [replace(open_npy(exported), names=Names(items, lambda: read_names(items)))]
    inner = folder / "img_emb"
    numbered = _numbered(inner if inner.is_dir() else folder)
    if not numbered:
        raise BadVectorFile(folder, f"holds neither {VECTORS} nor files img_emb_NUMBER.npy")
    return [_with_metadata(numbered[number], columns, named=named) for number in sorted(numbered)]


def _numbered(folder: Path) -> dict[int, Path]:
    """The files of clip-retrieval in `folder`, by number: those of pictures, else those of texts."""
    try:
        names = [(found, file) for file in folder.iterdir() if (found := _PARTS.fullmatch(file.name))]
    except OSError as exc:
        raise BadVectorFile(folder, exc.strerror or str(exc)) from exc
    by_kind = {kind: {int(found[2]): file for found, file in names if found[1] == kind} for kind in ("img", "text")}
    return by_kind["img"] or by_kind["text"]


def _with_metadata(file: Path, columns: Columns, *, named: bool) -> Part:
    part = open_npy(file)
    if named:
        return part
    name = f"metadata_{file.stem.rpartition('_')[2]}.parquet"
    candidates = (file.parent / name, file.parent.parent / "metadata" / name)
    metadata = next((candidate for candidate in candidates if candidate.exists()), None)
    if metadata is None:
        raise BadVectorFile(file, f"no {name} says whose vectors these are; give a list of ids or paths")
    return replace(part, names=Names(metadata, lambda: parquet_names(metadata, columns)))


def _paired(
    names: Names, count: int, blocks: Iterable[NDArray[np.floating]]
) -> Iterator[tuple[list[Name], NDArray[np.floating]]]:
    """Names and vectors side by side; there must be as many of one as of the other."""
    reading = names.read()
    read = 0
    for vectors in blocks:
        block = list(islice(reading, len(vectors)))
        read += len(block)
        if len(block) < len(vectors):
            raise BadVectorFile(names.path, f"names {read:,} of {count:,} vectors")
        if not all(name.value and b"\0" not in name.value for name in block):
            raise BadVectorFile(names.path, f"a name among rows {read - len(block):,} to {read - 1:,} is empty")
        yield block, vectors
    surplus = sum(1 for _ in reading)
    if surplus:
        raise BadVectorFile(names.path, f"has {read + surplus:,} names for {count:,} vectors")
