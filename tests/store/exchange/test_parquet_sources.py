"""Reading vectors from Parquet files, and malformed ones."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.errors import BadVectorFile, ExtraMissing
from store.exchange import ItemName, ParquetColumns, open_vectors
from store.exchange.vector_file import BLOCK_SIZE
from tests.support.parquet_files import lists, table
from tests.support.vectors import everything, unit_vectors

WriteVectors = Callable[..., tuple[Path, Path | None]]


@pytest.mark.parametrize("kind", ["list", "large", "fixed"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_parquet_column_of_lists(tmp_path: Path, kind: str, dtype: str) -> None:
    vectors = unit_vectors(BLOCK_SIZE + 5, 4, dtype)
    ids = [f"d{number}" for number in range(len(vectors))]
    source = open_vectors(table(tmp_path / "v.parquet", emb=lists(vectors, kind), id=ids))
    names, found = everything(source)
    assert (source.count, source.dim, source.dtype) == (BLOCK_SIZE + 5, 4, np.dtype(dtype))
    assert found.tobytes() == vectors.tobytes()
    assert names == [ItemName(name.encode()) for name in ids]


@pytest.mark.parametrize(
    ("columns", "chosen", "name"),
    [
        ({"url": ["u"], "note": ["n"]}, ParquetColumns(), ItemName(b"u")),
        ({"image_path": ["a.jpg"], "id": ["i"]}, ParquetColumns(), ItemName(b"a.jpg", True)),
        ({"image_path": ["a.jpg"], "note": ["n"]}, ParquetColumns(id="note"), ItemName(b"n")),
        ({"image_path": ["a.jpg"], "note": ["n"]}, ParquetColumns(path="note"), ItemName(b"n", True)),
        ({"path": [None], "id": [17]}, ParquetColumns(), ItemName(b"17")),
        ({"id": [b"caf\xe9"]}, ParquetColumns(), ItemName(b"caf\xe9")),
        ({"note": ["n"]}, ParquetColumns(), ItemName(b"0")),
    ],
)
def test_parquet_columns_that_name_rows(
    tmp_path: Path, columns: dict[str, Any], chosen: ParquetColumns, name: ItemName
) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(1)), **columns)
    assert everything(open_vectors(file, columns=chosen))[0] == [name]


def test_parquet_column_that_contains_the_vectors(tmp_path: Path) -> None:
    first, second = unit_vectors(2), unit_vectors(2, seed=1)
    file = table(tmp_path / "v.parquet", embedding=lists(first), other=lists(second), tags=[[1], [2]])
    assert (everything(open_vectors(file))[1] == first).all()
    assert (everything(open_vectors(file, columns=ParquetColumns(vector="other")))[1] == second).all()


def test_list_of_names_replaces_the_names_of_the_file(tmp_path: Path, write_vectors: WriteVectors) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(2)), id=["a", "b"])
    _, listed = write_vectors(unit_vectors(1), [b"x", b"y"])
    assert everything(open_vectors(file, listed))[0] == [ItemName(b"x"), ItemName(b"y")]


def ragged(*rows: Sequence[float | None] | None) -> pa.Array:
    return pa.array(list(rows), pa.list_(pa.float32()))


@pytest.mark.parametrize(
    ("columns", "chosen", "fault"),
    [
        ({"emb": ragged([1, 2], [3])}, ParquetColumns(), "row 1: 1 numbers instead of 2"),
        ({"emb": ragged([1, 2], None)}, ParquetColumns(), "row 1: the vector is missing"),
        ({"emb": ragged([1, 2], [3, None])}, ParquetColumns(), "row 1: a number is missing"),
        ({"emb": ragged([], [])}, ParquetColumns(), "row 0: the vector is missing or empty"),
        ({"emb": ragged()}, ParquetColumns(), "no vectors"),
        ({"x": ragged([1]), "y": ragged([1])}, ParquetColumns(), "Several columns contain vectors: x, y"),
        ({"x": [1.0]}, ParquetColumns(), r"No column contains vectors\. .* Columns: x \(double\)"),
        ({"0": [1.0, 2.0], "1": [1.0, None]}, ParquetColumns(), "row 1: a number is missing"),
        ({"0": [1.0], "2": [1.0]}, ParquetColumns(), "No column contains vectors"),
        ({"a0": [1.0], "a1": [1.0], "b0": [1.0], "b1": [1.0]}, ParquetColumns(), "No column contains vectors"),
        ({"text": ["[1, 2]"]}, ParquetColumns(), r"Columns: text \(string\)"),
        ({"x": [[1, 2]]}, ParquetColumns(), "No column contains vectors"),
        ({"emb": ragged([1])}, ParquetColumns(vector="nope"), "Unknown column 'nope'"),
        ({"emb": ragged([1]), "id": [None]}, ParquetColumns(), "row 0 has no name"),
        ({"emb": ragged([1]), "id": [""]}, ParquetColumns(), "row 0 has no name"),
        ({"emb": ragged([1])}, ParquetColumns(id="nope"), "Unknown column 'nope'"),
    ],
)
def test_parquet_without_usable_vectors_is_rejected(
    tmp_path: Path, columns: dict[str, Any], chosen: ParquetColumns, fault: str
) -> None:
    file = table(tmp_path / "v.parquet", **columns)
    with pytest.raises(BadVectorFile, match=fault):
        everything(open_vectors(file, columns=chosen))


@pytest.mark.parametrize(("prefix", "first"), [("", 0), ("emb_", 0), ("dim ", 1)])
def test_one_column_for_each_dimension_is_read(tmp_path: Path, prefix: str, first: int) -> None:
    vectors = unit_vectors(12, 11)
    columns = {f"{prefix}{number}": vectors[:, number - first] for number in reversed(range(first, first + 11))}
    ids = [f"i{row}" for row in range(12)]
    file = table(tmp_path / "v.parquet", id=ids, rating=[1.5] * 12, **columns)
    names, read = everything(open_vectors(file))
    assert [name.value.decode() for name in names] == ids
    assert np.array_equal(read, vectors)
    other = table(tmp_path / "w.parquet", id=ids, other0=vectors[:, 0], other1=vectors[:, 1], **columns)
    assert np.array_equal(everything(open_vectors(other, columns=ParquetColumns(vector=prefix)))[1], vectors)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not a Parquet file"),
        (b"PAR1", "not a readable Parquet file: it is damaged"),
        (b"text", "not a Parquet file"),
    ],
)
def test_file_that_is_not_parquet_is_rejected(tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "v.parquet").write_bytes(content)
    with pytest.raises(BadVectorFile, match=fault):
        open_vectors(tmp_path / "v.parquet")


def test_missing_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(1)))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtraMissing, match=r"sightline\[parquet\]"):
        open_vectors(file)
