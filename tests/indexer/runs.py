"""A model that counts, and what came of a run."""

import os

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from encoders.fake import FakeEncoder
from indexer import Summary
from store import Library
from store.catalog.tables import Embedding, Picture, PictureState


class Counting(FakeEncoder):
    """Counts the pictures it embeds; two at a time, so that runs have several batches."""

    def __init__(self) -> None:
        super().__init__(batch_size=2)
        self.embedded = 0

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.embedded += len(pixels)
        return super().forward_images(pixels)


def numbers(summary: Summary) -> dict[str, int]:
    """What is not zero."""
    names = ("new", "unchanged", "changed", "moved", "restored", "missing", "failed", "duplicates", "embedded")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def vectors(library: Library) -> dict[str, NDArray[np.float32]]:
    """The vector of each present picture, by its path beneath the root."""
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


def expected(encoder: FakeEncoder, *colours: str) -> NDArray[np.float32]:
    return encoder.encode_texts(colours).astype("<f2").astype(np.float32)
