"""What every request shares: the library, what answers questions over it, thumbnails. One for the whole server."""

from threading import Lock

from search import Searcher
from store.library import Library
from store.spaces import active_space, named_space
from web.highlighting import Highlighting
from web.jobs import Jobs
from web.judging import Judging
from web.problems import NothingIndexed
from web.settings import ServeSettings
from web.thumbnails import Thumbnails
from web.uploads import Uploads

__all__ = ["Service"]


class Service:
    """A library being served. Safe to share between threads."""

    def __init__(self, library: Library, settings: ServeSettings) -> None:
        self.library = library
        self.settings = settings
        self.thumbnails = Thumbnails(library, settings.cache, settings.cache_bytes)
        self.uploads = Uploads(settings.upload_pixels)
        self.jobs = Jobs(library)
        self.judging = Judging(library)
        self.highlighting = Highlighting(library)
        self._searchers: dict[int | None, Searcher] = {}
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
        key = None if stored is None else stored.id
        with self._opening:
            if key not in self._searchers:
                if self.is_empty:
                    raise NothingIndexed
                self._searchers[key] = Searcher(self.library, space=stored)
            return self._searchers[key]

    def close(self) -> None:
        """Stops what runs, and forgets what was sent."""
        self.jobs.close()
        self.uploads.close()
