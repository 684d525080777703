"""Arrays that are filled row by row; an interrupted step continues where it stopped."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files import atomic_writer

__all__ = ["fill"]


def fill(
    folder: Path,
    source: object,
    shapes: Mapping[str, tuple[tuple[int, ...], type[np.generic]]],
    rows: int,
    chunk: int,
    compute: Callable[[range], Iterator[tuple[str, NDArray[np.generic]]]],
) -> Iterator[int]:
    """Fill the files `NAME.npy` in `folder` with `rows` rows of the given shapes and types, `chunk` rows at a time.

    `compute` returns the rows of a range for each file. Yields the number of rows that are filled, after each chunk.
    `rows.json` in `folder` has it for a later run. `source` says what the rows are computed from, such as names of
    pictures and the digest of weights, as values that JSON has. Files of another source, number of rows, shape or type
    are overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record, digest = folder / "rows.json", hashlib.sha256(json.dumps(source).encode()).hexdigest()
    fits = all(_fits(folder / f"{name}.npy", (rows, *shape), dtype) for name, (shape, dtype) in shapes.items())
    done = _recorded(record, digest) if fits else 0
    if not done:
        record.unlink(missing_ok=True)  # before the files are emptied
    mode = "r+" if done else "w+"
    files = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", mode, dtype, (rows, *shape))
        for name, (shape, dtype) in shapes.items()
    }
    for start in range(done, rows, chunk):
        todo = range(start, min(start + chunk, rows))
        for name, values in compute(todo):
            files[name][todo.start : todo.stop] = values
            files[name].flush()
        with atomic_writer(record, durable=False) as file:
            file.write(json.dumps({"source": digest, "rows": todo.stop}).encode())
        yield todo.stop


def _recorded(record: Path, digest: str) -> int:
    """Return how many rows of the same source are filled."""
    found = json.loads(record.read_text()) if record.exists() else None
    return int(found["rows"]) if isinstance(found, dict) and found["source"] == digest else 0


def _fits(file: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> bool:
    if not file.exists():
        return False
    found = np.load(file, mmap_mode="r")
    return found.shape == shape and found.dtype == dtype
