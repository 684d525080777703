"""A cache of query vectors on disk: a repeated query does not load the model.

The cache is a separate file next to the catalogue and needs no lock of the library. If it is damaged, busy, full or
read-only, it is ignored silently and the model is used. It stores digests of the texts, not the texts.
"""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from store.remembered_queries import CACHE_FILE, connect, seal, unseal

__all__ = ["QueryCache"]

MAX_CACHED_VECTORS = 10_000
"""The most recent ones are kept. With 256 numbers each, they take 12 MB."""

_TABLE = "CREATE TABLE IF NOT EXISTS asked (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB UNIQUE, vector BLOB)"
_SPACE = "ALTER TABLE asked ADD COLUMN space TEXT"
"""The fingerprint of the space; files of earlier versions do not have it."""


class QueryCache:
    """The cache in `folder`; without a folder, nothing is cached. Safe to share between threads and processes."""

    def __init__(self, folder: Path | None = None, max_vectors: int = MAX_CACHED_VECTORS) -> None:
        self._file = None if folder is None else folder / CACHE_FILE
        self._max_vectors = max_vectors

    def texts(self, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors (N, D) of `texts`, cached or embedded now. Raises as `Encoder.encode_texts` does."""
        keys = [_key(encoder, text) for text in texts]
        vectors = self._read(keys, encoder.space.dim)
        missing = [row for row, key in enumerate(keys) if key not in vectors]
        if missing:
            embedded = encoder.encode_texts([texts[row] for row in missing])  # (n, D)
            new = {keys[row]: vector for row, vector in zip(missing, embedded, strict=True)}
            self._write(new, encoder.space.fingerprint)
            vectors |= new
        return np.stack([vectors[key] for key in keys]) if keys else encoder.encode_texts([])

    def _read(self, keys: Sequence[bytes], dim: int) -> dict[bytes, NDArray[np.float32]]:
        """Return the cached vectors of `keys`; none if the file cannot be read now."""
        vectors: dict[bytes, NDArray[np.float32]] = {}
        try:
            with closing(self._connect("ro")) as database:
                for key in keys:
                    row = database.execute("SELECT vector FROM asked WHERE key = ?", (key,)).fetchone()
                    vector = None if row is None else unseal(key, row[0], dim)
                    if vector is not None:
                        vectors[key] = vector
        except (sqlite3.Error, OSError):
            pass
        return vectors

    def _write(self, vectors: Mapping[bytes, NDArray[np.float32]], space: str) -> None:
        """Store `vectors` of the space with this fingerprint. A damaged file is deleted.

        Nothing is stored if the file cannot be written now.
        """
        if self._file is None:
            return
        rows = [(key, seal(key, vector), space) for key, vector in vectors.items()]
        try:
            with closing(self._connect("rwc")) as database:
                database.execute("PRAGMA synchronous = OFF")  # damage is detected by the checksums
                with database:
                    database.execute(_TABLE)
                    if "space" not in {column[1] for column in database.execute("PRAGMA table_info(asked)")}:
                        database.execute(_SPACE)
                    database.executemany("INSERT OR REPLACE INTO asked (key, vector, space) VALUES (?, ?, ?)", rows)
                    delete_old = "DELETE FROM asked WHERE id <= (SELECT max(id) FROM asked) - ?"
                    database.execute(delete_old, (self._max_vectors,))
        except (sqlite3.OperationalError, OSError):  # busy, full, read-only
            pass
        except sqlite3.Error:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _connect(self, mode: str) -> sqlite3.Connection:
        """Open the file, without waiting for locks."""
        if self._file is None:
            raise FileNotFoundError(CACHE_FILE)
        return connect(self._file, mode)


def _key(encoder: Encoder, text: str) -> bytes:
    language = f"\0{encoder.language}" if encoder.language else ""
    version = f"\0\0{encoder.text_version}" if encoder.text_version else ""
    return hashlib.sha256(f"{encoder.space.fingerprint}{version}{language}\0{text}".encode()).digest()
