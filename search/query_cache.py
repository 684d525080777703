"""Vectors of words that were asked before, kept on disk: a question asked again need not load the model.

A convenience and nothing else. It lies beside the catalogue in a file of its own, which no lock of the library guards:
one that is damaged, busy, full or on a read-only disk is passed over in silence, and the model asked as ever. Words are
kept as a digest, not as they are.
"""

import hashlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder

__all__ = ["QueryCache"]

FILE = "queries.sqlite"
MOST = 10_000
"""Vectors that are kept, the last ones asked: 256 numbers each are 12 MB."""

_TABLE = "CREATE TABLE IF NOT EXISTS asked (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB UNIQUE, vector BLOB)"
_CHECK = 8
"""Bytes of a digest before each vector: a power cut may leave anything in a file that nobody waited for."""


class QueryCache:
    """What `folder` remembers; without a folder, nothing. Safe to share between threads and processes."""

    def __init__(self, folder: Path | None = None, most: int = MOST) -> None:
        self._file = None if folder is None else folder / FILE
        self._most = most

    def texts(self, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
        """The unit vectors (N, D) of `texts`, remembered or embedded now. Raises as `Encoder.encode_texts` does."""
        keys = [_key(encoder, text) for text in texts]
        known = self._recall(keys, encoder.space.dim)
        new = [row for row, key in enumerate(keys) if key not in known]
        if new:
            made = encoder.encode_texts([texts[row] for row in new])  # (n, D)
            fresh = {keys[row]: vector for row, vector in zip(new, made, strict=True)}
            self._keep(fresh)
            known |= fresh
        return np.stack([known[key] for key in keys]) if keys else encoder.encode_texts([])

    def _recall(self, keys: Sequence[bytes], dim: int) -> dict[bytes, NDArray[np.float32]]:
        """What is remembered of `keys`; nothing if the file cannot be read right now."""
        found: dict[bytes, NDArray[np.float32]] = {}
        try:
            with closing(self._connect("ro")) as database:
                for key in keys:
                    row = database.execute("SELECT vector FROM asked WHERE key = ?", (key,)).fetchone()
                    vector = None if row is None else _sound(key, row[0], dim)
                    if vector is not None:
                        found[key] = vector
        except (sqlite3.Error, OSError):
            pass
        return found

    def _keep(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Remembers `vectors`, unless the file cannot be written right now. One that is damaged is begun anew."""
        if self._file is None:
            return
        rows = [(key, _sealed(key, vector)) for key, vector in vectors.items()]
        try:
            with closing(self._connect("rwc")) as database:
                database.execute("PRAGMA synchronous = OFF")  # nobody waits for a disk; what comes of it is checked
                with database:
                    database.execute(_TABLE)
                    database.executemany("INSERT OR REPLACE INTO asked (key, vector) VALUES (?, ?)", rows)
                    database.execute("DELETE FROM asked WHERE id <= (SELECT max(id) FROM asked) - ?", (self._most,))
        except (sqlite3.OperationalError, OSError):  # busy, full, read-only
            pass
        except sqlite3.Error:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _connect(self, mode: str) -> sqlite3.Connection:
        """The file, without waiting for anyone."""
        if self._file is None:
            raise FileNotFoundError(FILE)
        return sqlite3.connect(f"file:{quote(os.fsencode(self._file))}?mode={mode}", uri=True, timeout=0)


def _key(encoder: Encoder, text: str) -> bytes:
    told = f"\0{encoder.language}" if encoder.language else ""
    return hashlib.sha256(f"{encoder.space.fingerprint}{told}\0{text}".encode()).digest()


def _sealed(key: bytes, vector: NDArray[np.float32]) -> bytes:
    blob = np.ascontiguousarray(vector, "<f4").tobytes()
    return _check(key, blob) + blob


def _sound(key: bytes, sealed: object, dim: int) -> NDArray[np.float32] | None:
    """The vector (D,) in `sealed`, if it is what was sealed under `key`."""
    if (
        not isinstance(sealed, bytes)
        or len(sealed) != _CHECK + 4 * dim
        or _check(key, sealed[_CHECK:]) != sealed[:_CHECK]
    ):
        return None
    return np.frombuffer(sealed, "<f4", offset=_CHECK).astype(np.float32)


def _check(key: bytes, blob: bytes) -> bytes:
    return hashlib.blake2b(key + blob, digest_size=_CHECK).digest()
