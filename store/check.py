"""Is a library whole? `verify` says what is wrong, `repair` mends it; neither reads a picture nor embeds anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sqlalchemy import Connection, delete, func, select, text

from core.errors import IndexFault, LibraryUnusable, SightlineError
from store.catalog.tables import (
    Content,
    Embedding,
    IndexGeneration,
    Picture,
    Root,
    RootKind,
    SpaceRow,
    State,
    VectorFailure,
)
from store.library import Library, bump
from store.near_duplicates.groups import broken, reset_broken, update_stacks
from store.queries import embeddings, findable_ids
from store.spaces import index_cache
from store.spaces.index_engines import open_index
from store.spaces.registry import StoredSpace, active_space, list_spaces, revision_of
from store.spaces.vector_index import Ids, VectorIndex

__all__ = ["Fault", "repair", "verify"]

UNIT_TOLERANCE = 2e-3
"""How far from one a stored length may be: rounding each of D numbers to 16 bits moves it by less than 5e-4."""


CHUNK = 5_000
"""Vectors compared at a time."""


@dataclass(frozen=True)
class Fault:
    """Something that is not as it should be."""

    kind: Literal["catalogue", "index", "vectors", "unembedded", "duplicates"]
    detail: str


def verify(library: Library) -> list[Fault]:
    """Everything that is wrong with the library; empty when it is whole.

    Checks the database itself, every vector (size, finite, unit length), every index file (bit for bit, then number by
    number against the catalogue), that every present picture can be found in the active space, and that every member of
    a group of near-duplicates is near its anchor.
    """
    faults = list(_catalogue_faults(library))
    if faults:
        return faults  # nothing read from a damaged database can be trusted
    for stored, _, active in list_spaces(library):
        faults.extend(_vector_faults(library, stored))
        faults.extend(_index_faults(library, stored))
        if active and not stored.space.is_imported:  # such a space holds what was imported and takes in no more
            faults.extend(_unembedded(library, stored))
    faults.extend(_group_faults(library))
    return faults


def repair(library: Library) -> list[str]:
    """Mends what can be mended without pictures; says what was done. The caller holds the writer lock.

    Malformed vectors are dropped (the next index run embeds those pictures again), contents that no file holds any more
    are removed, damaged or outdated index files are made anew from the catalogue, and near-duplicates that are in no
    sound group are compared again. Raises `LibraryUnusable` when the database itself is damaged.
    """
    for fault in _catalogue_faults(library):
        raise LibraryUnusable(
            library.path, f"{fault.detail}; restore it from a backup, or index again into a new library"
        )
    done: list[str] = []
    for stored, _, _ in list_spaces(library):
        with library.write() as connection:
            bad = _malformed(connection, stored)
            for content_id in bad:
                key = (Embedding.space_id == stored.id, Embedding.content_id == content_id)
                connection.execute(delete(Embedding).where(*key))
            if bad:
                bump(connection, stored.id)
                again = "import them again" if stored.space.is_imported else "index again to embed them"
                done.append(f"dropped {len(bad)} malformed vectors of {stored.space}; {again}")
        rebuild = bool(bad or list(_index_faults(library, stored)))
        if rebuild or not index_cache.load(library, stored).published:
            index = index_cache.publish(library, stored, rebuild=rebuild).index
            what = "rebuilt the index of" if rebuild else "brought up to date the index of"
            done.append(f"{what} {stored.space} from the catalogue: {len(index)} vectors")
    with library.write() as connection:
        removed = remove_orphans(connection)
    if removed:
        done.append(f"removed {removed} contents that no file holds any more")
    done.extend(_regrouped(library))
    done.extend(f"deleted the stray file {path.name}" for path in index_cache.remove_strays(library))
    return done


def _regrouped(library: Library) -> Iterator[str]:
    with library.write() as connection:
        reset = reset_broken(connection)
    active = active_space(library)
    if reset and active is not None:
        update_stacks(library, active)
        yield f"compared {reset} near-duplicates again"


def remove_orphans(connection: Connection) -> int:
    """Removes contents (and their vectors) that no picture, present or missing, holds any more; returns how many."""
    held = select(Picture.id).where(Picture.content_id == Content.id)
    return connection.execute(delete(Content).where(~held.exists())).rowcount


def _catalogue_faults(library: Library) -> Iterator[Fault]:
    try:
        with library.read() as connection:
            if connection.dialect.name != "sqlite":
                return
            for (problem,) in connection.execute(text("PRAGMA integrity_check")):
                if problem != "ok":
                    yield Fault("catalogue", str(problem))
            for row in connection.execute(text("PRAGMA foreign_key_check")):
                yield Fault("catalogue", f"{row[0]} row {row[1]} points to a row of {row[2]} that is not there")
    except SightlineError as exc:
        yield Fault("catalogue", str(exc))


def _vector_faults(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    with library.read() as connection:
        bad = _malformed(connection, stored)
    if bad:
        yield Fault("vectors", f"{len(bad)} vectors of {stored.space} are malformed (contents {_some(bad)})")


def _malformed(connection: Connection, stored: StoredSpace) -> list[int]:
    """Contents whose vector has the wrong size, a value that is not finite, or not unit length."""
    statement = select(Embedding.content_id).where(Embedding.space_id == stored.id).order_by(Embedding.content_id)
    everything = np.fromiter(connection.execute(statement).scalars(), dtype=np.int64)
    sound = [np.empty(0, np.int64)]
    for ids, vectors in embeddings(connection, stored, everything):
        lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
        sound.append(ids[np.abs(lengths - 1) < UNIT_TOLERANCE])
    return [int(content_id) for content_id in np.setdiff1d(everything, np.concatenate(sound))]


def _index_faults(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    """The file of one space against the catalogue."""
    with library.read() as connection:
        wanted = findable_ids(connection, stored)
        revision = revision_of(connection, stored)
        row = connection.execute(
            select(IndexGeneration.__table__).where(IndexGeneration.space_id == stored.id)
        ).one_or_none()
        if row is None:
            filling = connection.scalar(select(SpaceRow.filling_since).where(SpaceRow.id == stored.id))
            if len(wanted) and filling is None:  # which will have one in the end
                yield Fault("index", f"{stored.space} has no index file")
            return
        path = library.indexes / row.filename
        try:
            index_cache.check_file(path, row.vectors, row.checksum)
            index = open_index(stored, path, mapped=True)
        except (IndexFault, OSError, RuntimeError) as exc:
            yield Fault("index", str(exc))
            return
        if row.revision == revision and not np.array_equal(np.sort(index.ids()), wanted):
            yield Fault("index", f"{path.name} holds {len(index)} vectors, and {len(wanted)} pictures can be found")
        # One that is merely behind (a run was stopped, or is under way) is no fault: whoever reads it catches up.
        yield from _disagreements(connection, stored, index, path.name)


def _disagreements(connection: Connection, stored: StoredSpace, index: VectorIndex, name: str) -> Iterator[Fault]:
    """The vectors of a file, number by number, against those of the catalogue."""
    ids = index.ids()
    for start in range(0, len(ids), CHUNK):
        some, vectors = ids[start : start + CHUNK], index.vectors(start, start + CHUNK)
        order = np.argsort(some)
        for found, kept in embeddings(connection, stored, some):
            rows = order[np.searchsorted(some, found, sorter=order)]
            different = found[(vectors[rows] != kept.astype(np.float32)).any(axis=1)]
            if len(different):
                detail = f"{name} differs from the catalogue in {len(different)} vectors ({_some(different)})"
                yield Fault("index", detail)


def _unembedded(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    vector = select(Embedding.content_id).where(
        Embedding.space_id == stored.id, Embedding.content_id == Picture.content_id
    )
    fault = select(VectorFailure.content_id).where(
        VectorFailure.space_id == stored.id, VectorFailure.content_id == Picture.content_id
    )
    files = select(Root.id).where(Root.kind == RootKind.FOLDER)
    statement = select(func.count(Picture.id)).where(
        Picture.root_id.in_(files), Picture.state == State.PRESENT, ~vector.exists(), ~fault.exists()
    )
    with library.read() as connection:
        number = connection.scalar(statement) or 0
    if number:
        yield Fault("unembedded", f"{number} present pictures have no vector in {stored.space}; index again")


def _group_faults(library: Library) -> Iterator[Fault]:
    with library.read() as connection:
        bad = broken(connection)
    if bad:
        yield Fault("duplicates", f"{len(bad)} pictures are in no sound group of near-duplicates ({_some(bad)})")


def _some(ids: Sequence[int] | Ids) -> str:
    shown = ", ".join(str(int(number)) for number in ids[:5])
    return shown + (", ..." if len(ids) > 5 else "")
