"""Index folders: bring a library up to date with the pictures in them.

The path of a file, in the order of the calls:

    index                                     for each folder, while no other process changes the library:
      scan                                      indexer.scan        walk the folder
      ScanReconciler.record ... pending_files   store.ingest        compare with the catalogue
      read_ahead(FileReader)                    indexer.reader_pool bytes, digest, pixels, metadata, hash
      batches, embed_ahead                      indexer.batching    one forward pass for each batch
      ScanReconciler.write                      store.ingest        one transaction for each batch
      ScanReconciler.mark_missing               store.ingest        files that are gone
      refresh_metadata, backfill_hashes         indexer.refresh     files that need no embedding
    publish                                   store.spaces        near-duplicates, and the index file

Memory is bounded by the batch and the readers, not by the size of the library. A process that is killed loses at most
the batch in flight, or three with a model on a GPU: all earlier pictures are in the catalogue together with their
vectors, and the next run continues from there.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

from core.errors import (
    FolderExcluded,
    FolderNotFound,
    FolderUnreadable,
    PictureUnsupported,
    RootUnavailable,
    SpaceMismatch,
    WeightsChanged,
)
from core.files import absolute
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer.batching import batches, embed_ahead, read_ahead
from indexer.reader import FileReader
from indexer.reader_pool import ReaderPool, default_workers
from indexer.refresh import backfill_hashes, refresh_metadata
from indexer.scan import Scan, ScanSettings, scan
from indexer.summary import Progress, StageTimer, Summary
from pictures.decode import DecodeSettings, heif_is_installed
from pictures.reading import ReadSettings
from store.ingest.metadata import MetadataRefresh
from store.ingest.reconcile import ReconcileSettings, ScanReconciler, open_reconciler
from store.ingest.scanned_files import ScannedFile
from store.library import Library, Writer
from store.near_duplicates.groups import update_near_duplicate_groups
from store.roots import RootLocation, count_present, ensure_root, find_location
from store.spaces import index_cache
from store.spaces.embeddings import is_embedded
from store.spaces.registry import StoredSpace, create_active_space, list_spaces, model_space

__all__ = ["IndexSettings", "index"]

SCAN_REPORT_INTERVAL = 1_000
"""Files between two reports of a scan's progress."""

PUBLISH_INTERVAL_SECONDS = 300.0
"""Time between two index files during a long run. A search adds the vectors that are newer than the last file."""


