"""Export a space: its vectors as a `.npy` file, bit for bit, and a line of JSON for each of them.

OUT/vectors.npy      (N, D), of the dtype of the space
OUT/items.jsonl      their names in the same order: `path` of a picture, or `id` of a document, and the number of a
                     further `frame`, such as a page, from 1
OUT/space.json       model, weights and preprocessing, which identify the space
OUT/vectors.parquet  the same vectors and names, if requested

The first frames of all pictures come before all further ones. Memory is that of a few thousand vectors. The folder gets
its name when it is complete.
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
from store.catalog.frame_ids import content_of, has_further_frames, number_of
from store.exchange.parquet import ParquetWriter
from store.exchange.sources import ITEMS_FILENAME, VECTORS_FILENAME
from store.exchange.vector_file import BLOCK_SIZE, ItemName, name_to_json
from store.library import Library
from store.queries import ContentRecord, content_records_in
from store.spaces.embeddings import iter_vectors, searchable_ids
from store.spaces.registry import StoredSpace

__all__ = ["PARQUET_FILENAME", "SPACE_FILENAME", "export_space"]

SPACE_FILENAME, PARQUET_FILENAME = "space.json", "vectors.parquet"


def export_space(
    library: Library,
    stored: StoredSpace,
    folder: Path,
    *,
    parquet: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Write every searchable vector of the space to the new folder `folder`; return the number of vectors.

    There is one row for each frame. Copies of a picture share their rows, which have the path that was indexed first.
    Raises `ExchangeError` if the folder exists or cannot be written, `DamagedVectors`, and `ExtraMissing` for Parquet
    without pyarrow.
    """
    if os.path.lexists(folder):
        raise ExchangeError(f"{folder} already exists. Choose a folder that does not exist yet.")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        draft.mkdir(parents=True)
        try:
            vectors = _write(library, stored, draft, parquet, advance)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as exc:
        raise ExchangeError(f"Cannot write {folder}: {exc.strerror or exc}") from exc
    return vectors


def _write(library: Library, stored: StoredSpace, folder: Path, parquet: bool, advance: Callable[[int], None]) -> int:
    """Fill `folder` from one view of the catalogue; return the number of vectors."""
    with library.read() as connection, ExitStack() as files:
        ids = searchable_ids(connection, stored)
        numbers = files.enter_context((folder / VECTORS_FILENAME).open("wb"))
        items = files.enter_context((folder / ITEMS_FILENAME).open("w", encoding="utf-8"))
        columns = None
        if parquet:
            writer = ParquetWriter(
                folder / PARQUET_FILENAME, stored.space.dim, stored.storage, frames=has_further_frames(ids)
            )
            columns = files.enter_context(writer)
        shape = (len(ids), stored.space.dim)
        npy_format.write_array_header_1_0(
            numbers, {"descr": stored.storage.str, "fortran_order": False, "shape": shape}
        )
        for names, vectors in _rows(connection, stored, ids):
            numbers.write(vectors.tobytes())
            items.writelines(name_to_json(name) + "\n" for name in names)
            if columns is not None:
                columns.write(names, vectors)
            advance(len(names))
    description = {
        **asdict(stored.space),
        "fingerprint": stored.space.fingerprint,
        "dtype": stored.dtype,
        "count": len(ids),
    }
    (folder / SPACE_FILENAME).write_text(json.dumps(description, indent=2) + "\n")
    return len(ids)


def _rows(
    connection: Connection, stored: StoredSpace, ids: NDArray[np.int64]
) -> Iterator[tuple[list[ItemName], NDArray[np.floating]]]:
    """Yield names and (n, D) vectors of the ascending `ids`."""
    for start in range(0, len(ids), BLOCK_SIZE):
        block = ids[start : start + BLOCK_SIZE]
        records = content_records_in(connection, np.unique(content_of(block)).tolist())
        parts = list(iter_vectors(connection, stored, block))
        found = np.concatenate([ids for ids, _ in parts])
        order = np.argsort(found)
        if not np.array_equal(found[order], block):
            raise DamagedVectors(str(stored.space))
        yield (
            [_name(records[content_of(frame)], number_of(frame)) for frame in block.tolist()],
            np.concatenate([v for _, v in parts])[order],
        )


def _name(record: ContentRecord, frame: int) -> ItemName:
    if record.document is not None:
        return ItemName(os.fsencode(record.document), frame=frame)
    return ItemName(os.fsencode(record.paths[0]), is_path=True, frame=frame)
