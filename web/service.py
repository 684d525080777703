"""What all requests share: the library, its searchers, jobs, caches and limits."""

import os
from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, TypeAlias, TypeVar

from anyio import CapacityLimiter, to_thread

from core.errors import NothingIndexed
from indexer.jobs import Activity, JobWorker
from search import Searcher
from search.duplicate_groups import GroupListing
from store.change_counter import ChangeCounter
from store.folders import FolderContents
from store.library import Library
from store.positions import Positions
from store.root_places import NotedPlaces
from store.spaces.registry import StoredSpace, active_space, named_space
from store.timeline import Timeline
from web.errors import describe_failure
from web.folder_watching import FolderWatching
from web.highlighting import PictureHighlighter
from web.judgements import JudgementStore
from web.metrics import Metrics
from web.readiness import Readiness
from web.responses import FacetsResponse
from web.settings import ServeSettings
from web.snapshots import SnapshotKeeper
from web.thumbnails import Thumbnails
from web.uploads import Uploads

__all__ = ["ResultCache", "Service"]

T = TypeVar("T")

_SearcherKey: TypeAlias = tuple[int, str] | None
"""ID and fingerprint of a space; None for the active one."""

MAX_NAMED_SEARCHERS = 2
"""How many searchers, and so models, are kept in memory next to the active space's; the oldest is dropped."""

MAX_CACHED_FACETS = 100
"""How many filters have their facets cached."""

MAX_CACHED_DUPLICATES = 4
"""How many filters have their groups of near-duplicates cached."""

MAX_CACHED_TIMELINES = 20
"""How many filters have their timelines cached."""

MAX_CACHED_FOLDERS = 200
"""How many folders have their listings cached."""

MAX_CACHED_POSITIONS = 4
"""How many filters have the positions of their pictures cached: 28 bytes for each picture."""


class Service:
    """A library being served. Thread-safe."""

    def __init__(self, library: Library, settings: ServeSettings) -> None:
        self.library = library
        self.settings = settings
        self.thumbnails = Thumbnails(library, settings.shared or settings.cache, settings.cache_bytes)
        uploads = None if settings.shared is None else settings.shared / "uploads"
        self.uploads = Uploads(settings.upload_pixels, shared=uploads)
        self.activity = Activity()
        """The searches in progress, for which jobs make room."""
        self.jobs = JobWorker(library, self.activity, describe_failure)
        self._watching = FolderWatching(library, self.jobs) if settings.watch else None
        self.metrics = Metrics(library)
        self.judgements = JudgementStore(library)
        self.highlighter = PictureHighlighter(library)
        self.thumbnail_limiter = CapacityLimiter(max(2, os.cpu_count() or 1))
        """How many thumbnails are made at a time."""
        self.highlight_limiter = CapacityLimiter(1)
        """How many highlights are computed at a time."""
        self._changes = ChangeCounter(library)
        self.snapshots = SnapshotKeeper(library, self.activity, self._changes)
        self.facets = ResultCache[FacetsResponse](self._changes, MAX_CACHED_FACETS)
        self.duplicates = ResultCache[tuple[GroupListing, int]](self._changes, MAX_CACHED_DUPLICATES)
        """The groups of the pictures that match some filters, and how many contents have not been compared yet."""
        self.timelines = ResultCache[Timeline](self._changes, MAX_CACHED_TIMELINES)
        self.folders = ResultCache[FolderContents](self._changes, MAX_CACHED_FOLDERS)
        self.positions = ResultCache[Positions](self._changes, 1)
        self.kept_positions = ResultCache[Positions](self._changes, MAX_CACHED_POSITIONS)
        self._searchers: dict[_SearcherKey, Searcher] = {}
        self._opening = Lock()
        self.readiness = Readiness(library, self.searcher)
        self._places = NotedPlaces(library)

    def look_at_places(self) -> None:
        """See roots where this machine has them now. The paths of a running job stay what they are until it ends."""
        if not self.jobs.is_busy() and self._places.refresh():
            for cache in (self.facets, self.duplicates, self.timelines, self.folders):
                cache.clear()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing has been indexed yet, so that there is no space to search."""
        return active_space(self.library) is None

    def searcher(self, space: str | None = None) -> Searcher:
        """Return the searcher of the active space, or of the space with the given name; it is kept for later requests.

        It notices changes of the library by itself. Raises `NothingIndexed` and `UnknownSpace`.
        """
        stored = None if space is None else named_space(self.library, space, prefer_active=True)
        key = None if stored is None else (stored.id, stored.space.fingerprint)
        searcher = self._searchers.get(key)
        return self._open_searcher(key, stored) if searcher is None else searcher

    def _open_searcher(self, key: _SearcherKey, stored: StoredSpace | None) -> Searcher:
        """Open a searcher in one thread; only requests that need the same model wait for it."""
        with self._opening:
            if key not in self._searchers:
                if stored is None and self.is_empty:
                    raise NothingIndexed(self.library.backend.place)
                self._searchers[key] = searcher = Searcher(self.library, space=stored)
                if searcher.needs_calibration:
                    Thread(target=searcher.calibrate, name="sightline-calibration", daemon=True).start()
                named = [opened for opened in self._searchers if opened is not None]
                for oldest in named[:-MAX_NAMED_SEARCHERS]:
                    del self._searchers[oldest]
            return self._searchers[key]

    def start(self) -> None:
        """Keep snapshots, and run the queue of jobs and watch the folders of the library if that is set."""
        if self.settings.run_jobs:
            self.jobs.start()
        self.snapshots.start()
        if self._watching is not None:
            self._watching.start()

    def close(self) -> None:
        """Stop the running job and delete the uploads, unless they are shared."""
        self.readiness.stopping = True
        if self._watching is not None:
            self._watching.close()
        self.jobs.close()
        self.snapshots.close()
        self.uploads.close()
        self._changes.close()


class ResultCache(Generic[T]):
    """The last `max_entries` results of one kind, until the library changes.

    One result is computed at a time; requests that wait for it occupy no thread.
    """

    def __init__(self, changes: ChangeCounter, max_entries: int) -> None:
        self._changes = changes
        self._max_entries = max_entries
        self._limiter = CapacityLimiter(1)
        self._cache: tuple[int | None, dict[str, T]] = (None, {})
        """The change number of the library to which the results belong, and the results by key."""

    def clear(self) -> None:
        """Forget all results."""
        self._cache = (None, {})

    async def get(self, key: str, compute: Callable[[], T]) -> T:
        """Return the cached result for `key`, or call `compute` if there is none or the library has changed."""
        cached = await to_thread.run_sync(self._cached, key)
        return (
            await to_thread.run_sync(self._computed, key, compute, limiter=self._limiter) if cached is None else cached
        )

    def get_here(self, key: str, compute: Callable[[], T]) -> T:
        """As `get`, in this thread, which may be that of another cache."""
        return self._computed(key, compute)

    def _cached(self, key: str) -> T | None:
        number, results = self._cache
        return results.get(key) if results and number == self._changes.value() else None

    def _computed(self, key: str, compute: Callable[[], T]) -> T:
        cached = self._cached(key)  # another request may have computed it while this one waited
        if cached is not None:
            return cached
        number = self._changes.value()  # taken before, so that any later change makes the result stale
        result = compute()
        if number is not None:
            results = self._cache[1] if number == self._cache[0] else {}
            results[key] = result
            while len(results) > self._max_entries:
                del results[next(iter(results))]
            self._cache = number, results
        return result
