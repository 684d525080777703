"""Builds the inverted lists of a large library while it is searched exactly, and keeps them in step with it.

    due -> base -> train or reuse -> encode -> measure -> place -> announce

A build works on a copy of the published base (a hard link) in a folder of its own. The last two steps hold the lock of
the index files: the files are linked into their folder, changes of the library in the meantime are added, and the
manifest is announced, which alone needs the writer lock. The files of a killed build are removed when an index is
published.

Lists are built when a library has grown to `approximate_from()` vectors, and dropped when it has shrunk below
`KEPT_SHARE` of that. They are built again with the same centroids when additions and removals exceed `MERGED_SHARE` of
the base. New centroids are computed when the library has grown to `RETRAIN_GROWTH` times the size that they were
computed for, or when vectors are `RETRAIN_DISTANCE` times as far from their centroids as then, or if recall is too low.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import (
    ExtraMissing,
    IndexEngineOutdated,
    IndexEngineUnavailable,
    IndexFault,
    LibraryUnusable,
    SpaceDropped,
)
from store.catalog.id_sets import Ids
from store.library import Library
from store.remembered_queries import recent_queries
from store.spaces import index_cache
from store.spaces.flat_file import write_flat_file
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import approximate_from
from store.spaces.inverted_lists import SAMPLE_PER_LIST, InvertedLists, number_of_lists
from store.spaces.layer_files import (
    MANIFEST_SUFFIX,
    IndexFile,
    LayerManifest,
    check_files,
    describe_file,
    prefetch_of,
    read_manifest,
    sync_folder,
    write_durably,
)
from store.spaces.layered_index import LayeredIndex
from store.spaces.recall import MIN_RECALL, QUERIES, measure_recall
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.updating import update_engine
from store.spaces.vector_index import DerivedIndex

__all__ = ["update_approximation"]

KEPT_SHARE = 0.7
MERGED_SHARE = 0.05
RETRIED_SHARE = 0.2
"""If recall was too low, building is tried again when this share of the base has changed."""
RETRAIN_GROWTH = 4
RETRAIN_DISTANCE = 1.15
BLOCK = 32_768
"""Vectors in memory at a time while they are encoded."""
FIT_SAMPLE = 10_000


class _Due(Enum):
    BUILD = auto()
    MERGE = auto()
    DROP = auto()


@dataclass(frozen=True)
class _Lists:
    """Inverted lists, and what their centroids were computed from."""

    lists: InvertedLists
    trained_on: int
    trained_fit: float


def update_approximation(library: Library, stored: StoredSpace, check: Callable[[], None] = lambda: None) -> bool:
    """Build, renew or drop the inverted lists of a space if that is due; return whether something was published.

    `check` is called before each block of vectors, and may raise to stop. Does nothing while another process does the
    same, and if the index is replaced in the meantime. Damage that is found is repaired from the catalogue. Raises
    `LibraryUnusable` if the files cannot be written; the index that was published before remains.

    If an engine on a server is chosen, it is brought up to date instead. Raises `IndexEngineOutdated` if that fails.
    """
    try:
        if update_engine(library, stored, check):
            return True
    except (IndexEngineUnavailable, ExtraMissing) as exc:
        raise IndexEngineOutdated(library.path, str(exc)) from exc
    if approximate_from() is None:
        return False
    with suppress(SpaceDropped), library.index_build_lock_if_free(stored.space.fingerprint) as is_free:
        return is_free and _update(library, stored, check)
    return False


def _update(library: Library, stored: StoredSpace, check: Callable[[], None]) -> bool:
    folder = library.indexes / f"{index_cache.BUILD_FOLDER_PREFIX}{stored.space.fingerprint[:12]}"
    shutil.rmtree(folder, ignore_errors=True)  # of a build that was killed
    published = index_cache.published_file(library, stored)
    if published is None or (published[0].suffix != MANIFEST_SUFFIX and _is_small(library, stored)):
        return False
    current = index_cache.load(library, stored)
    due = _due(current.index)
    if due is None or not current.published or index_cache.published_file(library, stored) != published:
        return False
    if due is _Due.DROP:
        return _rebuild(library, stored, check)
    try:
        base = index_cache.base_of(*published)
        folder.mkdir(exist_ok=True)
        manifest = _build(library, stored, current.index, published[0], folder, check)
        with library.publication(check=check):
            return _switch(library, stored, manifest, base, current.position, folder, check)
    except (IndexFault, OSError, RuntimeError) as exc:
        if isinstance(exc, IndexFault | FileNotFoundError):
            if index_cache.published_file(library, stored) != published:
                return False  # the files were deleted, because newer ones have been published
            if isinstance(exc, IndexFault):
                return _rebuild(library, stored, check)
        raise LibraryUnusable(library.path, f"the approximate index cannot be written: {exc}") from exc
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rebuild(library: Library, stored: StoredSpace, check: Callable[[], None]) -> bool:
    """Publish an exact index from the catalogue."""
    index_cache.publish(library, stored, check=check, rebuild=True)
    return True


def _is_small(library: Library, stored: StoredSpace) -> bool:
    """Whether exact search is fast enough, without reading the index."""
    minimum, number = approximate_from(), index_cache.published_count(library, stored)
    return minimum is None or number < minimum


def _due(index: DerivedIndex) -> _Due | None:
    """Return what is to be done about the published index."""
    minimum = approximate_from()
    if minimum is None or not isinstance(index, FlatIndex | LayeredIndex):
        return None
    if isinstance(index, FlatIndex):
        return _Due.BUILD if len(index) >= max(minimum, 1) else None
    if len(index) < KEPT_SHARE * max(minimum, 1):
        return _Due.DROP
    if index.lists is None:
        return _Due.BUILD if index.changes > RETRIED_SHARE * len(index.base) else None
    return _Due.MERGE if index.changes > MERGED_SHARE * len(index.base) else None


def _build(
    library: Library, stored: StoredSpace, index: DerivedIndex, path: Path, folder: Path, check: Callable[[], None]
) -> LayerManifest:
    """Write a base and its inverted lists to `folder`. `index` was loaded from `path`."""
    token = f"{stored.space.fingerprint[:12]}-{secrets.token_hex(4)}"
    before: _Lists | None = None
    if isinstance(index, LayeredIndex):
        manifest = read_manifest(path)
        check_files(library.indexes, manifest)  # damage must not be copied
        base_path = folder / f"{token}.faiss"
        write_durably(base_path, lambda draft: _write_base(draft, stored, index, check))
        if index.lists is not None:
            before = _Lists(index.lists.emptied(), manifest.trained_on, manifest.trained_fit)
    else:
        base_path = folder / path.name
        _link(path, base_path)
    base = FlatIndex.read(base_path, mapped=True)
    asked = recent_queries(library.path, stored.space.fingerprint, stored.space.dim, QUERIES)
    lists_path = folder / f"{token}.lists"
    for lists in _attempts(base, before):
        encoded = index if lists is before and isinstance(index, LayeredIndex) else None
        _write_lists(lists_path, base, lists.lists, encoded, check)
        probes, recall = measure_recall(_layered(base, lists_path, base_path), asked)
        if recall.lowest >= MIN_RECALL:
            break
    usable = describe_file(lists_path) if recall.lowest >= MIN_RECALL else None
    return LayerManifest(
        describe_file(base_path), None, None, usable, probes, recall, lists.trained_on, round(lists.trained_fit, 6)
    )


def _attempts(base: FlatIndex, before: _Lists | None) -> Iterator[_Lists]:
    """Yield empty lists: those with the centroids of `before`, if they still fit, then those with new ones."""
    if before is not None and len(base) < RETRAIN_GROWTH * before.trained_on:
        distance = 1 - before.lists.fit(_sample(base, FIT_SAMPLE))
        if distance <= RETRAIN_DISTANCE * (1 - before.trained_fit):
            yield before
    yield _trained(base)


def _trained(base: FlatIndex) -> _Lists:
    """Return empty lists with centroids of a sample, which is not in memory any more while vectors are encoded."""
    number = number_of_lists(len(base))
    sample = _sample(base, number * SAMPLE_PER_LIST)
    trained = InvertedLists.trained(sample, number)
    return _Lists(trained, len(base), trained.fit(sample[:: max(1, len(sample) // FIT_SAMPLE)]))


def _write_lists(
    path: Path, base: FlatIndex, empty: InvertedLists, encoded: LayeredIndex | None, check: Callable[[], None]
) -> None:
    """Write the lists of the base with the centroids of `empty`. Its codes are in memory until then.

    The codes of `encoded` are copied: the base has its vectors first, and its lists the same centroids.
    """
    lists = empty.emptied() if encoded is None or encoded.lists is None else encoded.lists.only(encoded.is_live)
    _encode(base, lists, check)
    write_durably(path, lists.write)


def _encode(base: FlatIndex, lists: InvertedLists, check: Callable[[], None]) -> None:
    """Add the vectors of the base that are not in the lists yet."""
    for start in range(len(lists), len(base), BLOCK):
        check()
        lists.add(base.vectors(start, start + BLOCK))


def _sample(base: FlatIndex, number: int) -> NDArray[np.float32]:
    """Return `number` vectors (n, D) of the base, always the same ones."""
    rows = np.random.default_rng(0).choice(len(base), min(number, len(base)), replace=False)
    return base.stored()[np.sort(rows)].astype(np.float32)


def _write_base(path: Path, stored: StoredSpace, index: LayeredIndex, check: Callable[[], None]) -> None:
    def parts() -> Iterator[tuple[Ids, NDArray[np.float32]]]:
        ids = index.ids()
        for start in range(0, len(ids), BLOCK):
            check()
            yield ids[start : start + BLOCK], index.vectors(start, start + BLOCK)

    write_flat_file(path, index.dim, stored.dtype, parts())


def _switch(
    library: Library,
    stored: StoredSpace,
    manifest: LayerManifest,
    base: IndexFile | tuple[str, bytes],
    position: int | None,
    folder: Path,
    check: Callable[[], None],
) -> bool:
    """Put the files into the folder of indexes, and announce them; return whether that was done.

    `position` is that of the index from which they were built, in the change feed. `base` is the published base then.
    """
    published = index_cache.published_file(library, stored)
    if published is None or index_cache.base_of(*published) != base:
        return False
    for file in manifest.files:
        if not (library.indexes / file.name).exists():
            _link(folder / file.name, library.indexes / file.name)
    sync_folder(library.indexes)
    base_path = library.indexes / manifest.base.name
    lists_path = None if manifest.lists is None else library.indexes / manifest.lists.name
    index = _layered(FlatIndex.read(base_path, mapped=True), lists_path, base_path, manifest.probes)
    return index_cache.publish_base(library, stored, index, manifest, base, position, check)


def _layered(base: FlatIndex, lists_path: Path | None, base_path: Path, probes: int = 0) -> LayeredIndex:
    lists = None if lists_path is None else InvertedLists.read(lists_path)
    added = FlatIndex(base.dim, str(base.stored().dtype))
    return LayeredIndex(base, added, np.empty(0, np.int64), lists, probes, prefetch_of(base_path, base))


def _link(path: Path, other: Path) -> None:
    """Make `other` a second name of the file, or a copy where the disk has no second names."""
    try:
        os.link(path, other)
    except FileNotFoundError:
        raise
    except OSError:
        write_durably(other, lambda draft: shutil.copyfile(path, draft))
