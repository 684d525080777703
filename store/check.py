"""Check a library with `verify` and fix it with `repair`. Neither reads pictures nor embeds anything."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, func, select

from core.errors import ExtraMissing, IndexEngineUnavailable, IndexFault, LibraryDamaged, SpaceDropped
from store.catalog.change_feed import Changes, changes_after, is_sole_record
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.catalog.sqlite_backend import DAMAGED_FOLDERS
from store.catalog.tables import (
    Content,
    Embedding,
    Picture,
    PictureState,
    ReplacedContent,
    Root,
    RootKind,
    VectorFailure,
)
from store.derived_columns import correct_derived, find_wrong_blocks, find_wrong_paths
from store.library import Library, Writer, mark_changed
from store.near_duplicates.group_checks import find_broken_groups, reset_broken_groups
from store.near_duplicates.groups import update_near_duplicate_groups
from store.spaces import index_cache
from store.spaces.announced_files import AnnouncedFile, announced_file
from store.spaces.embeddings import delete_vectors, embedded_frames, iter_vectors, searchable_ids
from store.spaces.index_engines import open_index
from store.spaces.registry import StoredSpace, active_space, list_spaces, revision_of
from store.spaces.server_engines.checking import find_differences
from store.spaces.server_engines.leftovers import find_leftovers
from store.spaces.vector_index import DerivedIndex

__all__ = ["Fault", "remove_orphans", "repair", "verify"]

UNIT_TOLERANCE = 2e-3
"""Allowed deviation of the length of a stored vector from one. Rounding to 16 bits changes it by less than 5e-4."""

COMPARE_CHUNK_SIZE = 5_000
"""Vectors of an index file compared with the catalogue at a time."""

MAX_LISTED_IDS = 5
"""IDs listed in the detail of a fault."""


_Lock: TypeAlias = Callable[[], AbstractContextManager[Writer]]


@dataclass(frozen=True)
class Fault:
    """A fault found by `verify`."""

    kind: Literal["catalogue", "index", "vectors", "unembedded", "duplicates", "derived"]
    detail: str


def verify(library: Library) -> list[Fault]:
    """Return all faults of the library, or an empty list.

    Checks the database itself, every vector (size, finite values, unit length), every index file (its checksum, then
    every vector against the catalogue), every vector in the engine on a server if one is chosen, that every present
    picture is searchable in the active space, that every member of a group of near-duplicates is near its anchor, and
    what is stored of paths and counts.
    """
    faults = list(_catalogue_faults(library))
    if faults:
        return faults  # data read from a damaged database cannot be trusted
    for summary in list_spaces(library):
        stored = summary.stored
        faults.extend(_vector_faults(library, stored))
        faults.extend(_index_faults(library, stored))
        faults.extend(_engine_faults(library, stored))
        if summary.is_active and not stored.space.is_imported:  # an imported space contains only what was imported
            faults.extend(_unembedded(library, stored))
    faults.extend(_leftover_faults(library))
    faults.extend(_group_faults(library))
    faults.extend(_derived_faults(library))
    return faults


def repair(library: Library, *, keep_contents: bool = False, waiting: Callable[[], None] | None = None) -> list[str]:
    """Fix the faults that can be fixed without reading pictures; return a description of every step taken.

    Malformed vectors are deleted (the next index run embeds those pictures again), contents without a picture are
    removed, damaged and outdated index files are rebuilt from the catalogue, near-duplicates without a valid group are
    compared again, and what is stored of paths and counts is corrected. With `keep_contents`, contents stay whose
    pictures the next index run may find again. They also stay while the library has the files of a damaged catalogue.

    The library is locked for each thing that is mended, and not while faults are looked for and index files written.
    `waiting` is as for `Library.exclusive`. Raises `LibraryDamaged` if the database itself is damaged; `store.recovery`
    is for that.
    """
    for fault in _catalogue_faults(library):
        raise LibraryDamaged(library.backend.place, fault.detail)
    lock = partial(library.exclusive, waiting)
    steps: list[str] = []
    for summary in list_spaces(library):
        with suppress(SpaceDropped):
            steps.extend(_repair_space(library, summary.stored, lock, waiting))
    if not keep_contents and not any(library.path.glob(DAMAGED_FOLDERS)):
        steps.extend(_repair_contents(library, lock))
    steps.extend(_repair_groups(library, lock))
    steps.extend(_repair_derived(library, lock))
    steps.extend(f"deleted the stray file {path.name}" for path in index_cache.remove_strays(library, waiting))
    return steps


def remove_orphans(connection: Connection) -> int:
    """Delete contents, with their vectors, that belong to no picture, present or missing; return how many.

    Replaced contents stay until their data is carried over: an index run that was stopped may find their files again.
    """
    return connection.execute(delete(Content).where(*_is_orphan())).rowcount


def _is_orphan() -> tuple[ColumnElement[bool], ...]:
    has_picture = select(Picture.id).where(Picture.content_id == Content.id)
    is_replaced = select(ReplacedContent.id).where(ReplacedContent.replaced_id == Content.id)
    return ~has_picture.exists(), ~is_replaced.exists()


def _repair_space(
    library: Library, stored: StoredSpace, lock: _Lock, waiting: Callable[[], None] | None
) -> Iterator[str]:
    """Delete the malformed vectors of a space and bring its index file up to date."""
    with library.read() as connection:
        malformed = _malformed(connection, stored)
    if malformed:
        with lock() as writer, writer.transaction() as connection:
            malformed = _malformed(connection, stored)  # others may have replaced some
            delete_vectors(connection, stored, np.array(malformed, np.int64))
            mark_changed(connection, stored.id)
        again = "import them again" if stored.space.is_imported else "index again to embed them"
        yield f"deleted {len(malformed)} malformed vectors of {stored.space}; {again}"
    if malformed or not _is_published(library, stored):
        with library.publication(waiting):
            rebuild = bool(malformed or list(_index_faults(library, stored)))
            if rebuild or not index_cache.load(library, stored).published:  # otherwise another process wrote the file
                index = index_cache.publish(library, stored, waiting, rebuild=rebuild).index
                done = "rebuilt" if rebuild else "updated"
                yield f"{done} the index of {stored.space} from the catalogue: {len(index)} vectors"


def _is_published(library: Library, stored: StoredSpace) -> bool:
    return not list(_index_faults(library, stored)) and index_cache.load(library, stored).published


def _repair_contents(library: Library, lock: _Lock) -> Iterator[str]:
    with library.read() as connection:
        has_orphans = connection.scalar(select(Content.id).where(*_is_orphan()).limit(1)) is not None
    if has_orphans:
        with lock() as writer, writer.transaction() as connection:
            removed = remove_orphans(connection)
        if removed:
            yield f"removed {removed} contents without a file"


def _repair_groups(library: Library, lock: _Lock) -> Iterator[str]:
    with library.read() as connection:
        is_sound = not find_broken_groups(connection)
    if is_sound:
        return
    with lock() as writer, writer.transaction() as connection:
        reset = reset_broken_groups(connection)
    active = active_space(library)
    if reset and active is not None:
        update_near_duplicate_groups(library, active)
        yield f"compared {reset} near-duplicates again"


def _repair_derived(library: Library, lock: _Lock) -> Iterator[str]:
    if not list(_derived_faults(library)):
        return
    with lock() as writer, writer.transaction() as connection:
        paths, blocks = correct_derived(connection)
    if paths:
        yield f"corrected what is stored of the paths of {paths} pictures"
    if blocks:
        yield f"discarded wrong counts of {blocks} blocks of pictures"


def _catalogue_faults(library: Library) -> Iterator[Fault]:
    try:
        with library.read() as connection:
            for problem in library.backend.faults(connection):
                yield Fault("catalogue", problem)
    except LibraryDamaged as exc:
        yield Fault("catalogue", str(exc))


def _vector_faults(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    with library.read() as connection:
        bad = _malformed(connection, stored)
    if bad:
        contents = sorted({content_of(frame) for frame in bad})
        yield Fault("vectors", f"{len(bad)} vectors of {stored.space} are malformed (contents {_format_ids(contents)})")


def _malformed(connection: Connection, stored: StoredSpace) -> list[int]:
    """Return the IDs of frames whose vector has the wrong size, a value that is not finite, or not unit length."""
    all_ids = embedded_frames(connection, stored)
    valid = [np.empty(0, np.int64)]
    for ids, vectors in iter_vectors(connection, stored, all_ids):
        lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
        valid.append(ids[np.abs(lengths - 1) < UNIT_TOLERANCE])
    return [int(frame) for frame in np.setdiff1d(all_ids, np.concatenate(valid))]


def _index_faults(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    """Compare the index file of a space with the catalogue."""
    # Without a file, the run that would have written the first one was stopped, or is active. This is no fault either.
    while (file := announced_file(library, stored)) is not None:
        faults = list(_faults_of_file(library, stored, file))
        if not faults or announced_file(library, stored) == file:  # otherwise a newer one has taken its place
            yield from faults
            return


def _faults_of_file(library: Library, stored: StoredSpace, file: AnnouncedFile) -> Iterator[Fault]:
    path = file.path
    with library.read() as connection:
        expected = searchable_ids(connection, stored)
        revision = revision_of(connection, stored)
        try:
            index_cache.check_every_file(path, file.count, file.checksum)
            index = open_index(stored, path, mapped=True)
        except (IndexFault, OSError, RuntimeError) as exc:
            yield Fault("index", str(exc))
            return
        if file.revision == revision:
            if not np.array_equal(np.sort(index.ids()), expected):
                detail = f"{path.name} has {len(index)} vectors, but {len(expected)} are searchable"
                yield Fault("index", detail)
            yield from _differing_vectors(connection, stored, index, path.name)
            return
        # An outdated file (an index run was stopped, or is active) is not a fault: readers update it in memory. They
        # rely on the change feed if that has all changes since.
        changes = None if file.position is None else changes_after(connection, stored.id, file.position)
        if changes is None and is_sole_record(connection):
            return  # they build it again
        if changes is not None:
            yield from _unrecorded_changes(index.ids(), expected, changes, path.name)
        replaced = None if changes is None else changes.replaced
        yield from _differing_vectors(connection, stored, index, path.name, replaced)


def _engine_faults(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    """Compare the engine on a server with the catalogue, if one is chosen."""
    try:
        for difference in find_differences(library, stored):
            yield Fault("index", f"{difference.detail} ({_format_ids(difference.contents)})")
    except IndexEngineUnavailable as exc:
        yield Fault("index", str(exc))


def _leftover_faults(library: Library) -> Iterator[Fault]:
    """Yield what the engine on a server has of spaces that were dropped. One that is away is named by others."""
    with suppress(IndexEngineUnavailable, ExtraMissing):
        for storage in find_leftovers(library):
            yield Fault("index", f"the engine has vectors of a space that was dropped, in {storage}*")


def _unrecorded_changes(present: Ids, expected: Ids, changes: Changes, name: str) -> Iterator[Fault]:
    """Compare the frames `present` (n,) in an outdated file with those `expected` (m,), except the changes recorded."""
    differing = content_of(np.setxor1d(present, expected, assume_unique=True))
    contents = np.setdiff1d(differing, changes.contents)
    if len(contents):
        yield Fault("index", f"{name} lacks changes that were not recorded ({_format_ids(contents)})")


def _differing_vectors(
    connection: Connection, stored: StoredSpace, index: DerivedIndex, name: str, replaced: Ids | None = None
) -> Iterator[Fault]:
    """Compare every vector of an index file with the catalogue, except those of the contents `replaced` (n,)."""
    ids = index.ids()
    for start in range(0, len(ids), COMPARE_CHUNK_SIZE):
        chunk, vectors = ids[start : start + COMPARE_CHUNK_SIZE], index.vectors(start, start + COMPARE_CHUNK_SIZE)
        order = np.argsort(chunk)
        for stored_ids, stored_vectors in iter_vectors(connection, stored, chunk):
            rows = order[np.searchsorted(chunk, stored_ids, sorter=order)]
            different = stored_ids[(vectors[rows] != stored_vectors.astype(np.float32)).any(axis=1)]
            if replaced is not None:
                different = different[~np.isin(content_of(different), replaced)]
            if len(different):
                contents = np.unique(content_of(different))
                detail = f"{name} differs from the catalogue in {len(different)} vectors ({_format_ids(contents)})"
                yield Fault("index", detail)


def _unembedded(library: Library, stored: StoredSpace) -> Iterator[Fault]:
    vector = select(Embedding.content_id).where(
        Embedding.space_id == stored.id, Embedding.content_id == Picture.content_id
    )
    failure = select(VectorFailure.content_id).where(
        VectorFailure.space_id == stored.id, VectorFailure.content_id == Picture.content_id
    )
    files = select(Root.id).where(Root.kind == RootKind.FOLDER)
    statement = select(func.count(Picture.id)).where(
        Picture.root_id.in_(files), Picture.state == PictureState.PRESENT, ~vector.exists(), ~failure.exists()
    )
    with library.read() as connection:
        number = connection.scalar(statement) or 0
    if number:
        yield Fault("unembedded", f"{number} present pictures have no vector in {stored.space}; index again")


def _group_faults(library: Library) -> Iterator[Fault]:
    with library.read() as connection:
        bad = find_broken_groups(connection)
    if bad:
        yield Fault("duplicates", f"{len(bad)} pictures have no valid group of near-duplicates ({_format_ids(bad)})")


def _derived_faults(library: Library) -> Iterator[Fault]:
    with library.read() as connection:
        paths, blocks = find_wrong_paths(connection), find_wrong_blocks(connection)
    if paths:
        yield Fault("derived", f"what is stored of the paths of {len(paths)} pictures is wrong ({_format_ids(paths)})")
    if blocks:
        yield Fault("derived", f"the counts of {len(blocks)} blocks of pictures are wrong ({_format_ids(blocks)})")


def _format_ids(ids: Sequence[int] | Ids) -> str:
    shown = ", ".join(str(int(number)) for number in ids[:MAX_LISTED_IDS])
    return shown + (", ..." if len(ids) > MAX_LISTED_IDS else "")
