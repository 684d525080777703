"""Read and write vectors and names in Parquet files, a block at a time. The extra `parquet` installs pyarrow."""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile, ExtraMissing
from core.frames import FIRST_FRAME
from store.exchange.vector_file import (
    BLOCK_SIZE,
    COMMON_ID_COLUMNS,
    COMMON_PATH_COLUMNS,
    ItemName,
    NameList,
    VectorFile,
    frame_number,
)

__all__ = ["ParquetColumns", "ParquetWriter", "open_parquet", "parquet_names"]

VECTOR_COLUMN, PATH_COLUMN, ID_COLUMN, BYTES_COLUMN = "embedding", "path", "id", "name_bytes"
"""The columns of exported files. `BYTES_COLUMN` has the names that are not UTF-8."""

FRAME_COLUMN = "frame"
"""A column with the numbers of frames from 0, in exports of spaces in which a file has several. A column of this name
that does not have integers is ignored."""

_MAGIC = b"PAR1"

_NUMBERED_COLUMN = re.compile(r"(.*?)(0|[1-9][0-9]*)", re.DOTALL)

COMMON_VECTOR_COLUMNS = (VECTOR_COLUMN, "embeddings", "vector", "vectors", "emb", "image_embedding", "img_emb")


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
        vectors = _vector_columns(path, schema, columns)
        first = next((block for block in _blocks(path, vectors)), None)
    if first is None:
        raise BadVectorFile(path, "no vectors")
    names = NameList(path, lambda: parquet_names(path, columns)) if columns.named(schema.names) else None
    return VectorFile(path, count, first.shape[1], first.dtype, lambda: _blocks(path, vectors), names)


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
        raise BadVectorFile(path, _fault(path, exc)) from exc


def _fault(path: Path, exc: Exception) -> str:
    """Return why pyarrow could not read a file."""
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == _MAGIC
    except OSError as unreadable:
        return unreadable.strerror or str(unreadable)
    if not is_parquet:
        return "not a Parquet file; the suffixes .parquet and .pq stand for this format"
    if isinstance(exc, NotImplementedError):
        return "not a readable Parquet file: it uses a compression or a type that the installed pyarrow cannot read"
    return "not a readable Parquet file: it is damaged or cut off"


def _has_frames(schema: Any, named: Sequence[tuple[str, bool]]) -> bool:
    """Return whether a column has the numbers of frames. It is none of those that name the rows."""
    import pyarrow.types as kinds

    if FRAME_COLUMN not in schema.names or FRAME_COLUMN in (name for name, _ in named):
        return False
    return bool(kinds.is_integer(schema.field(FRAME_COLUMN).type))


def _vector_columns(path: Path, schema: Any, columns: ParquetColumns) -> list[str]:
    """Return the column of lists of floats, or the columns of floats that are numbered: one for each dimension."""
    import pyarrow.types as kinds

    lists = [
        field.name
        for field in schema
        if (kinds.is_list(field.type) or kinds.is_large_list(field.type) or kinds.is_fixed_size_list(field.type))
        and kinds.is_floating(field.type.value_type)
    ]
    series = _numbered_columns(field.name for field in schema if kinds.is_floating(field.type))
    if columns.vector in series:
        return series[columns.vector]
    column = columns.vectors(lists)
    if column is None and not lists and len(series) == 1:
        return next(iter(series.values()))
    if column is None:
        fault = f"Several columns contain vectors: {', '.join(lists)}." if lists else "No column contains vectors."
        present = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise BadVectorFile(path, f"{fault} Vectors are lists of floats. Columns: {present}.")
    _require(path, [*lists, *series], [column])
    return [column]


def _numbered_columns(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the series of columns such as emb_0, emb_1, ..., by what precedes the number; they begin at 0 or 1."""
    numbered: dict[str, dict[int, str]] = {}
    for name in names:
        match = _NUMBERED_COLUMN.fullmatch(name)
        if match is not None:
            numbered.setdefault(match[1], {})[int(match[2])] = name
    return {
        prefix: [of_prefix[number] for number in sorted(of_prefix)]
        for prefix, of_prefix in numbered.items()
        if len(of_prefix) > 1 and min(of_prefix) <= 1 and max(of_prefix) - min(of_prefix) == len(of_prefix) - 1
    }


def _require(path: Path, present: Sequence[str], names: Sequence[str]) -> None:
    for name in names:
        if name not in present:
            raise BadVectorFile(path, f"Unknown column {name!r}. Choose from: {', '.join(present)}.")


def _blocks(path: Path, columns: Sequence[str]) -> Iterator[NDArray[np.floating]]:
    """Yield (n, D) vectors from one column of lists, or from D columns of numbers."""
    with _open(path) as file:
        row = 0
        dim = None
        for batch in file.iter_batches(BLOCK_SIZE, columns=list(columns)):
            if len(columns) > 1:
                yield _stacked(path, row, [batch.column(name) for name in columns])
            else:
                dim = dim or next((length for length in batch.column(0).value_lengths().to_pylist() if length), 0)
                yield _matrix(path, row, batch.column(0), dim)
            row += len(batch)


def _stacked(path: Path, row: int, numbers: Sequence[Any]) -> NDArray[np.floating]:
    """Return the columns `numbers` as (n, D) vectors; `row` is the number of the first one."""
    for column in numbers:
        if column.null_count:
            raise BadVectorFile(path, f"row {row + column.is_null().to_pylist().index(True)}: a number is missing")
    return np.stack([column.to_numpy(zero_copy_only=False) for column in numbers], axis=1)  # (n, D)


def _matrix(path: Path, row: int, lists: Any, dim: int) -> NDArray[np.floating]:
    """Return lists of `dim` numbers as (n, D) vectors; `row` is the number of the first one."""
    lengths = lists.value_lengths().to_pylist()  # a null list has no length
    for number, length in enumerate(lengths, start=row):
        if length is None or not dim:
            raise BadVectorFile(path, f"row {number}: the vector is missing or empty")
        if length != dim:
            raise BadVectorFile(path, f"row {number}: {length} numbers instead of {dim}")
    values = lists.flatten()
    if values.null_count:
        first = values.is_null().to_pylist().index(True) // dim
        raise BadVectorFile(path, f"row {row + first}: a number is missing")
    matrix: NDArray[np.floating] = values.to_numpy(zero_copy_only=False).reshape(len(lists), dim)
    return matrix


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
