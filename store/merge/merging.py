"""Merge another library into this one, batch by batch. Nothing here is removed, and the other library is only read.

A batch is one transaction, for which the writer lock is held. If the process is killed between two, the library is
valid, and a second merge adds the rest: what is here already is recognised, and skipped. The locks of the roots are
held all the time, because index runs rely on the pictures of their root.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from core.errors import MergeWithItself, RootMismatch
from core.foreign_paths import is_same_path
from core.object_paths import as_path
from store.albums.moved_folders import MovePaths
from store.backup.outcomes import RestoreReport
from store.backup.records import Judgement
from store.backup.restore_context import RestoreSettings
from store.backup.restoring import MergeJudgements, restore
from store.catalog.tables import NamedPlace, PlaceName, PlaceRow, Root, RootKind
from store.ingest.mount_points import join_mount_points, known_mount_points, may_be_mount_point, remember_mount_points
from store.library import Library, Writer, mark_changed
from store.merge.contents import add_contents, add_facts, add_named_places, known_contents
from store.merge.finding import find_places, has_files, roots_to_move
from store.merge.loading import ContentBatch, PictureBatch, content_batches, unread_batches
from store.merge.pictures import RootPlace, plan_pictures, write_pictures
from store.merge.placing import MergedRoot, paths_here, place_roots, relpath_here, roots_below
from store.merge.said import snapshot_of
from store.merge.spaces import MergedSpace, activate_first, add_spaces, plan_spaces
from store.merge.vectors import merge_vectors
from store.moved_roots import move_roots
from store.near_duplicates.groups import update_near_duplicate_groups
from store.root_samples import sample_root
from store.roots import RootLocation, collection_path, ensure_root_in, prefixes_below
from store.spaces import index_cache
from store.spaces.coverage import coverage
from store.spaces.registry import StoredSpace, active_space, revision_of

__all__ = ["MergeHooks", "MergeReport", "MergeSettings", "merge", "require_places"]

REQUIRED_SHARE = 0.5
"""Share of the files of a sample that must be here with the size that the other library has, if their folder is here.

