"""Parquet files of vectors, as other programs write them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.vectors import Vectors

__all__ = ["lists", "table"]


def lists(vectors: Vectors, kind: str = "list") -> pa.Array:
    """The vectors as a column."""
    flat = pa.array(vectors.reshape(-1))
    if kind == "fixed":
        return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    offsets = np.arange(0, vectors.size + 1, vectors.shape[1])
    if kind == "large":
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), flat)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)


def table(file: Path, /, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), file)
    return file
