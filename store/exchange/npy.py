"""Read vectors from `.npy` files, a block at a time. Pickled arrays are not read: unpickling can run code."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from store.exchange.vector_file import BLOCK_SIZE, VectorFile

__all__ = ["open_npy"]

_MAGIC = b"\x93NUMPY"

_OTHER_FORMATS = (
    (b"ARROW1", "an Arrow (Feather) file; save the vectors as Parquet (.parquet) or with numpy.save"),
    (b"PAR1", "a Parquet file; give it a name that ends in .parquet"),
    (b"PK\x03\x04", "an archive of arrays (.npz, .pt) instead of one .npy file; save one array with numpy.save"),
    (b"\x89HDF", "an HDF5 file; save the vectors with numpy.save"),
    (b"\x80", "a pickled object, which is not read because unpickling can run code; save the array with numpy.save"),
)
"""How files begin that are taken for `.npy` files, and what they are."""


def open_npy(path: Path) -> VectorFile:
    """Open the (N, D) array of floats in the `.npy` file `path`. Raises `BadVectorFile`."""
    array = _map(path)
    if array.ndim != 2 or not array.size:
        raise BadVectorFile(path, f"an array of shape {array.shape} instead of (N, D)")
    if array.dtype.kind != "f":
        raise BadVectorFile(path, f"an array of {array.dtype} instead of floats; convert it with astype('float32')")
    count, dim = array.shape
    return VectorFile(path, count, dim, array.dtype, blocks=lambda: _blocks(path, count))


def _map(path: Path) -> NDArray[np.floating]:
    _check_format(path)
    try:
        array: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as exc:  # NumPy parses the header as Python, and damage shows as any of its errors
        raise BadVectorFile(path, _fault(path)) from exc
    return array


def _check_format(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as exc:
        raise BadVectorFile(path, exc.strerror or str(exc)) from exc
    if start != _MAGIC:
        known = (name for magic, name in _OTHER_FORMATS if start.startswith(magic))
        raise BadVectorFile(path, f"not a .npy file of vectors, but {next(known, 'in another format')}")


def _fault(path: Path) -> str:
    """Return why NumPy could not map a file with the magic bytes of `.npy`."""
    try:
        with path.open("rb") as file:
            major, _ = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            expected = file.tell() + dtype.itemsize * int(np.prod(shape, dtype=object))
    except Exception:
        return "not a .npy file of vectors: its header is damaged"
    if dtype.hasobject:
        return (
            "a pickled array, which is not read because unpickling can run code. Its rows may differ in length or be "
            "missing. Save a plain array of floats: numpy.save(FILE, array.astype('float32'), allow_pickle=False)"
        )
    size = os.path.getsize(path)  # noqa: PTH202
    if size < expected:
        return f"not a .npy file of vectors: it is cut off after {size:,} of {expected:,} bytes"
    return "not a .npy file of vectors: its array cannot be read"


def _blocks(path: Path, count: int) -> Iterator[NDArray[np.floating]]:
    for start in range(0, count, BLOCK_SIZE):
        # Mapped again for each block: the pages read from one mapping would add up to the whole file.
        yield np.array(_map(path)[start : start + BLOCK_SIZE])
