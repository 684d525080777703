"""Normalization of imported vectors: which rows are scaled, and which keep every bit."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import BadVectorFile
from store.exchange.checking import normalized_rows
from store.exchange.vector_file import ItemName
from tests.support.vectors import Vectors, unit_vectors

HALF, SINGLE = np.dtype("<f2"), np.dtype("<f4")


def unit(vectors: Vectors, storage: np.dtype[np.floating] = SINGLE, row: int = 0) -> Vectors:
    names = [ItemName(b"n%d" % number) for number in range(len(vectors))]
    return normalized_rows(vectors, storage, Path("v.npy"), row, names)


@pytest.mark.parametrize(("dtype", "storage"), [("float16", HALF), ("float32", SINGLE)])
def test_rows_of_unit_length_keep_every_bit(dtype: str, storage: np.dtype[np.floating]) -> None:
    vectors = unit_vectors(500, 512, dtype)
    assert unit(vectors, storage).tobytes() == vectors.tobytes()


def test_float16_is_only_widened() -> None:
    vectors = unit_vectors(500, 512, "float16")
    assert (unit(vectors, SINGLE) == vectors).all()


def test_float64_is_only_rounded() -> None:
    vectors = unit_vectors(50, 512, "float64")
    assert (unit(vectors) == vectors.astype(np.float32)).all()


def test_only_rows_without_unit_length_are_scaled() -> None:
    vectors = np.array([[0.6, 0.8], [3, 4], [0.5, 0]], np.float32)
    expected = np.array([[0.6, 0.8], [0.6, 0.8], [1, 0]])
    assert np.abs(unit(vectors) - expected).max() < 1e-7
    assert unit(vectors)[0].tobytes() == vectors[0].tobytes()


@pytest.mark.parametrize(
    "row", [np.full(4, 60_000, np.float16), np.full(4, 1e30, np.float32), np.full(4, 1e300), np.full(4, 1e-300)]
)
def test_rows_whose_length_overflows_or_underflows_are_scaled(row: Vectors) -> None:
    assert np.abs(unit(row[None]) - 0.5).max() < 1e-6


@pytest.mark.parametrize(
    ("value", "fault"), [(np.nan, "not finite"), (np.inf, "not finite"), (-np.inf, "not finite"), (0, "is zero")]
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_row_without_direction_is_reported_by_number_and_name(value: float, fault: str, dtype: str) -> None:
    vectors = unit_vectors(5, 4, dtype)
    vectors[3] = value
    with pytest.raises(BadVectorFile, match=rf"row 10003 \(n3\).*{fault}") as caught:
        unit(vectors, row=10_000)
    assert caught.value.path == Path("v.npy")


def test_row_with_one_non_finite_value_is_rejected() -> None:
    vectors = unit_vectors(3, 4)
    vectors[1, 2] = np.nan
    vectors[2, 0] = np.inf
    with pytest.raises(BadVectorFile, match=r"row 1 \(n1\).*1 more"):
        unit(vectors)