The other library may be old, and many files changed or gone; in the wrong folder, hardly any is right."""


@dataclass(frozen=True)
class MergeSettings:
    """How to merge a library.

    Attributes:
        moved: Roots of the other library and where they are here: absolute old folder to absolute new folder.
        dry_run: Only count. Every batch is written, and then rolled back.
        force: Merge folders that have other files here, too.
    """

    moved: Mapping[Path, Path] = field(default_factory=dict)
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class MergeHooks:
    """What a merge calls.

    `merge_judgements` and `move_paths` are as for `store.backup.restoring.restore`, `waiting` as for
    `Library.exclusive`; `advance` gets the number of contents of each batch.
    """

    merge_judgements: MergeJudgements | None = None
    move_paths: MovePaths = lambda query, _moves: query
    advance: Callable[[int], None] = lambda _: None
    waiting: Callable[[], None] | None = None


@dataclass
class MergeReport:
    """What came from the other library."""

    roots: Sequence[MergedRoot]
    spaces: Sequence[MergedSpace]
    contents: int = 0
    """Contents that were not here."""
    pictures: Counter[str] = field(default_factory=Counter)
    """Pictures that are `new`, that are `present` here with the same content, and of files that both libraries have
    with different contents: those `taken` from the other library, and those `kept` as they are here."""
    vectors: Counter[int] = field(default_factory=Counter)
    """Number of new vectors by the ID of the space in the other library."""
    without_vector: int = 0
    """Present pictures of this library that the active space lacks afterwards. A dry run does not count them."""
    said: RestoreReport = field(default_factory=RestoreReport)
    """User data."""


def merge(
    library: Library,
    other: Library,
    settings: MergeSettings | None = None,
    judgements: Sequence[Judgement] = (),
    hooks: MergeHooks | None = None,
) -> MergeReport:
    """Add what `other` has to `library`; return what that was.

    `judgements` are those of the other library. Raises `MergeWithItself`; `UnknownRoot`, `FolderNotFound`,
    `ForeignRoot` and `RootMismatch` as `require_places` does; and `LibraryBusy` if the owner of the other library
    changes it at this moment.
    """
    settings, hooks = settings or MergeSettings(), hooks or MergeHooks()
    if library.backend.origin() == other.backend.origin():
        raise MergeWithItself(other.location)
    settings = _with_found_places(library, other, settings, hooks)
    require_places(other, settings)
    with _roots_held(library, other, settings, hooks) as roots:
        run = _Merge(library, other, settings, hooks, roots)
        run.merge_pictures()
        run.merge_said(judgements)
        run.carry_mount_points()
    if not settings.dry_run:
        run.publish()
    return run.report


def _with_found_places(library: Library, other: Library, settings: MergeSettings, hooks: MergeHooks) -> MergeSettings:
    """Return the settings with the places of all roots that can be found, so that no merge doubles pictures.

    Roots that an earlier merge added at the old path are moved; a dry run counts as if they stayed there.
    """
    moved = dict(settings.moved)
    theirs = [os.fsdecode(path) for path in _folders_of(other)]
    named = {old: new for old, new in moved.items() if any(is_same_path(os.fspath(old), path) for path in theirs)}
    for old, new in roots_to_move(library, named).items():
        if settings.dry_run:
            moved = {each: place for each, place in moved.items() if place != new}
        else:
            move_roots(library, old, new, force=True, move_paths=hooks.move_paths, waiting=hooks.waiting)
    return replace(settings, moved=find_places(library, other, moved))


@contextmanager
def _roots_held(
    library: Library, other: Library, settings: MergeSettings, hooks: MergeHooks
) -> Iterator[list[MergedRoot]]:
    """Yield the places of the roots, with the locks of all roots that the merge changes."""
    while True:
        roots, folders = _place(library, other, settings)
        with ExitStack() as held:
            for folder in folders:
                held.enter_context(library.root_lock(folder, hooks.waiting))
            if _place(library, other, settings) == (roots, folders):  # no root was added or merged in the meantime
                yield roots
                return


def require_places(other: Library, settings: MergeSettings) -> None:
    """Check the folders of the other library before there is a library to merge into.

    Raises the errors of `paths_here`; and `RootMismatch`, unless forced, if a folder is here, but has other files. Two
    machines may have different pictures under one path, and their tags would be mixed up.
    """
    for old, new in paths_here(_folders_of(other), settings.moved).items():
        if settings.force or not has_files(new):
            continue
        with other.read() as connection:
            found = sample_root(connection, old, new)
        if not found.has(REQUIRED_SHARE):
            raise RootMismatch(new, found.checked, found.same_size)


def _folders_of(library: Library) -> list[bytes]:
    with library.read() as connection:
        statement = select(Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id)
        return list(connection.execute(statement).scalars())


def _place(library: Library, other: Library, settings: MergeSettings) -> tuple[list[MergedRoot], list[Path]]:
    paths = _folders_of(other)
    with library.read() as connection:
        roots = place_roots(connection, paths, settings.moved)
        folders = {folder for root in roots for folder in (root.root, *roots_below(connection, root.root))}
    return roots, sorted(folders)


class _RolledBack(Exception):
    """Ends a transaction of a dry run."""


class _Merge:
    """One merge. Adds up what each batch brings."""

    def __init__(
        self,
        library: Library,
        other: Library,
        settings: MergeSettings,
        hooks: MergeHooks,
        roots: Sequence[MergedRoot],
    ) -> None:
        self.report = MergeReport(roots, plan_spaces(library, other))
        self._library = library
        self._other = other
        self._settings = settings
        self._hooks = hooks
        self._locations: dict[Path, RootLocation] = {}
        self._spaces: dict[int, StoredSpace] | None = None
        self._coming = set[bytes]()
        with other.read() as connection:
            self._other_roots = connection.execute(select(Root.id, Root.path, Root.kind)).all()

    def merge_pictures(self) -> None:
        """Add contents with their facts and vectors, and pictures."""
        with self._transaction() as (_, connection):
            self._prepare(connection)
        spaces = [each.other for each in self.report.spaces if each.is_merged]
        for batch in content_batches(self._other, spaces):
            self._write(batch)
            self._hooks.advance(len(batch.contents))
        for pictures in unread_batches(self._other):
            self._write_unread(pictures)
        tables = (NamedPlace, PlaceRow, PlaceName)
        with self._other.read() as connection:
            rows = [[dict(row._mapping) for row in connection.execute(select(each.__table__))] for each in tables]
        with self._transaction() as (_, connection):
            add_named_places(connection, *rows)
            activate_first(connection, self.report.spaces, self._prepare(connection)[1])

    def merge_said(self, judgements: Sequence[Judgement]) -> None:
        """Add the user data, by the rules of a restored snapshot."""
        settings = RestoreSettings(dry_run=self._settings.dry_run, coming=frozenset(self._coming))
        hooks = self._hooks
        roots = self.report.roots
        with snapshot_of(self._other, roots, self._locations, judgements, hooks.move_paths) as snapshot:
            self.report.said = restore(self._library, snapshot, settings, hooks.merge_judgements, waiting=hooks.waiting)

    def carry_mount_points(self) -> None:
        """Remember where the other library knows disks below its roots, as far as they can be disks here."""
        if self._settings.dry_run:
            return
        for row in self._other_roots:
            location = self._locations.get(as_path(row.path))
            if row.kind == RootKind.FOLDER and location is not None:
                paths = {relpath_here(location, path) for path in known_mount_points(self._other, row.id)}
                found = {path for path in paths if may_be_mount_point(location.root, path)}
                known = known_mount_points(self._library, location.root_id)
                remember_mount_points(self._library, location.root_id, known | found)

    def publish(self) -> None:
        """Write the index files, and group near-duplicates."""
        index_cache.publish_all(self._library, self._hooks.waiting)
        active = active_space(self._library)
        if active is not None:
            update_near_duplicate_groups(self._library, active, waiting=self._hooks.waiting)
            covered = coverage(self._library, active)
            self.report.without_vector = covered.pictures - covered.embedded - covered.failed

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Writer, Connection]]:
        with self._library.exclusive(self._hooks.waiting) as writer:
            try:
                with writer.transaction() as connection:
                    yield writer, connection
                    if self._settings.dry_run:
                        raise _RolledBack
            except _RolledBack:
                pass

    def _prepare(self, connection: Connection) -> tuple[dict[int, RootPlace], dict[int, StoredSpace]]:
        """Add roots and spaces that are missing; return those of the other library, by the ID they have there."""
        for root in self.report.roots:
            inner = prefixes_below(connection, root.path)
            location = ensure_root_in(connection, root.path)
            if inner and not self._settings.dry_run:
                join_mount_points(self._library, location.root_id, inner)
        places: dict[Path, RootPlace] = {}
        for root in self.report.roots:  # after all were added: one of them may be in another
            location = ensure_root_in(connection, root.path)
            self._locations[root.other] = location
            places[root.other] = RootPlace(location, is_moved=root.other != root.path)
        spaces = self._spaces_here(connection)
        collections = {collection_path(stored.space.model) for stored in spaces.values() if stored.space.is_imported}
        found: dict[int, RootPlace] = {}
        for row in self._other_roots:
            folder = places.get(as_path(row.path))
            if row.kind == RootKind.FOLDER and folder is not None:
                found[row.id] = folder
            elif row.path in collections:
                collection = _ensure_collection(connection, row.path)
                found[row.id] = RootPlace(collection, is_moved=False, is_collection=True)
        return found, spaces

    def _spaces_here(self, connection: Connection) -> dict[int, StoredSpace]:
        """Return the merged spaces by their ID in the other library. One that was dropped since then stays so."""
        if self._spaces is None or self._settings.dry_run:
            self._spaces = add_spaces(connection, self.report.spaces)
        return {id_: stored for id_, stored in self._spaces.items() if revision_of(connection, stored) is not None}

    def _write(self, batch: ContentBatch) -> None:
        with self._transaction() as (_, connection):
            places, spaces = self._prepare(connection)
            known = known_contents(connection, batch)
            plan = plan_pictures(connection, batch.pictures, places, known)
            wanted = plan.contents()
            missing = [row for row in batch.contents if row["id"] in wanted and row["id"] not in known]
            new = add_contents(connection, missing)
            ids = known | new
            add_facts(connection, batch, ids, new)
            for other_id, stored in spaces.items():  # those that were not dropped since the merge began
                added = merge_vectors(connection, stored, batch.vectors[other_id], ids)
                self.report.vectors[other_id] += added
                if added:
                    mark_changed(connection, stored.id)
            write_pictures(connection, batch.pictures, plan, ids, new)
            if wanted or plan.found:
                mark_changed(connection)
        self._coming |= {row["digest"] for row in missing} if self._settings.dry_run else set()
        self.report.contents += len(missing)
        self.report.pictures += plan.counts

    def _write_unread(self, pictures: PictureBatch) -> None:
        with self._transaction() as (_, connection):
            plan = plan_pictures(connection, pictures, self._prepare(connection)[0], {})
            write_pictures(connection, pictures, plan, {}, {})
        self.report.pictures += plan.counts


def _ensure_collection(connection: Connection, path: bytes) -> RootLocation:
    """Return the collection of documents with this path, which is added if it is missing."""
    statement: Any = select(Root.id).where(Root.path == path, Root.kind == RootKind.COLLECTION)
    root_id = connection.scalar(statement)
    if root_id is None:
        values = {"path": path, "added_at": datetime.now(UTC).replace(tzinfo=None), "kind": RootKind.COLLECTION}
        root_id = connection.execute(insert(Root).values(values).returning(Root.id)).scalar_one()
    return RootLocation(root_id, as_path(path), b"")
