"""Index folders: bring a library up to date with the pictures in them.

The path of a file, in the order of the calls:

    index                                     for each folder, while no other process indexes its root:
      scan                                      indexer.scan        walk the folder
      ScanReconciler.record ... pending_files   store.ingest        compare with the catalogue
      read_ahead(FileReader)                    indexer.reader_pool bytes, digest, pixels, metadata, hash
      batches, embed_ahead                      indexer.batching    one forward pass for each batch
      ScanReconciler.write                      store.ingest        one transaction for each batch
      CompanionPairing                          store.ingest        RAW files and moving parts of readable pictures
      ScanReconciler.mark_missing               store.ingest        files that are gone
      refresh_metadata, backfill_hashes         indexer.refresh     files that need no embedding
    publish                                   store.spaces        near-duplicates, and the index file

The library is locked only for each of the writes, so that tags, a change of the model and runs over other roots go on
in between. If the model is changed, or the root is merged into another one, the folder is scanned again.

Memory is bounded by the batch and the readers, not by the size of the library. A process that is killed loses at most
the batch in flight, or three with a model on a GPU: all earlier pictures are in the catalogue together with their
vectors, and the next run continues from there.
"""

import copy
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

from core.errors import (
    FolderExcluded,
    FolderUnreadable,
    LibraryUnusable,
    RootUnavailable,
    SpaceDropped,
    SpaceMismatch,
    WeightsChanged,
)
from core.files import absolute
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer.absent_disks import AbsentDisks
from indexer.batching import batches, embed_ahead, read_ahead
from indexer.changed_pixels import list_changed_pixels
from indexer.folders import folder_errors, outermost, require_folder
from indexer.places import update_places
from indexer.reader import FileReader
from indexer.reader_pool import ReaderPool, default_workers
from indexer.refresh import backfill_hashes, refresh_metadata
from indexer.scan import Scan, ScanSettings, scan
from indexer.summary import Progress, StageTimer, Summary
from pictures.decode import DecodeSettings
from pictures.extras import reasons_to_wait
from pictures.reading import ReadSettings
from store.ingest.batch_writer import PendingFile
from store.ingest.metadata import MetadataRefresh
from store.ingest.pairing import CompanionPairing
from store.ingest.passed_over import PassedOverRecorder
from store.ingest.reconcile import ReconcileSettings, ScanOutdated, ScanReconciler, open_reconciler
from store.ingest.replaced_contents import carry_over, has_completed, has_replaced, last_record, mark_run_complete
from store.ingest.scanned_files import ScannedFile
from store.kept_counts.keeping import keep_counts
from store.library import Library, RootLock, Writer
from store.near_duplicates.groups import update_near_duplicate_groups
from store.roots import RootLocation, ensure_root
from store.spaces import index_cache
from store.spaces.approximation import update_approximation
from store.spaces.embeddings import is_embedded
from store.spaces.registry import StoredSpace, create_active_space, list_spaces, model_space

__all__ = ["IndexSettings", "index"]

SCAN_REPORT_INTERVAL = 1_000
"""Files between two reports of a scan's progress."""

MAX_PASSES = 3
"""How often a file is read whose content another process removes at the same time; the next run tries again."""

PUBLISH_INTERVAL_SECONDS = 300.0
"""Time between two index files during a long run. A search adds the vectors that are newer than the last file."""

StatFile = Callable[[bytes], ScannedFile | None]
"""Returns the size and times of the file at a path relative to the root; None if it is gone."""


