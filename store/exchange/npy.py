"""Vectors in `.npy` files, read a block at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from store.exchange.vector_file import BLOCK, Part

__all__ = ["open_npy"]


def open_npy(path: Path) -> Part:
    """The (N, D) array in the file `path`, of any floating dtype. Raises `BadVectorFile`; no pickle is ever loaded."""
    array = _map(path)
    if array.ndim != 2 or not array.size:
        raise BadVectorFile(path, f"holds an array of shape {array.shape}, not vectors (N, D)")
    if array.dtype.kind != "f":
        raise BadVectorFile(path, f"holds {array.dtype} numbers; vectors are floats")
    count, dim = array.shape
    return Part(path, count, dim, array.dtype, blocks=lambda: _blocks(path, count))


def _map(path: Path) -> NDArray[np.floating]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as exc:  # NumPy parses the header as Python, and damage shows as any of its errors
        raise BadVectorFile(path, f"is no .npy file of vectors ({exc})") from exc
    if not isinstance(array, np.ndarray):
        raise BadVectorFile(path, "is an archive of arrays; give one .npy file")
    return array


def _blocks(path: Path, count: int) -> Iterator[NDArray[np.floating]]:
    for start in range(0, count, BLOCK):
        # Mapped anew each time: pages of a mapping that have been read would otherwise add up to the whole file.
        yield np.array(_map(path)[start : start + BLOCK])
