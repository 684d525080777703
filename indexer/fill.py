"""Another model for a library: its space is filled with what the library holds while the old one goes on answering.

    contents without a vector ──> reader threads ──> batches ──> encoder ──> one transaction ──> index file ──> switch

The bytes of a content are read again from one of its files, and only used if they are still the same; otherwise they
are left to the next index run. The writer lock is held for moments, so that index runs and others have their turn, and
for the last step: whatever came in meanwhile is embedded before the new space answers. A run that is stopped or killed
loses at most the batch in flight, and the next one goes on from there.
"""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from core.errors import SpaceIncomplete
from encoders.base import Encoder
from encoders.preprocess import Preprocess
from indexer.batching import batches, embed, read_ahead
from indexer.reader import Reader, Reading
from indexer.summary import Progress
from pictures.decode import DecodeSettings
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected
from store.library import Library, Writer
from store.roots import folder_roots
from store.spaces import index_cache, space_fill
from store.spaces.coverage import Coverage, MissingEmbedding, count_missing, coverage, missing_embeddings
from store.spaces.registry import StoredSpace

__all__ = ["FillSettings", "Filled", "fill", "switch"]

PAGE = 500
"""Contents asked for at a time."""

FEW = 64
"""So few vectors may be left for the last step, during which nobody else changes the library."""

ENOUGH = 0.5
"""Of the pictures that are present, the share that a space must have vectors of before it answers."""


@dataclass(frozen=True)
class FillSettings:
    """How to fill a space.

    `workers` reader threads; `switch` lets it answer afterwards; `accept_missing` does so even though it covers little
    of the library, or a folder is not there.
    """

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    workers: int = field(default_factory=lambda: min(os.cpu_count() or 1, 8))
    switch: bool = True
    accept_missing: bool = False


@dataclass(frozen=True)
class Filled:
    """What became of it: how many vectors were made, and how much of the library the space covers now."""

    stored: StoredSpace
    embedded: int
    coverage: Coverage
    switched: bool
    seconds: float
    away: tuple[Path, ...] = ()
    """Folders of the library that were not there."""


def fill(
    library: Library, encoder: Encoder, settings: FillSettings | None = None, progress: Progress | None = None
) -> Filled:
    """Fills the space of `encoder` with all that the library holds and it lacks, and lets it answer.

    Waits while another process fills the same space. Raises `SpaceIncomplete` when it covers too little to answer (what
    was embedded is kept), `SpaceDropped` when it is dropped meanwhile, and `LibraryUnusable`.
    """
    started = perf_counter()
    settings, progress = settings or FillSettings(), progress or Progress()
    with library.space_fill_lock(encoder.space.fingerprint, progress.waiting):
        with library.exclusive(progress.waiting) as writer:
            stored = space_fill.begin(writer, encoder.space)
        run = _Filling(library, stored, encoder, settings, progress)
        while run.catch_up() > FEW:
            pass  # what came in meanwhile
        run.publish()
        with library.exclusive(progress.waiting) as writer:  # nothing comes in any more
            run.catch_up()
            covered = run.require_enough()
            run.publish()
            space_fill.end(writer, stored, switch=settings.switch)
    seconds = perf_counter() - started
    return Filled(stored, run.counts["embedded"], covered, settings.switch, seconds, run.away)


def switch(writer: Writer, stored: StoredSpace, settings: FillSettings | None = None) -> Filled:
    """Lets a space answer as it is, as one must whose vectors were made elsewhere.

    Raises `SpaceIncomplete` when it covers too little of the library.
    """
    started = perf_counter()
    settings = settings or FillSettings()
    covered = coverage(writer.library, stored)
    found = len(index_cache.publish(writer, stored).index)
    if not (settings.accept_missing or found >= covered.pictures * ENOUGH):
        raise SpaceIncomplete(str(stored.space), covered.embedded, covered.pictures, ())
    space_fill.end(writer, stored, switch=settings.switch)
    return Filled(stored, 0, covered, settings.switch, perf_counter() - started)