@dataclass(frozen=True)
class IndexSettings:
    """How to index.

    `workers` is the number of readers (see `indexer.reader_pool`). `full` reads every file again, even if its size and
    modification time are unchanged. `only_failed` reads only the files that could not be read or embedded before; new
    and changed files wait for the next run. `accept_missing` accepts that a folder is empty or gone although the
    library has pictures of it.
    """

    scan: ScanSettings = field(default_factory=ScanSettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    workers: int = field(default_factory=default_workers)
    full: bool = False
    only_failed: bool = False
    accept_missing: bool = False


def index(
    library: Library,
    paths: Path | str | Iterable[Path | str],
    encoder: Encoder | str | None = None,
    settings: IndexSettings | None = None,
    progress: Progress | None = None,
    *,
    placement: Placement = DEFAULT_PLACEMENT,
) -> Summary:
    """Bring the library up to date with one or more folders; wait while another process indexes the same root.

    `encoder` is an encoder or the name of a model, which is loaded to `placement`. A library keeps its version of a
    model: the name stands for that version. By default it is the model that the library uses already, or the built-in
    one for a new library.

    Raises `FolderNotFound`, `FolderUnreadable`, `FolderExcluded` if the rules of its root exclude a folder,
    `RootUnavailable` if an indexed folder is gone or suddenly nearly empty (nothing is changed), `SpaceMismatch` if the
    library's pictures are embedded by another model, `LibraryUnusable`, and `ValueError` for an invalid exclude
    pattern. For a model name, the errors of `sightline.load_model`.
    """
    started = perf_counter()
    settings, progress = settings or IndexSettings(), progress or Progress()
    folders = [absolute(path) for path in ([paths] if isinstance(paths, (Path, str)) else paths)]
    for folder in folders:
        require_folder(library, folder, accept_missing=settings.accept_missing)
    run = _IndexRun(library, partial(_load, library, encoder, placement), settings, progress)
    try:
        run.index_folders(outermost(folders))
    except (FolderExcluded, FolderUnreadable, RootUnavailable):
        run.publish()  # the folders before this one are complete
        raise
    run.publish()
    totals, seconds = run.totals, perf_counter() - started
    unreadable, absent = tuple(totals.unreadable), tuple(sorted(set(totals.absent)))
    return Summary.of(totals.counts, unreadable, absent, run.timer.seconds, seconds, totals.passed_over)


@dataclass
class _Totals:
    """What a run counts, added up over its folders."""

    counts: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


class _IndexRun:
    """One run over several folders. Adds up the outcomes of their files and the time spent by stage."""

    def __init__(
        self, library: Library, load: Callable[[], Encoder], settings: IndexSettings, progress: Progress
    ) -> None:
        self.totals = _Totals()
        self.timer = StageTimer()
        self._library = library
        self._settings = settings
        self._progress = progress
        self._lock = partial(library.exclusive, progress.waiting, progress.check)
        self._load = load
        self._encoder, self._stored = self._choose_model()
        self._published = perf_counter()
        self._revision = library.revision()
        self._empty: list[bytes] = []

    def _choose_model(self) -> tuple[Encoder, StoredSpace]:
        with self._lock() as writer:
            encoder = self._load()  # not before: another process may have changed the model
            return encoder, _ensure_space(writer, encoder)

    def index_folders(self, folders: Iterable[Path]) -> None:
        """Do everything for each folder except publishing."""
        remaining = list(folders)
        while remaining:
            before = copy.deepcopy(self.totals)
            try:
                self._index_next(remaining)
            except ScanOutdated:
                before.counts["embedded"] = self.totals.counts["embedded"]
                self.totals = before
                self._publish_index()  # of the space that no further pictures are added to
                self._encoder, self._stored = self._choose_model()

    def _index_next(self, remaining: list[Path]) -> None:
        """Index the folders that remain with one model. Raises `ScanOutdated` if the first of them must be repeated."""
        settings = ReadSettings(self._encoder.preprocess, self._settings.decode)
        with ReaderPool(settings, self._settings.workers, notice=self._progress.warn) as pool:
            while remaining:
                self._index_folder(remaining[0], pool)
                del remaining[0]

    def _index_folder(self, folder: Path, pool: ReaderPool) -> None:
        """Do everything for one folder except publishing."""
        with self._lock() as writer:
            location = ensure_root(writer, folder)
        settings = ReconcileSettings(
            full=self._settings.full,
            only_failed=self._settings.only_failed,
            permanent_reasons=reasons_to_wait(),
            pixel_limit=self._settings.decode.pixel_limit,
        )
        wait = partial(self._progress.waiting_for_root, location.root)
        with (
            self._library.root_lock(location.root, wait, self._progress.check) as root_lock,
            open_reconciler(self._library, location, self._stored, settings, self._lock) as reconciler,
        ):
            replaced_before = self._last_record()
            passed_over = PassedOverRecorder(reconciler.connection, location)
            pairing = CompanionPairing(reconciler.connection, location, self._stored, reconciler.changing)
            pending, stat = self._reconcile(reconciler, location, passed_over, pairing)
            self._progress.begin(pending)
            write_pending = partial(self._write_pending, reconciler, location, pool, root_lock)
            is_complete = write_pending()
            if pairing.release(stat):  # of pictures that turned out to be unreadable
                self.totals.counts["restored"] += reconciler.update_unread()
                is_complete &= write_pending(only_released=True)
            with self.timer.stage("write"):
                self.totals.counts["companions"] += pairing.pair()
                if not self._settings.only_failed:  # a file that was moved is not read at its new path
                    self._keep_emptied(reconciler, location)
                    self.totals.counts["missing"] += reconciler.mark_missing()
                if is_complete:
                    self._mark_run_complete(reconciler, location, replaced_before)
            with self.timer.stage("metadata"):
                refresh = MetadataRefresh(reconciler.connection, location)
                workers = self._settings.workers
                updated = refresh_metadata(self._library, refresh, location.root, workers, self._progress)
                self.totals.counts["metadata_updated"] += updated
            with self.timer.stage("backfill_hashes"):
                decode, workers = self._settings.decode, self._settings.workers
                backfill_hashes(self._library, location, decode, workers, self._progress)

    def _last_record(self) -> int:
        """Return the last record of a replaced content that is not one of this run; 0 if this run settles all."""
        if self._settings.scan.changed is None:
            return 0
        with self._library.read() as connection:
            return last_record(connection)

    def _mark_run_complete(self, reconciler: ScanReconciler, location: RootLocation, after: int) -> None:
        """Let edited files get what users said about them, unless the run was limited to some of the files."""
        scan = self._settings.scan
        if self._settings.only_failed or scan.only is not None or (scan.changed and scan.changed.unsettled):
            return
        with self._library.read() as connection:
            if not has_replaced(connection, location, after):
                return
        with reconciler.changing() as connection:
            mark_run_complete(connection, location, after)

    def publish(self) -> None:
        """Look up places, group near-duplicates, and write the index files of the spaces whose vectors have changed."""
        self._progress.publish()
        with self.timer.stage("places"):
            update_places(self._library, self._progress)
        self._carry_over_edits()
        with self.timer.stage("group"):
            waiting, check = self._progress.waiting, self._progress.check
            update_near_duplicate_groups(self._library, self._stored, waiting=waiting, check=check)
        keep_counts(self._library)
        self._publish_index()
        self._update_approximation(self._stored)
        if self._library.revision() == self._revision:
            return
        for other in list_spaces(self._library):  # they may have vectors of pictures that were added or removed
            if other.stored.id != self._stored.id:
                self._publish_space(other.stored)
                self._update_approximation(other.stored)

    def _carry_over_edits(self) -> None:
        """Give edited files what users said about them before."""
        with self._library.read() as connection:
            if not has_completed(connection):
                return
        with self._lock() as writer, writer.transaction() as connection:
            carry_over(connection)

    def _publish_index(self) -> None:
        with self.timer.stage("publish"):
            self._publish_space(self._stored)
        self._published = perf_counter()

    def _publish_space(self, stored: StoredSpace) -> None:
        with suppress(SpaceDropped), self._lock() as writer:
            index_cache.publish(writer, stored)

    def _update_approximation(self, stored: StoredSpace) -> None:
        """Build or renew the inverted lists of a large library, if that is due. Searches are exact until then."""
        try:
            update_approximation(self._library, stored, self._progress.check)
        except LibraryUnusable as exc:
            self._progress.warn(str(exc))

    def _reconcile(
        self,
        reconciler: ScanReconciler,
        location: RootLocation,
        passed_over: PassedOverRecorder,
        pairing: CompanionPairing,
    ) -> tuple[int, StatFile]:
        """Scan the folder and compare it with the catalogue.

        Returns the number of files to read, and a function that finds the size and times of companions.
        """
        with self.timer.stage("scan"):
            seen, stat = self._scan(reconciler, location, passed_over)
            if self._settings.scan.changed is not None:
                reconciler.require_available_root()
            elif not self._settings.accept_missing:
                reconciler.require_available(seen)
            pairing.release(stat)
            restored = reconciler.update_unread()
        with self.timer.stage("metadata"):
            list_changed_pixels(reconciler, location, self._settings.workers, self._progress)
        with self.timer.stage("scan"):
            counts = reconciler.counts()
            if self._settings.scan.only is None:
                self.totals.passed_over += passed_over.replace(reconciler.changing)
        self.totals.counts.update(restored=restored, unchanged=counts.unchanged - restored, failed=counts.failed)
        return counts.pending, stat

    def _scan(
        self, reconciler: ScanReconciler, location: RootLocation, passed_over: PassedOverRecorder
    ) -> tuple[int, StatFile]:
        """Record the files of a folder; return their number and a function for their companions."""
        with folder_errors(location.root):
            if self._settings.accept_missing and not location.root.exists():
                return 0, lambda _: None
            files = scan(location.root, self._settings.scan, location.beneath, passed_over.add)
        seen = reconciler.record(self._report_progress(files))
        folder = location.root / os.fsdecode(location.beneath)
        is_partial = self._settings.scan.changed is not None  # it looks at what has changed, included or not
        if files.is_excluded and folder.is_dir() and not self._settings.accept_missing and not is_partial:
            raise FolderExcluded(folder, location.root)
        reconciler.exclude([*files.unreadable, *files.left_out])
        self.totals.unreadable.extend(str(location.root / os.fsdecode(path)) for path in files.unreadable)
        if is_partial:
            self._exclude_absent(reconciler, location, AbsentDisks(self._library, location).unmounted(reconciler))
        elif self._settings.scan.only is None:
            self._keep_absent(reconciler, location, files)
        return seen, files.stat

    def _keep_absent(self, reconciler: ScanReconciler, location: RootLocation, files: Scan) -> None:
        """Exclude the places of disks that are away, and remember where disks are mounted."""
        is_accepted = self._settings.accept_missing
        self._empty = [] if is_accepted else files.empty
        disks = AbsentDisks(self._library, location)
        away = disks.find(reconciler, files.mounted)
        disks.remember(files.mounted, away, is_accepted=is_accepted)
        if not is_accepted:
            self._exclude_absent(reconciler, location, away)

    def _keep_emptied(self, reconciler: ScanReconciler, location: RootLocation) -> None:
        """Exclude folders that are empty now, after the pictures that were moved out of them have been found."""
        self._exclude_absent(reconciler, location, reconciler.emptied(self._empty))
        self._empty = []

    def _exclude_absent(self, reconciler: ScanReconciler, location: RootLocation, folders: list[bytes]) -> None:
        reconciler.exclude(folders)
        self.totals.absent.extend(str(location.root / os.fsdecode(path)) for path in folders)

    def _report_progress(self, files: Scan) -> Iterator[ScannedFile]:
        for number, file in enumerate(files, start=1):
            if number % SCAN_REPORT_INTERVAL == 0:
                self._progress.scanned(number)
            yield file

    def _write_pending(
        self,
        reconciler: ScanReconciler,
        location: RootLocation,
        pool: ReaderPool,
        root_lock: RootLock,
        *,
        only_released: bool = False,
    ) -> bool:
        """Read, embed and write the files that the reconciler lists, again if others remove their contents.

        Returns whether all of them are written.
        """
        for _ in range(MAX_PASSES):
            pending = reconciler.pending_files(only_released=only_released)
            if not self._write_files(pending, reconciler, location, pool, root_lock):
                return True
        return False

    def _write_files(
        self,
        pending: Iterator[PendingFile],
        reconciler: ScanReconciler,
        location: RootLocation,
        pool: ReaderPool,
        root_lock: RootLock,
    ) -> int:
        """Read, embed and write files, one batch after another.

        Returns the number of files that must be read again.
        """
        postponed = 0
        lookup = partial(is_embedded, self._library, self._stored)
        reader = FileReader(location.root, lookup)
        readings = read_ahead(reader, pending, pool, self._encoder.batch_size)
        for batch, outcomes in embed_ahead(self._encoder, batches(readings, self._encoder.batch_size)):
            for reading in batch:
                self.timer.add(reading.seconds)
            self._progress.check()
            with self.timer.stage("forward"):
                embedded = outcomes()
            with self.timer.stage("write"):
                counts = reconciler.write(embedded)
            postponed += counts.pop("postponed", 0)
            self.totals.counts.update(counts)
            self._progress.advance(len(batch))
            if root_lock.is_wanted():
                self._progress.make_way()
            if perf_counter() - self._published > PUBLISH_INTERVAL_SECONDS:
                self._publish_index()
        return postponed


def _load(library: Library, encoder: Encoder | str | None, placement: Placement) -> Encoder:
    """Return the given encoder, the one of the given name, the library's, or the default one, in this order."""
    if isinstance(encoder, Encoder):
        return encoder
    stored = model_space(library)
    return registry.load_for_indexing(encoder, None if stored is None else stored.space, placement)


def _ensure_space(writer: Writer, encoder: Encoder) -> StoredSpace:
    """Return the encoder's space, which becomes the active one of a library that has none.

    Raises `SpaceMismatch` or `WeightsChanged` if the library's pictures are embedded in another space.
    """
    stored = model_space(writer.library)
    if stored is None:
        return create_active_space(writer, encoder.space)
    if stored.space.fingerprint != encoder.space.fingerprint:
        if stored.space.title == encoder.space.title:
            raise WeightsChanged(str(stored.space), str(encoder.space), encoder.space.model)
        raise SpaceMismatch(str(stored.space), str(encoder.space))
    return stored
