"""Restoring a snapshot into a library: what it says is added to what is there.

Nothing is removed. Where the library says something else, that is kept, unless the snapshot is to replace it. Restoring
the same snapshot again changes nothing, except that pictures which have been indexed since get what it says about them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, TypeAlias

from store.albums.moved_folders import MovePaths
from store.backup.matching import PictureMatcher, shared_path_keys
from store.backup.outcomes import Outcome, RestoreReport, Statement
from store.backup.records import (
    AlbumPicture,
    Judgement,
    PictureName,
    PictureRecord,
    SavedAlbum,
    TellApart,
    pictures_of,
)
from store.backup.restore_context import RestoreContext, RestoreSettings
from store.backup.restored_albums import RestoredAlbum, restore_album
from store.backup.restored_pictures import missing_verdicts, restore_pictures
from store.backup.snapshot_file import Snapshot
from store.catalog.collation import fold
from store.library import Library
from store.near_duplicates.verdicts import tell_apart

__all__ = ["MergeJudgements", "RestoreSettings", "restore"]

BATCH = 2_000
"""Records of one transaction."""


MergeJudgements: TypeAlias = Callable[[Sequence[Judgement], RestoreSettings], Mapping[Outcome, int]]
"""Adds judgements to those of the library, which are files."""


def restore(
    library: Library,
    snapshot: Snapshot,
    settings: RestoreSettings | None = None,
    merge_judgements: MergeJudgements | None = None,
    move_paths: MovePaths = lambda query, _moves: query,
    waiting: Callable[[], None] | None = None,
) -> RestoreReport:
    """Add what a snapshot says to a library; return what became of it.

    `move_paths` changes the folders in the queries of saved searches. `waiting` is as for `Library.exclusive`, which is
    needed for verdicts only. Raises `SnapshotDamaged` if the file was changed after it was opened.
    """
    settings = settings or RestoreSettings()
    run = _Restore(library, snapshot, settings, move_paths)
    albums: dict[str, RestoredAlbum] = {}
    verdicts, judgements = list[TellApart](), list[Judgement]()
    for kind, records in groupby(snapshot.records(), key=type):
        for batch in _batches(records):
            if kind is PictureRecord:
                run.restore_pictures(batch)
            elif kind is SavedAlbum:
                albums |= {fold(album.name): RestoredAlbum(album) for album in batch}
            elif kind is AlbumPicture:
                _add_pictures(albums, batch)
            elif kind is TellApart:
                verdicts += batch
            else:
                judgements += batch
    run.restore_albums(list(albums.values()))
    run.restore_verdicts(verdicts, waiting)
    if merge_judgements is not None and judgements:
        run.report.counts[Statement.JUDGEMENTS] += Counter(merge_judgements(judgements, settings))
    run.report.found_by_path, run.report.unknown_pictures = len(run.found_by_path), len(run.unknown)
    return run.report


class _Restore:
    """One restore; its methods are called once for each kind of records, or for each batch of them."""

    def __init__(self, library: Library, snapshot: Snapshot, settings: RestoreSettings, move_paths: MovePaths) -> None:
        self._library = library
        self._snapshot = snapshot
        self._settings = settings
        self._move_paths = move_paths
        self._named = frozenset[bytes]() if settings.exact else _digests_in(snapshot)
        self._shared_path_keys: dict[tuple[tuple[int, int], ...], set[tuple[int, str]]] = {}
        self.report = RestoreReport()
        self.found_by_path = set[bytes]()
        self.unknown = set[bytes]()

    def restore_pictures(self, records: Sequence[PictureRecord]) -> None:
        with self._transaction() as context:
            restore_pictures(context, records)

    def restore_albums(self, albums: Sequence[RestoredAlbum]) -> None:
        with self._transaction() as context:
            for album in albums:
                restore_album(context, album)

    def restore_verdicts(self, records: Sequence[TellApart], waiting: Callable[[], None] | None) -> None:
        with self._transaction() as context:
            pairs = missing_verdicts(context, records)
        if pairs and not self._settings.dry_run:
            tell_apart(self._library, pairs, waiting)

    @contextmanager
    def _transaction(self) -> Iterator[RestoreContext]:
        settings = self._settings
        with self._library.read() if settings.dry_run else self._library.transaction() as connection:
            roots = self._snapshot.header.roots
            matcher = PictureMatcher(
                connection,
                roots,
                moved=settings.moved,
                exact=settings.exact,
                named=self._named,
                coming=settings.coming if settings.dry_run else frozenset(),
                ambiguous=self._ambiguous,
            )
            yield RestoreContext(connection, matcher, self.report, settings, self._move_paths)
        self.found_by_path |= matcher.found_by_path
        self.unknown |= matcher.unknown

    def _ambiguous(self, roots: Mapping[int, int]) -> set[tuple[int, str]]:
        """Return the comparable paths of several pictures of the snapshot. It is read again if roots were added."""
        key = tuple(sorted(roots.items()))
        if key not in self._shared_path_keys:
            self._shared_path_keys = {key: shared_path_keys(_pictures_in(self._snapshot), roots)}
        return self._shared_path_keys[key]


def _digests_in(snapshot: Snapshot) -> frozenset[bytes]:
    """Return the SHA-256 of each picture that a snapshot names."""
    return frozenset(picture.digest for picture in _pictures_in(snapshot))


def _pictures_in(snapshot: Snapshot) -> Iterator[PictureName]:
    return (picture for record in snapshot.records() for picture in pictures_of(record))


def _add_pictures(albums: Mapping[str, RestoredAlbum], records: Sequence[AlbumPicture]) -> None:
    for record in records:
        if fold(record.album) in albums:
            albums[fold(record.album)].pictures.append(record.picture)


def _batches(records: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
