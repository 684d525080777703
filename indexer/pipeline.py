"""The way in: scan, compare, read, embed, commit.

    scan ──> census ──────────> reader threads ──> batches ──> encoder ──> one transaction ──> index file
             (what must be read)  (bounded)        (each tensor with its picture)

Memory is bounded by the batch and the readers, whatever the size of the library. A run that is killed at any moment
loses at most the batch in flight: every other picture is in the catalogue together with its vector, and the next run
goes on from there.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from core.errors import (
    FolderPassedOver,
    FolderUnreadable,
    NoSuchFolder,
    PictureUnsupported,
    RootUnavailable,
    SpaceMismatch,
    WeightsChanged,
)
from encoders.base import Encoder
from indexer.backfill_hashes import look_again
from indexer.batching import batches, embed, read_ahead
from indexer.reader import Reader, Reading
from indexer.refresh_metadata import renew_remarks
from indexer.scan import FoundFile, Scan, ScanSettings, scan
from indexer.summary import Progress, Summary
from pictures.decode import DecodeSettings, heif_is_installed
from store import queries
from store.ingest.reconcile import Census, Sighting, open_census
from store.library import Library
from store.near_duplicates.groups import update_stacks
from store.roots import Place, count_present, ensure_root, find_place
from store.spaces import index_cache
from store.spaces.registry import StoredSpace, activate, list_spaces, model_space, register

__all__ = ["IndexSettings", "index"]

SCAN_REPORT = 1_000
"""Files between two reports of a scan's progress."""

PUBLISH_EVERY = 300.0
"""Seconds between two index files of a long run. Whoever searches meanwhile adds only what came since the last one."""


