"""Whether a server can answer searches now, for what distributes requests over several servers.

The first question starts to load the model and the index, so that no search has to wait for them. Once they are loaded,
a server is ready as long as it can read the catalogue. It also answers while a newer index or another model is loaded,
which all servers of a library do at the same time; they would otherwise all be unavailable then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock, Thread

from core.errors import ImportedSpaceHasNoModel, LibraryError, SightlineError
from search import Searcher
from store.library import Library
from store.spaces.registry import active_space, space_revision

__all__ = ["CatalogueState", "IndexState", "ModelState", "Readiness", "ReadinessReport"]


class CatalogueState(StrEnum):
    """Whether the catalogue can be read."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"


class ModelState(StrEnum):
    """The model of the active space."""

    LOADED = "loaded"
    LOADING = "loading"
    UNAVAILABLE = "unavailable"
    """It is not installed on this machine, or cannot be loaded."""
    NONE = "none"
    """Nothing has been indexed, or the vectors were imported without a model."""


class IndexState(StrEnum):
    """The index in memory."""

    CURRENT = "current"
    BEHIND = "behind"
    """The library has changed since the last search. The next one brings the index up to date first."""
    NONE = "none"
    """Not loaded yet, or nothing has been indexed."""


@dataclass(frozen=True)
class ReadinessReport:
    """What a server can do now."""

    ready: bool
    catalogue: CatalogueState
    model: ModelState
    index: IndexState


class Readiness:
    """The readiness of one server. `open_searcher` opens the searcher of the active space. Thread-safe."""

    def __init__(self, library: Library, open_searcher: Callable[[], Searcher]) -> None:
        self.stopping = False
        """Set when the server is asked to stop."""
        self._library = library
        self._open_searcher = open_searcher
        self._lock = Lock()
        self._thread: Thread | None = None
        self._loaded: tuple[Searcher | None, ModelState] = (None, ModelState.LOADING)
        """One value, so that no report has the state of a model whose searcher it does not see yet."""

    def report(self) -> ReadinessReport:
        """Return what can be done now, and begin to load what is missing."""
        searcher, model = self._loaded
        try:
            if active_space(self._library) is None:
                return self._report(ModelState.NONE, IndexState.NONE, ready=True)
            if searcher is None:
                self._load()
                return self._report(model, IndexState.NONE, ready=False)
            return self._report(model, self._index(searcher), ready=True)
        except LibraryError:
            return ReadinessReport(False, CatalogueState.UNREACHABLE, model, IndexState.NONE)

    def _report(self, model: ModelState, index: IndexState, *, ready: bool) -> ReadinessReport:
        return ReadinessReport(ready and not self.stopping, CatalogueState.REACHABLE, model, index)

    def _index(self, searcher: Searcher) -> IndexState:
        stored, revision = space_revision(self._library, None)
        is_current = stored == searcher.space and revision == searcher.revision
        return IndexState.CURRENT if is_current else IndexState.BEHIND

    def _load(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._warm_up, name="sightline-readiness", daemon=True)
                self._thread.start()

    def _warm_up(self) -> None:
        try:
            searcher = self._open_searcher()
        except SightlineError:
            self._loaded = (None, ModelState.UNAVAILABLE)
            return
        try:
            searcher.encoder.encode_texts(["a"])  # reads the weights
        except ImportedSpaceHasNoModel:
            self._loaded = (searcher, ModelState.NONE)
        except SightlineError:
            self._loaded = (None, ModelState.UNAVAILABLE)
        else:
            self._loaded = (searcher, ModelState.LOADED)
