"""Read and write vectors and names in Parquet files, a block at a time. The extra `parquet` installs pyarrow."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile, ExtraMissing
from core.frames import FIRST_FRAME
from store.exchange.vector_file import BLOCK_SIZE, ItemName, NameList, VectorFile, frame_number

__all__ = ["ParquetColumns", "ParquetWriter", "open_parquet", "parquet_names"]

VECTOR_COLUMN, PATH_COLUMN, ID_COLUMN, BYTES_COLUMN = "embedding", "path", "id", "name_bytes"
"""The columns of exported files. `BYTES_COLUMN` has the names that are not UTF-8."""

FRAME_COLUMN = "frame"
"""A column with the numbers of frames from 0, in exports of spaces in which a file has several. A column of this name
that does not have integers is ignored."""

COMMON_VECTOR_COLUMNS = (VECTOR_COLUMN, "embeddings", "vector", "vectors", "emb", "image_embedding", "img_emb")
COMMON_PATH_COLUMNS = ("image_path", PATH_COLUMN, "file_path", "filepath", "file_name", "filename", "file")
COMMON_ID_COLUMNS = (ID_COLUMN, "image_id", "doc_id", "docid", "key", "uid", "url")


@dataclass(frozen=True)
class ParquetColumns:
    """Names of columns. For None, the columns are searched for a common name."""

    vector: str | None = None
    path: str | None = None
    """Paths of files."""
    id: str | None = None
    """IDs of documents, also for rows whose path is null."""

    def named(self, present: Collection[str]) -> list[tuple[str, bool]]:
        """Return the columns of `present` that name a row, and whether each contains paths, in order of preference."""
        given = [(self.path, True), (self.id, False)]
        if any(name for name, _ in given):
            return [(name, is_path) for name, is_path in given if name]
        found = [
            (_first_present(COMMON_PATH_COLUMNS, present), True),
            (_first_present(COMMON_ID_COLUMNS, present), False),
        ]
        return [(name, is_path) for name, is_path in found if name]

    def vectors(self, lists: Collection[str]) -> str | None:
        """Return the column of `lists` (the columns of numbers) that contains the vectors; None if it is not clear."""
        only = next(iter(lists)) if len(lists) == 1 else None
        return self.vector or _first_present(COMMON_VECTOR_COLUMNS, lists) or only


def open_parquet(path: Path, columns: ParquetColumns) -> VectorFile:
    """Open the vectors of the Parquet file `path`, and their names if it has any.

    Raises `BadVectorFile`, or `ExtraMissing` without pyarrow.
    """
    with _open(path) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
        column = _vector_column(path, schema, columns)
        first = next((block for block in _blocks(path, column)), None)
    if first is None:
        raise BadVectorFile(path, "no vectors")
    names = NameList(path, lambda: parquet_names(path, columns)) if columns.named(schema.names) else None
    return VectorFile(path, count, first.shape[1], first.dtype, lambda: _blocks(path, column), names)


def parquet_names(path: Path, columns: ParquetColumns) -> Iterator[ItemName]:
    """Yield the names of the rows of the Parquet file `path`. Raises as `open_parquet` does."""
    with _open(path) as file:
        present = file.schema_arrow.names
        named = columns.named(present)
        if not named:
            raise BadVectorFile(path, f"No column contains names. Columns: {', '.join(present)}.")
        _require(path, present, [name for name, _ in named])
        exact = [BYTES_COLUMN] if BYTES_COLUMN in present else []
        frame = [FRAME_COLUMN] if _has_frames(file.schema_arrow, named) else []
        row = 0
        for batch in file.iter_batches(BLOCK_SIZE, columns=[*(name for name, _ in named), *exact, *frame]):
            for record in batch.to_pylist():
                number = frame_number(path, f"row {row}", record[FRAME_COLUMN]) if frame else FIRST_FRAME
                yield _name(path, row, record, named)._replace(frame=number)
                row += 1


class ParquetWriter:
    """Writes vectors of `dim` dimensions and their names to the file `path`. Use it in a `with` statement.

    With `frames`, the file has a column for their numbers.
    """

    def __init__(self, path: Path, dim: int, dtype: np.dtype[np.floating], *, frames: bool = False) -> None:
        pyarrow, parquet = _pyarrow()
        self._pyarrow = pyarrow
        self._dim = dim
        self._frames = frames
        numbers = pyarrow.from_numpy_dtype(dtype.newbyteorder("="))
        self._schema = pyarrow.schema(
            [
                (PATH_COLUMN, pyarrow.string()),
                (ID_COLUMN, pyarrow.string()),
                (BYTES_COLUMN, pyarrow.binary()),
                *([(FRAME_COLUMN, pyarrow.int32())] if frames else []),
                (VECTOR_COLUMN, pyarrow.list_(numbers, dim)),
            ]
        )
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, names: Sequence[ItemName], vectors: NDArray[np.floating]) -> None:
        """Append n names and (n, D) vectors."""
        numbers = self._pyarrow.array(np.ascontiguousarray(vectors, vectors.dtype.newbyteorder("=")).reshape(-1))
        arrays = [
            self._pyarrow.array([str(name) if name.is_path else None for name in names], self._pyarrow.string()),
            self._pyarrow.array([None if name.is_path else str(name) for name in names], self._pyarrow.string()),
            self._pyarrow.array(
                [None if str(name).encode() == name.value else name.value for name in names], self._pyarrow.binary()
            ),
            *([self._pyarrow.array([name.frame for name in names], self._pyarrow.int32())] if self._frames else []),
            self._pyarrow.FixedSizeListArray.from_arrays(numbers, self._dim),
        ]
        self._writer.write_batch(self._pyarrow.record_batch(arrays, schema=self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def _first_present(common: Collection[str], present: Collection[str]) -> str | None:
    """The first of the `common` names that is `present`."""
    return next((name for name in common if name in present), None)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as exc:
        raise ExtraMissing("Parquet", "parquet") from exc
    return pyarrow, parquet


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    pyarrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (OSError, UnicodeError, pyarrow.ArrowException) as exc:
        raise BadVectorFile(path, f"not a readable Parquet file ({exc})") from exc


def _has_frames(schema: Any, named: Sequence[tuple[str, bool]]) -> bool:
    """Return whether a column has the numbers of frames. It is none of those that name the rows."""
    import pyarrow.types as kinds

    if FRAME_COLUMN not in schema.names or FRAME_COLUMN in (name for name, _ in named):
        return False
    return bool(kinds.is_integer(schema.field(FRAME_COLUMN).type))


def _vector_column(path: Path, schema: Any, columns: ParquetColumns) -> str:
    import pyarrow.types as kinds

    lists = [
        field.name
        for field in schema
        if (kinds.is_list(field.type) or kinds.is_large_list(field.type) or kinds.is_fixed_size_list(field.type))
        and kinds.is_floating(field.type.value_type)
    ]
    column = columns.vectors(lists)
    if column is None:
        fault = f"Several columns contain vectors: {', '.join(lists)}." if lists else "No column contains vectors."
        raise BadVectorFile(path, f"{fault} Columns: {', '.join(schema.names)}.")
    _require(path, lists, [column])
    return column


def _require(path: Path, present: Sequence[str], names: Sequence[str]) -> None:
    for name in names:
        if name not in present:
            raise BadVectorFile(path, f"Unknown column {name!r}. Choose from: {', '.join(present)}.")


def _blocks(path: Path, column: str) -> Iterator[NDArray[np.floating]]:
    with _open(path) as file:
        row = 0
        dim = None
        for batch in file.iter_batches(BLOCK_SIZE, columns=[column]):
            lists = batch.column(0)
            lengths = set(lists.value_lengths().to_pylist())  # a null list has no length
            dim = dim or next(iter(lengths))
            values = lists.flatten()
            if lengths != {dim} or not dim or values.null_count:
                last = row + len(lists) - 1
                raise BadVectorFile(path, f"a vector in rows {row} to {last} is missing or has another dimension")
            yield values.to_numpy(zero_copy_only=False).reshape(len(lists), dim)
            row += len(lists)


def _name(path: Path, row: int, record: dict[str, Any], named: Sequence[tuple[str, bool]]) -> ItemName:
    for column, is_path in named:
        value = record[column]
        if value is None or value == "":
            continue
        exact = record.get(BYTES_COLUMN)
        if exact is None:
            exact = value if isinstance(value, bytes) else os.fsencode(str(value))
        return ItemName(exact, is_path)
    raise BadVectorFile(path, f"row {row} has no name")
