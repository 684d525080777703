"""The file of cached query vectors next to the catalogue, and the latest of them for measuring recall.

`search.query_cache` writes it. It has digests of the texts, not the texts.
"""

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

__all__ = ["CACHE_FILE", "connect", "recent_queries", "seal", "unseal"]

CACHE_FILE = "queries.sqlite"
_CHECKSUM_BYTES = 8
"""Bytes of a checksum before each vector. The file is written without syncing, so a power cut can damage it."""


def recent_queries(folder: Path, fingerprint: str, dim: int, limit: int) -> NDArray[np.float32]:
    """Return the unit vectors (n, `dim`) of the last `limit` texts asked in a space; none if the file is unusable."""
    statement = "SELECT key, vector FROM asked WHERE space = ? ORDER BY id DESC LIMIT ?"
    try:
        with closing(connect(folder / CACHE_FILE, "ro")) as database:
            rows = database.execute(statement, (fingerprint, limit)).fetchall()
    except (sqlite3.Error, OSError):
        rows = []
    vectors = [vector for key, sealed in rows if (vector := unseal(key, sealed, dim)) is not None]
    return np.stack(vectors) if vectors else np.empty((0, dim), np.float32)


def connect(file: Path, mode: str) -> sqlite3.Connection:
    """Open the file, without waiting for locks."""
    return sqlite3.connect(f"file:{quote(os.fsencode(file))}?mode={mode}", uri=True, timeout=0)


def seal(key: bytes, vector: NDArray[np.float32]) -> bytes:
    """Return a vector (D,) as it is stored, after a checksum."""
    blob = np.ascontiguousarray(vector, "<f4").tobytes()
    return _checksum(key, blob) + blob


def unseal(key: bytes, sealed: object, dim: int) -> NDArray[np.float32] | None:
    """Return the vector (D,) in `sealed`; None if its checksum does not match."""
    if (
        not isinstance(sealed, bytes)
        or len(sealed) != _CHECKSUM_BYTES + 4 * dim
        or _checksum(key, sealed[_CHECKSUM_BYTES:]) != sealed[:_CHECKSUM_BYTES]
    ):
        return None
    return np.frombuffer(sealed, "<f4", offset=_CHECKSUM_BYTES).astype(np.float32)


def _checksum(key: bytes, blob: bytes) -> bytes:
    return hashlib.blake2b(key + blob, digest_size=_CHECKSUM_BYTES).digest()
