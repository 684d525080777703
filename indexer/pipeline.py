"""Index folders: bring a library up to date with the pictures in them.

The path of a file, in the order of the calls:

    index                                     for each folder, while no other process indexes its root:
      FolderScan.reconcile                      indexer.folder_scan
        scan                                      indexer.scan        walk the folder
        ScanReconciler.record ... pending_files   store.ingest        compare with the catalogue
      FileEmbedder.embed                        indexer.runner      here, or on several machines:
        read_ahead(FileReader)                    indexer.reader_pool bytes, digest, pixels, metadata, hash
        batches, embed_ahead                      indexer.batching    one forward pass for each batch
      ScanReconciler.write                      store.ingest        one transaction for each batch
      CompanionPairing                          store.ingest        RAW files and moving parts of readable pictures
      ScanReconciler.mark_missing               store.ingest        files that are gone
      refresh_metadata, backfill_hashes         indexer.refresh     files that need no embedding
    Publisher.publish                         indexer.publishing  near-duplicates, and the index file

The library is locked only for each of the writes, so that tags, a change of the model and runs over other roots go on
in between. If the model is changed, or the root is merged into another one, the folder is scanned again.

Memory is bounded by the batch and the readers, not by the size of the library. A process that is killed loses at most
the batch in flight, or three with a model on a GPU: all earlier pictures are in the catalogue together with their
vectors, and the next run continues from there.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

from core.errors import FolderExcluded, FolderUnreadable, RootUnavailable, SpaceMismatch, WeightsChanged
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer.folder_scan import FolderScan
from indexer.folders import folder_to_index, outermost, require_folder
from indexer.publishing import Publisher
from indexer.reader import FileReader
from indexer.refresh import backfill_hashes, refresh_metadata
from indexer.run import IndexSettings, RunContext
from indexer.runner import EmbeddedBatch, FileEmbedder
from indexer.summary import Progress, Summary
from pictures.extras import reasons_to_wait
from pictures.reading import ReadSettings
from store.derived_columns import complete_paths
from store.ingest.embedded_digests import EmbeddedDigests
from store.ingest.metadata import MetadataRefresh
from store.ingest.pairing import CompanionPairing
from store.ingest.passed_over import PassedOverRecorder
from store.ingest.reconcile import ScanOutdated, ScanReconciler, open_reconciler
from store.ingest.replaced_contents import has_replaced, last_record, mark_run_complete
from store.ingest.scan_comparison import ReconcileSettings
from store.library import Library, Writer
from store.library_locks import RootLock
from store.roots import RootLocation, ensure_root
from store.spaces.registry import StoredSpace, create_active_space, model_space

__all__ = ["IndexSettings", "index"]

MANY_FILES = 10_000
"""New files after which the database is asked to count its rows."""

MAX_PASSES = 3
"""How often a file is read whose content another process removes at the same time; the next run tries again."""


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
    folders = [folder_to_index(path) for path in ([paths] if isinstance(paths, (Path, str)) else paths)]
    for folder in folders:
        require_folder(library, folder, accept_missing=settings.accept_missing)
    context = RunContext(library, settings, progress)
    run = _IndexRun(context, partial(_load, library, encoder, placement))
    try:
        run.index_folders(outermost(folders))
    except (FolderExcluded, FolderUnreadable, RootUnavailable):
        run.publish()  # the folders before this one are complete
        raise
    run.publish()
    if context.totals.counts["new"] >= MANY_FILES:
        library.note_many_changes()
    totals, seconds = context.totals, perf_counter() - started
    unreadable, absent = tuple(totals.unreadable), tuple(sorted(set(totals.absent)))
    seconds_by_stage = context.timer.seconds
    return Summary.of(
        totals.counts, unreadable, tuple(totals.too_long), absent, seconds_by_stage, seconds, totals.passed_over
    )


class _IndexRun:
    """One run over several folders, with the model that it has chosen."""

    def __init__(self, context: RunContext, load: Callable[[], Encoder]) -> None:
        self._context = context
        self._load = load
        self._encoder, self._stored = self._choose_model()
        self._publisher = Publisher(context)

    def _choose_model(self) -> tuple[Encoder, StoredSpace]:
        with self._context.lock() as writer:
            encoder = self._load()  # not before: another process may have changed the model
            return encoder, _ensure_space(writer, encoder)

    def index_folders(self, folders: Iterable[Path]) -> None:
        """Do everything for each folder except publishing."""
        remaining = list(folders)
        while remaining:
            before = copy.deepcopy(self._context.totals)
            try:
                self._index_next(remaining)
            except ScanOutdated:
                before.counts["embedded"] = self._context.totals.counts["embedded"]
                self._context.totals = before
                self._publisher.publish_index(self._stored)  # of the space that no further pictures are added to
                self._encoder, self._stored = self._choose_model()

    def publish(self) -> None:
        """Publish what was written."""
        self._publisher.publish(self._stored)

    def _index_next(self, remaining: list[Path]) -> None:
        """Index the folders that remain with one model. Raises `ScanOutdated` if the first of them must be repeated."""
        settings = self._context.settings
        reading = ReadSettings(self._encoder.preprocess, settings.decode)
        with settings.chosen_runner.start(self._encoder, reading, self._context.progress.warn) as embedder:
            while remaining:
                self._index_folder(remaining[0], embedder)
                del remaining[0]

    def _index_folder(self, folder: Path, embedder: FileEmbedder) -> None:
        """Do everything for one folder except publishing."""
        context, settings, progress = self._context, self._context.settings, self._context.progress
        with context.lock() as writer:
            location = ensure_root(writer, folder)
        complete_paths(context.library, location, context.lock)
        reconciling = ReconcileSettings(
            full=settings.full,
            only_failed=settings.only_failed,
            permanent_reasons=reasons_to_wait(),
            pixel_limit=settings.decode.pixel_limit,
        )
        wait = partial(progress.waiting_for_root, location.root)
        with (
            context.library.root_lock(location.root, wait, progress.check) as root_lock,
            open_reconciler(context.library, location, self._stored, reconciling, context.lock) as reconciler,
        ):
            replaced_before = self._last_record()
            pairing = CompanionPairing(reconciler.connection, location, self._stored, reconciler.changing)
            folder_scan = FolderScan(context, location, reconciler)
            pending, stat = folder_scan.reconcile(PassedOverRecorder(reconciler.connection, location), pairing)
            progress.begin(pending)
            write_pending = partial(self._write_pending, reconciler, location, embedder, root_lock)
            is_complete = write_pending()
            if pairing.release(stat):  # of pictures that turned out to be unreadable
                context.totals.counts["restored"] += reconciler.update_unread()
                is_complete &= write_pending(only_released=True)
            with context.timer.stage("write"):
                context.totals.counts["companions"] += pairing.pair()
                if not settings.only_failed:  # a file that was moved is not read at its new path
                    folder_scan.keep_emptied()
                    context.totals.counts["missing"] += reconciler.mark_missing()
                if is_complete:
                    self._mark_run_complete(reconciler, location, replaced_before)
            self._refresh(reconciler, location)

    def _refresh(self, reconciler: ScanReconciler, location: RootLocation) -> None:
        """Read what is new in files whose pixels need no reading."""
        context, workers = self._context, self._context.settings.workers
        with context.timer.stage("metadata"):
            refresh = MetadataRefresh(reconciler.connection, location)
            updated = refresh_metadata(context.library, refresh, location.root, workers, context.progress)
            context.totals.counts["metadata_updated"] += updated
        with context.timer.stage("backfill_hashes"):
            backfill_hashes(context.library, location, context.settings.decode, workers, context.progress)

    def _last_record(self) -> int:
        """Return the last record of a replaced content that is not one of this run; 0 if this run settles all."""
        if self._context.settings.scan.changed is None:
            return 0
        with self._context.library.read() as connection:
            return last_record(connection)

    def _mark_run_complete(self, reconciler: ScanReconciler, location: RootLocation, after: int) -> None:
        """Let edited files keep their user data, unless the run was limited to some of the files."""
        settings = self._context.settings
        scan = settings.scan
        if settings.only_failed or scan.only is not None or (scan.changed and scan.changed.unsettled):
            return
        with self._context.library.read() as connection:
            if not has_replaced(connection, location, after):
                return
        with reconciler.changing() as connection:
            mark_run_complete(connection, location, after)

    def _write_pending(
        self,
        reconciler: ScanReconciler,
        location: RootLocation,
        embedder: FileEmbedder,
        root_lock: RootLock,
        *,
        only_released: bool = False,
    ) -> bool:
        """Read, embed and write the files that the reconciler lists, again if others remove their contents.

        Returns whether all of them are written.
        """
        for _ in range(MAX_PASSES):
            embedded = EmbeddedDigests(self._context.library, self._stored)
            pending = reconciler.pending_files(only_released=only_released, embedded=embedded)
            reader = FileReader(location.root, embedded.has)
            if not self._write_files(embedder.embed(reader, pending), embedded, reconciler, root_lock):
                return True
        return False

    def _write_files(
        self,
        batches: Iterator[EmbeddedBatch],
        embedded: EmbeddedDigests,
        reconciler: ScanReconciler,
        root_lock: RootLock,
    ) -> int:
        """Write files, one batch after another.

        Returns the number of files that must be read again.
        """
        context, postponed = self._context, 0
        for batch in batches:
            context.timer.add(batch.seconds)
            context.progress.check()
            with context.timer.stage("forward"):
                outcomes = batch.outcomes()
            with context.timer.stage("write"):
                counts = reconciler.write(outcomes)
            embedded.add_written(outcomes)
            postponed += counts.pop("postponed", 0)
            context.totals.counts.update(counts)
            context.progress.advance(batch.files)
            if root_lock.is_wanted():
                context.progress.make_way()
            self._publisher.publish_if_due(self._stored)
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