@dataclass(frozen=True)
class IndexSettings:
    """How to index.

    `workers` is the number of readers (see `indexer.reader_pool`). `full` reads every file again, even if its size and
    modification time are unchanged. `accept_missing` accepts that a folder is empty or gone although the library has
    pictures of it.
    """

    scan: ScanSettings = field(default_factory=ScanSettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    workers: int = field(default_factory=default_workers)
    full: bool = False
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
    """Bring the library up to date with one or more folders; wait while another process is changing it.

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
    with library.exclusive(progress.waiting) as writer:
        for folder in folders:
            _require_folder(library, folder, settings)
        encoder = _load(library, encoder, placement)  # not before: another process may have changed the model
        run = _IndexRun(writer, _ensure_space(writer, encoder), encoder, settings, progress)
        try:
            run.index_folders(_outermost(folders))
        except (FolderExcluded, FolderUnreadable, RootUnavailable):
            run.publish()  # the folders before this one are complete
            raise
        run.publish()
    return Summary.of(run.counts, tuple(run.unreadable), run.timer.seconds, perf_counter() - started)


class _IndexRun:
    """One run over several folders. Adds up the outcomes of their files and the time spent by stage."""

    def __init__(
        self, writer: Writer, stored: StoredSpace, encoder: Encoder, settings: IndexSettings, progress: Progress
    ) -> None:
        self.counts = Counter[str]()
        self.unreadable: list[str] = []
        self.timer = StageTimer()
        self._writer = writer
        self._library = writer.library
        self._stored = stored
        self._encoder = encoder
        self._settings = settings
        self._progress = progress
        self._published = perf_counter()
        self._revision = writer.library.revision()

    def index_folders(self, folders: Iterable[Path]) -> None:
        """Do everything for each folder except publishing."""
        settings = ReadSettings(self._encoder.preprocess, self._settings.decode)
        with ReaderPool(settings, self._settings.workers, notice=self._progress.warn) as pool:
            for folder in folders:
                self._index_folder(ensure_root(self._writer, folder), pool)

    def _index_folder(self, location: RootLocation, pool: ReaderPool) -> None:
        """Do everything for one folder except publishing."""
        settings = ReconcileSettings(full=self._settings.full, permanent_reasons=_permanent_reasons())
        with open_reconciler(self._writer, location, self._stored, settings) as reconciler:
            self._progress.begin(self._reconcile(reconciler, location))
            self._write_pending(reconciler, location, pool)
            with self.timer.stage("write"):
                self.counts["missing"] += reconciler.mark_missing()
            with self.timer.stage("metadata"):
                refresh = MetadataRefresh(reconciler.connection, location)
                self.counts["metadata_updated"] += refresh_metadata(refresh, location.root, self._settings.workers)
        with self.timer.stage("backfill_hashes"):
            backfill_hashes(self._writer, location, self._settings.decode, self._settings.workers)

    def publish(self) -> None:
        """Group near-duplicates, and write the index files of the spaces whose vectors have changed."""
        self._progress.publish()
        with self.timer.stage("group"):
            update_near_duplicate_groups(self._writer, self._stored)
        self._publish_index()
        if self._library.revision() == self._revision:
            return
        for other in list_spaces(self._library):  # they may have vectors of pictures that were added or removed
            if other.stored.id != self._stored.id:
                index_cache.publish(self._writer, other.stored)

    def _publish_index(self) -> None:
        with self.timer.stage("publish"):
            index_cache.publish(self._writer, self._stored)
        self._published = perf_counter()

    def _reconcile(self, reconciler: ScanReconciler, location: RootLocation) -> int:
        """Scan the folder and compare it with the catalogue; return the number of files to read."""
        with self.timer.stage("scan"):
            seen = self._scan(reconciler, location)
            if not self._settings.accept_missing:
                reconciler.require_available(seen)
            restored = reconciler.restore()
            counts = reconciler.counts()
        self.counts.update(restored=restored, unchanged=counts.unchanged - restored, failed=counts.failed)
        return counts.pending

    def _scan(self, reconciler: ScanReconciler, location: RootLocation) -> int:
        """Record the files of a folder; return their number."""
        with _os_errors(location.root):
            if self._settings.accept_missing and not location.root.exists():
                return 0
            files = scan(location.root, self._settings.scan, location.beneath)
        seen = reconciler.record(self._report_progress(files))
        folder = location.root / os.fsdecode(location.beneath)
        if files.is_excluded and folder.is_dir() and not self._settings.accept_missing:
            raise FolderExcluded(folder, location.root)
        reconciler.exclude(files.unreadable)
        self.unreadable.extend(str(location.root / os.fsdecode(path)) for path in files.unreadable)
        return seen

    def _report_progress(self, files: Scan) -> Iterator[ScannedFile]:
        for number, file in enumerate(files, start=1):
            if number % SCAN_REPORT_INTERVAL == 0:
                self._progress.scanned(number)
            yield file

    def _write_pending(self, reconciler: ScanReconciler, location: RootLocation, pool: ReaderPool) -> None:
        """Read, embed and write the files that the reconciler lists, one batch after another."""
        lookup = partial(is_embedded, self._library, self._stored)
        reader = FileReader(location.root, lookup)
        readings = read_ahead(reader, reconciler.pending_files(), pool, self._encoder.batch_size)
        for batch, outcomes in embed_ahead(self._encoder, batches(readings, self._encoder.batch_size)):
            for reading in batch:
                self.timer.add(reading.seconds)
            with self.timer.stage("forward"):
                embedded = outcomes()
            with self.timer.stage("write"):
                self.counts.update(reconciler.write(embedded))
            self._progress.advance(len(batch))
            if perf_counter() - self._published > PUBLISH_INTERVAL_SECONDS:
                self._publish_index()


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


def _require_folder(library: Library, folder: Path, settings: IndexSettings) -> None:
    """Raise what is wrong with `folder`. An indexed folder may be gone if `accept_missing` is set."""
    with _os_errors(folder):
        if folder.is_dir():
            return
        if folder.exists():
            raise FolderNotFound(folder)
    location = find_location(library, folder)
    present = count_present(library, location) if location else 0
    if not present:
        raise FolderNotFound(folder)
    if not settings.accept_missing:
        raise RootUnavailable(folder, present, 0)


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """Return `folders` without repetitions and without those inside another, so that each file is counted once."""
    return [folder for folder in dict.fromkeys(folders) if not any(outer in folder.parents for outer in folders)]


def _permanent_reasons() -> list[str]:
    """Return the reasons of failures that cannot succeed now: without its extra, no HEIC file needs reading again."""
    return [] if heif_is_installed() else [PictureUnsupported.reason]


@contextmanager
def _os_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:  # no permission, a dead mount
        raise FolderUnreadable(folder, exc.strerror or str(exc)) from exc
