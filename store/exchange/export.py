"""A space given out: its vectors as `.npy`, bit for bit as they are kept, and a line of JSON for each of them.

OUT/vectors.npy      (N, D), of the dtype of the space
OUT/items.jsonl      whose they are, in the same order: `path` of a picture, or `id` of a document
OUT/space.json       model, weights, preprocessing: what makes the vectors comparable
OUT/vectors.parquet  the same vectors and names once more, if asked for

Memory is that of a few thousand vectors. The folder appears under its name when all of it is written.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from sqlalchemy import Connection

from core.errors import DamagedVectors, ExchangeError
from store.exchange.names import Name, as_json
from store.exchange.parquet import ParquetVectors
from store.exchange.sources import ITEMS, VECTORS
from store.exchange.vector_file import BLOCK
from store.library import Library
from store.queries import ContentRecord, content_records_in
from store.spaces.embeddings import iter_vectors, searchable_ids
from store.spaces.registry import StoredSpace

__all__ = ["PARQUET", "SPACE", "export_space"]

SPACE, PARQUET = "space.json", "vectors.parquet"


def export_space(
    library: Library,
    stored: StoredSpace,
    folder: Path,
    *,
    parquet: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Writes every vector of the space that a search can find into `folder`, which must not be there yet.

    Copies of a picture share a vector and are one row, under the path that was known first. Returns how many vectors
    there are. Raises `ExchangeError` when the folder is there or cannot be written, or when the space is damaged, and
    `ExtraMissing` for Parquet without pyarrow.
    """
    if os.path.lexists(folder):
        raise ExchangeError(f"{folder} is there already; name a folder to be made")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        draft.mkdir(parents=True)
        try:
            vectors = _write(library, stored, draft, parquet, advance)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as exc:
        raise ExchangeError(f"{folder} cannot be written: {exc.strerror or exc}") from exc
    return vectors


def _write(library: Library, stored: StoredSpace, folder: Path, parquet: bool, advance: Callable[[int], None]) -> int:
    """Fills `folder` from one view of the catalogue; returns the number of vectors."""
    with library.read() as connection, ExitStack() as files:
        ids = searchable_ids(connection, stored)
        numbers = files.enter_context((folder / VECTORS).open("wb"))
        items = files.enter_context((folder / ITEMS).open("w", encoding="utf-8"))
        columns = None
        if parquet:
            columns = files.enter_context(ParquetVectors(folder / PARQUET, stored.space.dim, stored.storage))
        shape = (len(ids), stored.space.dim)
        npy_format.write_array_header_1_0(
            numbers, {"descr": stored.storage.str, "fortran_order": False, "shape": shape}
        )
        for names, vectors in _rows(connection, stored, ids):
            numbers.write(vectors.tobytes())
            items.writelines(as_json(name) + "\n" for name in names)
            if columns is not None:
                columns.write(names, vectors)
            advance(len(names))
    facts = {**asdict(stored.space), "fingerprint": stored.space.fingerprint, "dtype": stored.dtype, "count": len(ids)}
    (folder / SPACE).write_text(json.dumps(facts, indent=2) + "\n")
    return len(ids)


def _rows(
    connection: Connection, stored: StoredSpace, ids: NDArray[np.int64]
) -> Iterator[tuple[list[Name], NDArray[np.floating]]]:
    """Names and (n, D) vectors of `ids`, in their order, which is ascending."""
    for start in range(0, len(ids), BLOCK):
        wanted = ids[start : start + BLOCK]
        records = content_records_in(connection, wanted.tolist())
        parts = list(iter_vectors(connection, stored, wanted))
        found = np.concatenate([ids for ids, _ in parts])
        order = np.argsort(found)
        if not np.array_equal(found[order], wanted):
            raise DamagedVectors(str(stored.space))
        yield (
            [_name(records[content_id]) for content_id in wanted.tolist()],
            np.concatenate([v for _, v in parts])[order],
        )


def _name(record: ContentRecord) -> Name:
    if record.document is not None:
        return Name(os.fsencode(record.document))
    return Name(os.fsencode(record.paths[0]), is_path=True)
