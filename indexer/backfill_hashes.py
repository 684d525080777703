"""A look at pictures that were taken in before their looks were kept: their files are read once more.

The bytes must still be those that the catalogue knows; otherwise they are left to the next run.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import and_, select

from core.errors import PictureError
from pictures.decode import DecodeSettings, decode
from pictures.perceptual_hash import HASH_VERSION, SIDE, perceptual_hash
from store.catalog.likeness import Likeness
from store.catalog.tables import Content, Picture, State
from store.library import Library
from store.near_duplicates.groups import Look, note_looks
from store.roots import Place, within

__all__ = ["look_again"]

PAGE = 500
"""Pictures looked at between two transactions."""


class _Unseen(NamedTuple):
    """A content without a hash, and a file of it."""

    content_id: int
    digest: bytes
    relpath: bytes


def look_again(library: Library, place: Place, settings: DecodeSettings, workers: int) -> int:
    """Hashes every picture of `place` that has no hash of this version yet; returns how many.

    The caller holds the writer lock.
    """
    seen = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="sightline-looker") as pool:
        for page in _unseen(library, place):
            looks = pool.map(lambda unseen: _look(place.root, unseen, settings), page)
            found = {unseen.content_id: look for unseen, look in zip(page, looks, strict=True) if look is not None}
            with library.write() as connection:
                note_looks(connection, found)
            seen += len(found)
    return seen


def _unseen(library: Library, place: Place) -> Iterator[list[_Unseen]]:
    """Pages of what is to be looked at, by content."""
    last = 0
    while True:
        hashed = and_(Likeness.content_id == Content.id, Likeness.version == HASH_VERSION)
        statement = (
            select(Content.id, Content.digest, Picture.relpath)
            .join(Picture, Picture.content_id == Content.id)
            .where(*within(place), Picture.state == State.PRESENT, Content.id > last)
            .where(~select(Likeness.content_id).where(hashed).exists())
            .group_by(Content.id)
            .order_by(Content.id)
            .limit(PAGE)
        )
        with library.read() as connection:
            page = [_Unseen(*row) for row in connection.execute(statement)]
        if not page:
            return
        yield page
        last = page[-1].content_id


def _look(root: Path, unseen: _Unseen, settings: DecodeSettings) -> Look | None:
    """What a file shows; None when it is gone, cannot be read, or holds something else by now."""
    try:
        data = (root / os.fsdecode(unseen.relpath)).read_bytes()
        if hashlib.sha256(data).digest() != unseen.digest:
            return None
        return Look(HASH_VERSION, perceptual_hash(decode(data, settings, shortest_side=SIDE).image))
    except OSError:
        return None
    except PictureError as exc:
        return None if exc.transient else Look(HASH_VERSION, None)
