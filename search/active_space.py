"""The embedding space in use: its model, calibration and index, replaced as a whole.

Every answer is therefore computed in exactly one space, even if another becomes active during the search.
"""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock, Thread

from core.errors import NothingIndexed, SightlineError, SpaceDropped, SpaceMismatch
from core.memory import release_memory
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from search.background_calibration import can_calibrate, known_outcome, make_calibration
from search.index_device import with_device
from search.kept_calibrations import CalibrationOutcome, is_calibrating
from search.relevance import Calibration
from store.library import Library
from store.spaces import index_cache
from store.spaces.index_cache import CurrentIndex
from store.spaces.registry import StoredSpace, active_space, named_space, require_active, space_revision
from store.spaces.server_engines.connections import EngineConnections

__all__ = ["ActiveSpace", "ActiveSpaceTracker"]

SWITCH_TIMEOUT = 1.0
"""Seconds that the first query after a change waits for the new model, before it is answered in the old space.

The built-in model loads faster; importing PyTorch alone takes longer.
"""


@dataclass(frozen=True)
class ActiveSpace:
    """One space at one moment, with everything that a search needs."""

    stored: StoredSpace
    encoder: Encoder | None
    encoder_error: SightlineError | None
    """Why there is no encoder: the vectors were imported, or the model is missing or has other weights."""
    calibration_outcome: CalibrationOutcome | None
    """The calibration of the model, or why it could not be made; None if it has not been made."""
    current: CurrentIndex

    @property
    def calibration(self) -> Calibration | None:
        """The meaning of the scores, if it is known."""
        return None if self.calibration_outcome is None else self.calibration_outcome.calibration

    @property
    def is_calibrating(self) -> bool:
        """Whether the calibration of the model is being made, here or in another process."""
        return self.needs_calibration and is_calibrating(self.stored.space)

    @property
    def needs_calibration(self) -> bool:
        """Whether the model has no calibration, and one can be made."""
        return self.calibration_outcome is None and self.encoder is not None and can_calibrate(self.encoder)

    def require_encoder(self) -> Encoder:
        """Return the model of the space, or raise the reason why it is unavailable."""
        if self.encoder_error is not None:
            raise self.encoder_error
        if self.encoder is None:
            raise SpaceMismatch(str(self.stored.space), "no model")
        return self.encoder


