"""Change the model of a library: embed all its pictures with another model, while searches still use the old one.

    fill                              while no other process fills the same space:
      missing_embeddings                store.spaces        contents without a vector in the space
      FileEmbedder.embed                indexer.runner      from any file that still has the content's bytes
      space_fill.add                    store.spaces        one transaction for each batch
      index_cache.publish               store.spaces        write the index file
      space_fill.end                    store.spaces        switch searches to the new space

The library is locked only for each of the writes, so that index runs can continue in between and while the index file
is written, and for the last step, which embeds the pictures that they have added since. A run that is stopped or killed
loses at most the batch in flight, and the next one continues from there.
"""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from core.errors import LibraryUnusable, SpaceIncomplete
from core.root_files import root_files
from encoders.base import Encoder
from indexer.reader import Reading, reading_of
from indexer.reader_pool import default_workers
from indexer.runner import FileEmbedder, LocalRunner
from indexer.summary import Progress
from pictures.decode import DecodeSettings
from pictures.reading import ReadFile, ReadRequest, ReadSettings
from store.frames import EmbeddedFrames
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected
from store.library import Library
from store.roots import folder_roots
from store.spaces import index_cache, space_fill
from store.spaces.approximation import update_approximation
from store.spaces.coverage import Coverage, MissingEmbedding, count_missing, coverage, missing_embeddings
from store.spaces.registry import StoredSpace

__all__ = ["FillResult", "FillSettings", "fill", "switch"]

MAX_LAST_STEP_VECTORS = 64
"""Vectors that may be left for the last step, during which no other process can change the library."""

MIN_COVERAGE = 0.5
"""Share of the present pictures that a space must have vectors of before searches may use it."""


@dataclass(frozen=True)
class FillSettings:
    """How to fill a space.

    `workers` is the number of readers (see `indexer.reader_pool`). `switch` makes searches use the space afterwards.
    `accept_missing` allows this even if the space covers little of the library or a folder is not available.
    """

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    workers: int = field(default_factory=default_workers)
    switch: bool = True
    accept_missing: bool = False


@dataclass(frozen=True)
class FillResult:
    """The outcome of filling a space: the number of new vectors, and how much of the library the space covers."""

    stored: StoredSpace
    embedded: int
    coverage: Coverage
    switched: bool
    seconds: float
    unavailable: tuple[Path, ...] = ()
    """Folders of the library that could not be read because they are gone or empty."""


def fill(
    library: Library, encoder: Encoder, settings: FillSettings | None = None, progress: Progress | None = None
) -> FillResult:
    """Embed all pictures of the library that have no vector in the space of `encoder`, and switch searches to it.

    Waits while another process fills the same space. Raises `SpaceIncomplete` if the space covers too little of the
    library to be used (its vectors are kept), `SpaceDropped` if it is dropped during the run, and `LibraryUnusable`.
    """
    started = perf_counter()
    settings, progress = settings or FillSettings(), progress or Progress()
    reading = ReadSettings(encoder.preprocess, settings.decode)
    workers = LocalRunner(settings.workers).start(encoder, reading, progress.warn)
    waiting, check = progress.waiting, progress.check
    with library.space_fill_lock(encoder.space.fingerprint, waiting, check), workers as embedder:
        with library.exclusive(waiting, check) as writer:
            stored = space_fill.begin(writer, encoder.space)
        run = _FillRun(library, stored, embedder, settings, progress)
        run.embed_added()
        run.publish()
        run.embed_added()  # while the file was written
        with library.exclusive(waiting, check) as writer:  # from here on no pictures are added
            run.embed_missing(is_locked=True)
            covered = run.require_enough()
            space_fill.end(writer, stored, switch=settings.switch)
        run.publish()
        run.update_approximation()
    seconds = perf_counter() - started
    return FillResult(stored, run.counts["embedded"], covered, settings.switch, seconds, run.unavailable)


def switch(
    library: Library, stored: StoredSpace, settings: FillSettings | None = None, progress: Progress | None = None
) -> FillResult:
    """Switch searches to a space without embedding anything, as is necessary for imported spaces.

    Raises `SpaceIncomplete` if it covers too little of the library, and `SpaceDropped`.
    """
    started = perf_counter()
    settings, progress = settings or FillSettings(), progress or Progress()
    vectors = len(index_cache.publish(library, stored, progress.waiting, progress.check).index)
    with library.exclusive(progress.waiting, progress.check) as writer:
        covered = coverage(library, stored)
        if not (settings.accept_missing or vectors >= covered.pictures * MIN_COVERAGE):
            raise SpaceIncomplete(str(stored.space), covered.embedded, covered.pictures, ())
        space_fill.end(writer, stored, switch=settings.switch)
    return FillResult(stored, 0, covered, settings.switch, perf_counter() - started)