class _Filling:
    """One run over all that a space lacks, adding up what became of it."""

    def __init__(
        self, library: Library, stored: StoredSpace, encoder: Encoder, settings: FillSettings, progress: Progress
    ) -> None:
        self.counts = Counter[str]()
        self.away: tuple[Path, ...] = ()
        self._library = library
        self._stored = stored
        self._encoder = encoder
        self._settings = settings
        self._progress = progress
        self._reader = _ContentReader(encoder.preprocess, settings.decode)

    def catch_up(self) -> int:
        """Embeds what the space lacks now; returns how many vectors that made."""
        roots = self._roots()
        self._progress.begin(count_missing(self._library, self._stored, roots))
        before = self.counts["embedded"]
        missing = missing_embeddings(self._library, self._stored, roots)
        readings = read_ahead(self._reader, missing, self._settings.workers)
        for batch in batches(readings, self._encoder.batch_size):
            self._settle(embed(self._encoder, batch))
            self._progress.advance(len(batch))
        return self.counts["embedded"] - before

    def require_enough(self) -> Coverage:
        """What the space covers. Raises `SpaceIncomplete` when it is to answer from now on and that is too little."""
        covered = coverage(self._library, self._stored)
        roots_away = [root for root, path in folder_roots(self._library) if path in self.away]
        missing = count_missing(self._library, self._stored, roots_away)
        enough = covered.embedded >= covered.pictures * ENOUGH and not missing
        if self._settings.switch and not (enough or self._settings.accept_missing):
            away = self.away if missing else ()
            raise SpaceIncomplete(str(self._stored.space), covered.embedded, covered.pictures, away)
        return covered

    def publish(self) -> None:
        """Writes the index file, so that the first search after the switch need not make the index."""
        self._progress.publish()
        with self._library.exclusive(self._progress.waiting) as writer:
            index_cache.publish(writer, self._stored)

    def _settle(self, outcomes: Sequence[FileOutcome]) -> None:
        taken = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
        vectors = {_content(one): one.vector for one in taken if one.vector is not None}
        faults = {_content(one): one.fault for one in taken if one.fault is not None}
        if vectors or faults:
            with self._library.exclusive(self._progress.waiting) as writer:
                self.counts["embedded"] += space_fill.add(writer, self._stored, vectors, faults)

    def _roots(self) -> list[int]:
        """The folders that are there; of one that is not mounted, no file is tried."""
        roots = folder_roots(self._library)
        self.away = tuple(path for _, path in roots if not _is_there(path))
        return [root for root, path in roots if path not in self.away]


@dataclass(frozen=True)
class _ContentReader:
    """Reads a content from the first of its files that still holds it. Safe to call from several threads at once."""

    preprocess: Preprocess
    settings: DecodeSettings

    def __call__(self, missing: MissingEmbedding) -> Reading:
        """The pixels of the content, or a refusal where no file has it any more."""
        work = PendingFile(b"", content_id=missing.content_id)
        for root, relpath in missing.files:
            work = PendingFile(relpath, content_id=missing.content_id, size_is_known=False)
            reading = Reader(root, self.preprocess, self.settings, _is_unknown)(work)
            if reading and isinstance(reading.outcome, Accepted) and reading.outcome.digest == missing.digest:
                return reading
        return Reading(Rejected(work, 0, 0, reason="gone", detail="no file holds this content now", transient=True))


def _content(taken: Accepted) -> int:
    if taken.file.content_id is None:
        raise LookupError("what is read for a space is a content of the catalogue")
    return taken.file.content_id


def _is_unknown(_digest: bytes) -> bool:
    return False


def _is_there(folder: Path) -> bool:
    """Whether a folder holds anything: where a disk is not mounted there is often an empty one."""
    with suppress(OSError), os.scandir(folder) as listing:
        return next(listing, None) is not None
    return False