@dataclass(frozen=True)
class IndexSettings:
    """How to index.

    `workers` reader threads; `full` reads every file again, whatever its size and time say; `accept_missing` believes
    that a folder is empty when it looks so.
    """

    scan: ScanSettings = field(default_factory=ScanSettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    workers: int = field(default_factory=lambda: min(os.cpu_count() or 1, 8))
    full: bool = False
    accept_missing: bool = False


def index(
    library: Library,
    paths: Path | str | Iterable[Path | str],
    encoder: Encoder,
    settings: IndexSettings | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Brings the library up to date with one folder or several; waits while another process is changing it.

    Raises `NoSuchFolder`, `FolderUnreadable`, `FolderPassedOver` (its root leaves it out), `RootUnavailable` (a known
    folder is gone or suddenly nearly empty; nothing was changed), `SpaceMismatch` (the library's pictures are embedded
    by another model), `LibraryUnusable`, and `ValueError` for an exclude pattern that has no meaning.
    """
    started = perf_counter()
    settings, progress = settings or IndexSettings(), progress or Progress()
    named = [paths] if isinstance(paths, (Path, str)) else paths
    # Links stay as the user named them, and a home folder that is not known is a folder that is not there.
    folders = [Path(os.path.abspath(os.path.expanduser(path))) for path in named]  # noqa: PTH100, PTH111
    with library.writer_lock(progress.waiting):
        for folder in folders:
            _require_folder(library, folder, settings)
        run = _Run(library, _space(library, encoder), encoder, settings, progress)
        try:
            for folder in _outermost(folders):
                run.cover(ensure_root(library, folder))
        except (FolderPassedOver, FolderUnreadable, RootUnavailable):
            run.publish()  # what the folders before it held is settled
            raise
        run.publish()
    return Summary.of(run.counts, tuple(run.unreadable), run.timings, perf_counter() - started)


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """`folders` without those that lie in another or are named again: each file is counted once."""
    return [folder for folder in dict.fromkeys(folders) if not any(outer in folder.parents for outer in folders)]


def _require_folder(library: Library, folder: Path, settings: IndexSettings) -> None:
    """Raises what is wrong with `folder`, unless it is gone and meant to be."""
    with _listing(folder):
        if folder.is_dir():
            return
        if folder.exists():
            raise NoSuchFolder(folder)
    place = find_place(library, folder)
    known = count_present(library, place) if place else 0
    if not known:
        raise NoSuchFolder(folder)
    if not settings.accept_missing:
        raise RootUnavailable(folder, known, 0)


@contextmanager
def _listing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:  # no permission, a dead mount
        raise FolderUnreadable(folder, exc.strerror or str(exc)) from exc


def _space(library: Library, encoder: Encoder) -> StoredSpace:
    """The space to fill: the encoder's, which must be the one the library's pictures have, if they have any yet."""
    known = model_space(library)
    if known is None:
        with library.write() as connection:
            stored = register(connection, encoder.space)
            activate(connection, stored)
        return stored
    if known.space.fingerprint != encoder.space.fingerprint:
        if known.space.model == encoder.space.model:
            raise WeightsChanged(str(known.space), str(encoder.space), encoder.space.model)
        raise SpaceMismatch(str(known.space), str(encoder.space))
    return known


def _hopeless() -> list[str]:
    """Reasons of failures that no other try can mend now: without its extra, every HEIC would be read at every run."""
    return [] if heif_is_installed() else [PictureUnsupported.reason]


def _sighting(file: FoundFile) -> Sighting:
    beside = file.sidecar
    if beside is None:
        return Sighting(file.relpath, file.size, file.mtime_ns)
    return Sighting(file.relpath, file.size, file.mtime_ns, beside.relpath, beside.size, beside.mtime_ns)


class _Run:
    """One run over several places, adding up what became of their files and where the time went."""

    def __init__(
        self, library: Library, stored: StoredSpace, encoder: Encoder, settings: IndexSettings, progress: Progress
    ) -> None:
        self.counts = Counter[str]()
        self.timings: dict[str, float] = {}
        self.unreadable: list[str] = []
        self._library = library
        self._stored = stored
        self._encoder = encoder
        self._settings = settings
        self._progress = progress
        self._published = perf_counter()
        self._revision = library.revision()

    def cover(self, place: Place) -> None:
        """Everything for one place but the index file."""
        full, hopeless = self._settings.full, _hopeless()
        with open_census(self._library, place, self._stored, full=full, hopeless=hopeless) as census:
            with self._timed("scan"):
                seen = self._record(census, place)
                if not self._settings.accept_missing:
                    census.guard(seen)
                restored = census.restore()
                standing = census.standing()
            self.counts["restored"] += restored
            self.counts["unchanged"] += standing.unchanged - restored
            self.counts["failed"] += standing.failed
            self._progress.begin(standing.pending)
            self._ingest(census, place)
            with self._timed("write"):
                self.counts["missing"] += census.mark_missing()
            with self._timed("remarks"):
                self.counts["remarks"] += renew_remarks(census.connection, place, self._settings.workers)
        with self._timed("looks"):
            look_again(self._library, place, self._settings.decode, self._settings.workers)

    def publish(self) -> None:
        """Groups near-duplicates, and writes the index file, if there is anything new to group or to write."""
        self._progress.publish()
        with self._timed("group"):
            update_stacks(self._library, self._stored)
        self._publish()
        if self._library.revision() == self._revision:
            return
        for other, _, _ in list_spaces(self._library):  # which may hold vectors of the pictures that came or went
            if other.id != self._stored.id:
                index_cache.publish(self._library, other)

    def _publish(self) -> None:
        with self._timed("publish"):
            index_cache.publish(self._library, self._stored)
        self._published = perf_counter()

    def _ingest(self, census: Census, place: Place) -> None:
        reader = Reader(place.root, self._encoder.preprocess, self._settings.decode, self._known)
        readings = read_ahead(reader, census.pending(), self._settings.workers)
        for batch in batches(readings, self._encoder.batch_size):
            self._note(batch)
            with self._timed("forward"):
                outcomes = embed(self._encoder, batch)
            with self._timed("write"):
                self.counts.update(census.commit(outcomes))
            self._progress.advance(len(batch))
            if perf_counter() - self._published > PUBLISH_EVERY:
                self._publish()

    def _record(self, census: Census, place: Place) -> int:
        """Takes what there is to see into the census; returns how many files that is."""
        with _listing(place.root):
            if self._settings.accept_missing and not place.root.exists():
                return 0
            found = scan(place.root, self._settings.scan, place.beneath)
        seen = census.record(self._sightings(found))
        folder = place.root / os.fsdecode(place.beneath)
        if found.passed_over and folder.is_dir() and not self._settings.accept_missing:
            raise FolderPassedOver(folder, place.root)
        census.spare(found.unreadable)
        self.unreadable.extend(str(place.root / os.fsdecode(folder)) for folder in found.unreadable)
        return seen

    def _sightings(self, found: Scan) -> Iterator[Sighting]:
        for number, file in enumerate(found, start=1):
            if number % SCAN_REPORT == 0:
                self._progress.scanned(number)
            yield _sighting(file)

    def _known(self, digest: bytes) -> bool:
        with self._library.read() as connection:
            return queries.has_embedding(connection, self._stored, digest)

    def _note(self, batch: Sequence[Reading]) -> None:
        for reading in batch:
            for stage, seconds in reading.seconds.items():
                self.timings[stage] = self.timings.get(stage, 0.0) + seconds

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self.timings[stage] = self.timings.get(stage, 0.0) + perf_counter() - started
