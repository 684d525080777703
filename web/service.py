"""What every request shares: the library, what answers questions over it, thumbnails. One for the whole server."""

import os
from threading import Lock
from typing import TypeAlias

from anyio import CapacityLimiter

from search import Searcher
from store.changes import Changes
from store.library import Library
from store.spaces.registry import StoredSpace, active_space, named_space
from web.errors import NothingIndexed
from web.highlighting import Highlighting
from web.jobs import Jobs
from web.judgements import Judging
from web.metrics import Metrics
from web.responses import Facets
from web.result_cache import Remembered
from web.settings import ServeSettings
from web.thumbnails import Thumbnails
from web.uploads import Uploads

__all__ = ["Service"]


_Key: TypeAlias = tuple[int, str] | None

MOST_NAMED = 2
"""Spaces beside the active one whose models are kept in memory; the one that came first goes."""

MOST_COUNTED = 100
"""Sets of pictures, as filters keep them, whose facets are kept."""


class Service:
    """A library being served. Safe to share between threads."""

    def __init__(self, library: Library, settings: ServeSettings) -> None:
        self.library = library
        self.settings = settings
        self.thumbnails = Thumbnails(library, settings.cache, settings.cache_bytes)
        self.uploads = Uploads(settings.upload_pixels)
        self.jobs = Jobs(library)
        self.metrics = Metrics(library, self.jobs)
        self.judging = Judging(library)
        self.highlighting = Highlighting(library)
        self.decoding = CapacityLimiter(max(2, os.cpu_count() or 1))
        """How many thumbnails are made at a time."""
        self.pointing = CapacityLimiter(1)
        """How many highlights are."""
        self._changes = Changes(library)
        self.facets = Remembered[Facets](self._changes, MOST_COUNTED)
        self._searchers: dict[_Key, Searcher] = {}
        self._opening = Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been indexed yet, so that there is nothing to ask."""
        return active_space(self.library) is None

    def searcher(self, space: str | None = None) -> Searcher:
        """What answers in the active space, or in the one that is named; kept between requests.

        It follows the library by itself. Raises `NothingIndexed`, and `UnknownSpace`.
        """
        stored = None if space is None else named_space(self.library, space)
        key = None if stored is None else (stored.id, stored.space.fingerprint)
        known = self._searchers.get(key)
        return self._opened(key, stored) if known is None else known

    def _opened(self, key: _Key, stored: StoredSpace | None) -> Searcher:
        """A new searcher: one thread loads the model, and others do not wait for it unless they need it too."""
        with self._opening:
            if key not in self._searchers:
                if stored is None and self.is_empty:
                    raise NothingIndexed
                self._searchers[key] = Searcher(self.library, space=stored)
                named = [each for each in self._searchers if each is not None]
                for old in named[:-MOST_NAMED]:
                    del self._searchers[old]
            return self._searchers[key]

    def close(self) -> None:
        """Stops what runs, and forgets what was sent."""
        self.jobs.close()
        self.uploads.close()
        self._changes.close()
