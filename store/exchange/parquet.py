"""Vectors and names in Parquet files, read and written a block at a time. pyarrow comes with the extra `parquet`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile, ExtraMissing
from store.exchange.columns import BYTES, ID, PATH, VECTOR, Columns
from store.exchange.names import Name
from store.exchange.vector_file import BLOCK, Names, Part

__all__ = ["ParquetVectors", "open_parquet", "parquet_names"]


def open_parquet(path: Path, columns: Columns) -> Part:
    """The vectors of the Parquet file `path`, and their names if it has any.

    Raises `BadVectorFile`, or `ExtraMissing` without pyarrow.
    """
    with _open(path) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
        column = _vector_column(path, schema, columns)
        first = next((block for block in _blocks(path, column)), None)
    if first is None:
        raise BadVectorFile(path, "holds no vectors")
    names = Names(path, lambda: parquet_names(path, columns)) if columns.named(schema.names) else None
    return Part(path, count, first.shape[1], first.dtype, lambda: _blocks(path, column), names)


def parquet_names(path: Path, columns: Columns) -> Iterator[Name]:
    """What the rows of the Parquet file `path` are called. Raises as `open_parquet` does."""
    with _open(path) as file:
        present = file.schema_arrow.names
        named = columns.named(present)
        if not named:
            raise BadVectorFile(path, f"no column names the rows; it has {', '.join(present)}")
        _require(path, present, [name for name, _ in named])
        exact = [BYTES] if BYTES in present else []
        row = 0
        for batch in file.iter_batches(BLOCK, columns=[*(name for name, _ in named), *exact]):
            for record in batch.to_pylist():
                yield _name(path, row, record, named)
                row += 1


class ParquetVectors:
    """Writes vectors of `dim` numbers with their names to the file `path`. Use it in a `with` statement."""

    def __init__(self, path: Path, dim: int, dtype: np.dtype[np.floating]) -> None:
        pyarrow, parquet = _pyarrow()
        self._pyarrow = pyarrow
        self._dim = dim
        numbers = pyarrow.from_numpy_dtype(dtype.newbyteorder("="))
        self._schema = pyarrow.schema(
            [
                (PATH, pyarrow.string()),
                (ID, pyarrow.string()),
                (BYTES, pyarrow.binary()),
                (VECTOR, pyarrow.list_(numbers, dim)),
            ]
        )
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, names: Sequence[Name], vectors: NDArray[np.floating]) -> None:
        """Adds (n, D) vectors."""
        numbers = self._pyarrow.array(np.ascontiguousarray(vectors, vectors.dtype.newbyteorder("=")).reshape(-1))
        arrays = [
            self._pyarrow.array([str(name) if name.is_path else None for name in names], self._pyarrow.string()),
            self._pyarrow.array([None if name.is_path else str(name) for name in names], self._pyarrow.string()),
            self._pyarrow.array(
                [None if str(name).encode() == name.value else name.value for name in names], self._pyarrow.binary()
            ),
            self._pyarrow.FixedSizeListArray.from_arrays(numbers, self._dim),
        ]
        self._writer.write_batch(self._pyarrow.record_batch(arrays, schema=self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()


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
        raise BadVectorFile(path, f"is no Parquet file that can be read ({exc})") from exc


def _vector_column(path: Path, schema: Any, columns: Columns) -> str:
    import pyarrow.types as kinds

    lists = [
        field.name
        for field in schema
        if (kinds.is_list(field.type) or kinds.is_large_list(field.type) or kinds.is_fixed_size_list(field.type))
        and kinds.is_floating(field.type.value_type)
    ]
    column = columns.vectors(lists)
    if column is None:
        found = f"several columns hold lists of floats ({', '.join(lists)})" if lists else "no column holds vectors"
        raise BadVectorFile(path, f"{found}; it has {', '.join(schema.names)}")
    _require(path, lists, [column])
    return column


def _require(path: Path, present: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in present:
            raise BadVectorFile(path, f"has no such column: {name}; there are {', '.join(present)}")


def _blocks(path: Path, column: str) -> Iterator[NDArray[np.floating]]:
    with _open(path) as file:
        row = 0
        dim = None
        for batch in file.iter_batches(BLOCK, columns=[column]):
            lists = batch.column(0)
            lengths = set(lists.value_lengths().to_pylist())  # a null list has no length
            dim = dim or next(iter(lengths))
            values = lists.flatten()
            if lengths != {dim} or not dim or values.null_count:
                last = row + len(lists) - 1
                raise BadVectorFile(path, f"among rows {row} to {last}, a vector is missing or of another length")
            yield values.to_numpy(zero_copy_only=False).reshape(len(lists), dim)
            row += len(lists)


def _name(path: Path, row: int, record: dict[str, Any], named: Sequence[tuple[str, bool]]) -> Name:
    for column, is_path in named:
        value = record[column]
        if value is None or value == "":
            continue
        exact = record.get(BYTES)
        if exact is None:
            exact = value if isinstance(value, bytes) else os.fsencode(str(value))
        return Name(exact, is_path)
    raise BadVectorFile(path, f"row {row} has no name")
