"""What every request shares: the library, what answers questions over it, thumbnails. One for the whole server."""

from threading import Lock

from search import Searcher
from store.library import Library
from store.spaces import active_space
from web.settings import ServeSettings
from web.thumbnails import Thumbnails

__all__ = ["Service"]


class Service:
    """A library being served. Safe to share between threads."""

    def __init__(self, library: Library, settings: ServeSettings) -> None:
        self.library = library
        self.settings = settings
        self.thumbnails = Thumbnails(library, settings.cache, settings.cache_bytes)
        self._searcher: Searcher | None = None
        self._opening = Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been indexed yet, so that there is nothing to ask."""
        return active_space(self.library) is None

    @property
    def searcher(self) -> Searcher:
        """What answers in the active space, kept between requests; it follows the library by itself.

        Raises `InvalidQuery` when nothing is indexed yet.
        """
        with self._opening:
            if self._searcher is None:
                self._searcher = Searcher(self.library)
            return self._searcher

    def close(self) -> None:
        """Gives the library back."""
        self.library.close()
