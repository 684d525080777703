"""Copies of an indexed library, an encoder that counts, and the results of index runs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update

from encoders.fake import FakeEncoder
from indexer import Summary
from store import Library
from store.catalog.tables import Embedding, Picture, PictureState, Root
from store.root_places import note_moved

LONG_AGO = 1_700_000_000_000_000_000
"""Modification time of pictures in nanoseconds, so that a copy of their library finds them unchanged."""


@contextmanager
def copied_library(template: Path, path: Path, root: Path) -> Iterator[Library]:
    """Copy a library with one root, and open it for another folder `root`, which has the same files."""
    for file in root.rglob("*.*"):
        os.utime(file, ns=(LONG_AGO, LONG_AGO))
    shutil.copytree(template, path)
    with Library.open(path) as opened:
        with opened.transaction() as connection:
            connection.execute(update(Root).values(path=os.fsencode(root)))
        note_moved(opened, [root])
        yield opened


class CountingEncoder(FakeEncoder):
    """Counts the pictures it embeds. Its batches have two pictures, so that runs have several batches."""

    def __init__(self) -> None:
        super().__init__(batch_size=2)
        self.embedded = 0

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.embedded += len(pixels)
        return super().forward_images(pixels)


def nonzero_counts(summary: Summary) -> dict[str, int]:
    """Return the counts that are not zero."""
    names = ("new", "unchanged", "changed", "moved", "restored", "missing", "failed", "duplicates", "embedded")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def vectors_by_path(library: Library) -> dict[str, NDArray[np.float32]]:
    """Return the vector of each present picture by its path relative to the root."""
    statement = (
        select(Picture.relpath, Embedding.vector)
        .join(Embedding, Embedding.content_id == Picture.content_id)
        .where(Picture.state == PictureState.PRESENT)
    )
    with library.read() as connection:
        return {
            os.fsdecode(row.relpath): np.frombuffer(row.vector, "<f2").astype(np.float32)
            for row in connection.execute(statement)
        }


def expected_vectors(encoder: FakeEncoder, *colours: str) -> NDArray[np.float32]:
    """Return the vectors of `colours` as the catalogue stores them."""
    return encoder.encode_texts(colours).astype("<f2").astype(np.float32)