class _FillRun:
    """One run over the contents without a vector. Adds up the outcomes."""

    def __init__(
        self,
        library: Library,
        stored: StoredSpace,
        embedder: FileEmbedder,
        settings: FillSettings,
        progress: Progress,
    ) -> None:
        self.counts = Counter[str]()
        self.unavailable: tuple[Path, ...] = ()
        self._library = library
        self._stored = stored
        self._embedder = embedder
        self._settings = settings
        self._progress = progress

    def embed_missing(self, *, is_locked: bool = False) -> int:
        """Embed the contents that have no vector now; return the number of new vectors.

        A run that holds the lock of the library (`is_locked`) does not stop for others.
        """
        roots = self._available_roots()
        self._progress.begin(count_missing(self._library, self._stored, roots))
        before = self.counts["embedded"]
        missing = missing_embeddings(self._library, self._stored, roots)
        for batch in self._embedder.embed(_ContentReader(), missing):
            if not is_locked:
                self._progress.check()
            self._write(batch.outcomes())
            self._progress.advance(batch.files)
        return self.counts["embedded"] - before

    def embed_added(self) -> None:
        """Embed what index runs have added, until it is so little that the last step can embed the rest."""
        while self.embed_missing() > MAX_LAST_STEP_VECTORS:
            pass

    def require_enough(self) -> Coverage:
        """Return the coverage of the space. Raises `SpaceIncomplete` if it is too low to switch to the space."""
        covered = coverage(self._library, self._stored)
        unavailable = [root for root, path in folder_roots(self._library) if path in self.unavailable]
        missing = count_missing(self._library, self._stored, unavailable)
        enough = covered.embedded >= covered.pictures * MIN_COVERAGE and not missing
        if self._settings.switch and not (enough or self._settings.accept_missing):
            folders = self.unavailable if missing else ()
            raise SpaceIncomplete(str(self._stored.space), covered.embedded, covered.pictures, folders)
        return covered

    def publish(self) -> None:
        """Write the index file, so that the first search after the switch does not have to build the index."""
        self._progress.publish()
        index_cache.publish(self._library, self._stored, self._progress.waiting, self._progress.check)

    def update_approximation(self) -> None:
        """Build the inverted lists of a large library. Searches are exact until then."""
        try:
            update_approximation(self._library, self._stored, self._progress.check)
        except LibraryUnusable as exc:
            self._progress.warn(str(exc))

    def _write(self, outcomes: Sequence[FileOutcome]) -> None:
        accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
        embedded = {
            _content_id(each): EmbeddedFrames(each.frames, each.vectors)
            for each in accepted
            if each.vectors is not None
        }
        faults = {_content_id(each): each.fault for each in accepted if each.fault is not None}
        if embedded or faults:
            with self._library.exclusive(self._progress.waiting, self._progress.check) as writer:
                self.counts["embedded"] += space_fill.add(writer, self._stored, embedded, faults)

    def _available_roots(self) -> list[int]:
        """Return the roots that are available, and note the others: files of an unmounted disk are not tried."""
        roots = folder_roots(self._library)
        self.unavailable = tuple(path for _, path in roots if not _has_entries(path))
        return [root for root, path in roots if path not in self.unavailable]


class _ContentReader:
    """Reads a content from the first of its files that still has its bytes."""

    def request(self, item: MissingEmbedding) -> ReadRequest:
        """Return all files of the content."""
        paths = tuple(os.path.join(os.fsencode(root), relpath) for root, relpath in item.files)  # noqa: PTH118 (bytes)
        return ReadRequest(paths, digest=item.digest)

    def is_embedded(self, digest: bytes, /) -> bool:  # noqa: ARG002 (its contents have no vector)
        """Return False."""
        return False

    def reading(self, item: MissingEmbedding, file: ReadFile | None) -> Reading:
        """Return the pixels of the content, or a rejection if none of its files has its bytes."""
        if file is None or file.pixels is None:
            nowhere = PendingFile(b"", content_id=item.content_id)
            return Reading(Rejected(nowhere, 0, 0, "gone", "no file has this content now", transient=True))
        _, relpath = item.files[file.path]
        pending = PendingFile(relpath, content_id=item.content_id, size_is_known=False)
        return reading_of(pending, file)


def _content_id(accepted: Accepted) -> int:
    if accepted.file.content_id is None:
        raise LookupError("a file that is read for a space must belong to a content of the catalogue")
    return accepted.file.content_id


def _has_entries(folder: Path) -> bool:
    """Return whether a folder exists and is not empty. The mount point of an unmounted disk is an empty folder."""
    with suppress(OSError):
        return root_files(folder).has_entries()
    return False