class ActiveSpaceTracker:
    """Provides the space to search in: the active space of the library, or a fixed one. Safe to share between threads.

    `encoder` is the model of `space`, or of the active space if no `space` is given. With either, the space is fixed.
    Raises `NothingIndexed`, `UnknownSpace`, and `SpaceMismatch` for an encoder of another space.
    """

    def __init__(
        self, library: Library, encoder: Encoder | None, space: StoredSpace | str | None, placement: Placement
    ) -> None:
        self._library = library
        self._placement = placement
        self._engines = EngineConnections(library)
        stored = _chosen(library, encoder, space)
        self._pinned = None if encoder is None and space is None else stored
        self._changing = Lock()
        self._loading: Future[ActiveSpace] | None = None
        """The next space, while a background thread loads it."""
        self._current = self._load(stored, encoder)

    @property
    def last(self) -> ActiveSpace:
        """The space of the last answer."""
        return self._current

    def now(self, *, wait: bool = False) -> ActiveSpace:
        """Return the space to search in, with all changes that other processes have made to the library.

        Another space is loaded in the background, because its model can be large. Until it is ready, the old space is
        returned, unless `wait` is set.
        """
        space = self._current
        stored, revision = self._target()
        if stored == space.stored:
            return space if revision == space.current.revision else self._refresh()
        loading, is_new = self._start_loading()
        if wait:
            return loading.result()
        if is_new:
            with suppress(TimeoutError):
                return loading.result(SWITCH_TIMEOUT)
        return space

    def heal(self) -> bool:
        """Rewrite the index file if it is damaged or out of date. Returns whether it was rewritten."""
        space = self._current
        return not space.current.published and index_cache.heal(self._library, space.stored)

    def calibrate(self) -> None:
        """Make a calibration for the model of the current space if it has none, while searches go on."""
        space = self._current
        if space.encoder is None or not space.needs_calibration:
            return
        outcome = make_calibration(space.encoder)
        with self._changing:
            if self._current.stored == space.stored and self._current.needs_calibration:
                self._current = replace(self._current, calibration_outcome=outcome)

    def _refresh(self) -> ActiveSpace:
        """Load the current index of the same space, in one thread while the others wait."""
        with self._changing:
            space = self._current
            stored, revision = self._target()
            if stored == space.stored and revision != space.current.revision:
                with suppress(SpaceDropped):  # raised by the next query
                    self._current = replace(space, current=self._load_index(stored, space.current))
            return self._current

    def _start_loading(self) -> tuple[Future[ActiveSpace], bool]:
        """Return the space that is being loaded, and whether loading has only started now."""
        with self._changing:
            if self._loading is not None:
                return self._loading, False
            self._loading = loading = Future[ActiveSpace]()
        Thread(target=self._load_next, args=(loading,), name="sightline-space").start()
        return loading, True

    def _load_next(self, loading: Future[ActiveSpace]) -> None:
        try:
            outcome = partial(loading.set_result, self._switch())
        except BaseException as exc:
            outcome = partial(loading.set_exception, exc)
        with self._changing:
            self._loading = None
        outcome()
        # After the waiting queries have been answered, in a thread that does not delay the end of the program.
        Thread(target=self.calibrate, name="sightline-calibration", daemon=True).start()

    def _switch(self) -> ActiveSpace:
        """Load the target space and make it current; start again if the target has changed in between."""
        while True:
            stored, _ = self._target()
            if stored == self._current.stored:
                return self._current
            try:
                space = self._load(stored, warm=True)
            except SpaceDropped:
                continue  # `_target` returns another space, or raises
            if self._target()[0] == stored:
                with self._changing:
                    self._current = space
                release_memory()  # of the model before, unless a search still uses it

    def _target(self) -> tuple[StoredSpace, int]:
        """Return the space to search in and its revision. Raises `SpaceDropped` or `NothingIndexed`."""
        stored, revision = space_revision(self._library, self._pinned)
        if stored is None:
            raise NothingIndexed(self._library.backend.place)
        if revision is None:
            raise SpaceDropped(str(stored.space))
        return stored, revision

    def _load(self, stored: StoredSpace, encoder: Encoder | None = None, *, warm: bool = False) -> ActiveSpace:
        """Load a space; with `warm`, read the model's weights, too, before the first query needs them."""
        encoder_error: SightlineError | None = None
        try:
            encoder = encoder or registry.load_for_space(stored.space, self._placement)
            if warm:
                encoder.encode_texts(["a"])
        except SightlineError as exc:  # queries that need no model still work
            encoder, encoder_error = None, exc
        known = None if encoder is None else known_outcome(encoder)
        return ActiveSpace(stored, encoder, encoder_error, known, self._load_index(stored))

    def _load_index(self, stored: StoredSpace, before: CurrentIndex | None = None) -> CurrentIndex:
        current = self._engines.load(stored, before)
        return replace(current, index=with_device(current.index))


def _chosen(library: Library, encoder: Encoder | None, space: StoredSpace | str | None) -> StoredSpace:
    if space is not None:
        stored = named_space(library, space, prefer_active=True) if isinstance(space, str) else space
        if encoder is not None and encoder.space.fingerprint != stored.space.fingerprint:
            raise SpaceMismatch(str(stored.space), str(encoder.space))
        return stored
    active = active_space(library)
    if active is None:
        raise NothingIndexed(library.backend.place)
    return require_active(library, encoder.space) if encoder else active
