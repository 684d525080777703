"""Remembers what was added to XMP sidecars, because only that is removed from them."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pictures.metadata.xmp_sidecar import Additions, EditedSidecar
from store.library import Library
from store.written_sidecars import SaidFile, WrittenFile, forget_written, record_written

__all__ = ["digest_of", "remember_additions", "remember_losses"]


def digest_of(data: bytes) -> bytes:
    """Return by what a sidecar is recognised."""
    return hashlib.sha256(data).digest()


def remember_additions(
    library: Library, file: SaidFile, sidecar: Path, edited: EditedSidecar, tags: Sequence[str]
) -> None:
    """Record what has been added to a sidecar, which was written for `tags`."""
    added = {**edited.additions.to_json(), "tags": list(tags)}
    before, written = file.written, WrittenFile(os.fsencode(sidecar.name), digest_of(edited.data), added)
    while (other := record_written(library, file.picture_id, written, before)) is not None:
        written, before = replace(written, added=_united(other, written)), other


def remember_losses(library: Library, file: SaidFile, sidecar: Path, edited: EditedSidecar) -> None:
    """Record which additions are no longer there: if they come back, another program wrote them."""
    written = file.written
    if written is None:
        return
    if not os.path.lexists(sidecar.with_name(os.fsdecode(written.name))):
        forget_written(library, file.picture_id)
    elif written.name == os.fsencode(sidecar.name) and edited.additions != Additions.from_json(written.added):
        added = {**written.added, **edited.additions.to_json()}
        record_written(library, file.picture_id, replace(written, added=added), written)


def _united(other: WrittenFile, written: WrittenFile) -> Mapping[str, Any]:
    """Return what two runs at once have added to a sidecar."""
    if other.name != written.name:
        return written.added
    theirs, ours = Additions.from_json(other.added), Additions.from_json(written.added)
    items = {
        name: tuple(dict.fromkeys((*theirs.items.get(name, ()), *ours.items.get(name, ()))))
        for name in theirs.items.keys() | ours.items.keys()
    }
    latest = theirs if ours.rating is None else ours
    return {**written.added, **Additions(items, latest.rating, latest.replaced).to_json()}
