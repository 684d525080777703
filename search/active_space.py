"""The space that answers, as one thing: its model, what its scores mean, its index. A searcher swaps it whole.

So every answer is made of exactly one space, whatever becomes active meanwhile.
"""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock, Thread

from core.errors import InvalidQuery, SightlineError, SpaceDropped, SpaceMismatch, WeightsChanged
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from search.calibration import Calibration, calibration_of
from store.library import Library
from store.spaces import index_cache
from store.spaces.index_cache import CurrentIndex
from store.spaces.registry import StoredSpace, active_in, active_space, named_space, require_active, revision_of

__all__ = ["View", "Views", "encoder_of"]

PATIENCE = 1.0
"""Seconds that the first question after a change waits for the new model, before it is answered in the old space.

The built-in model is there sooner; PyTorch alone takes longer to import.
"""


@dataclass(frozen=True)
class View:
    """One space at one moment."""

    stored: StoredSpace
    encoder: Encoder | None
    trouble: SightlineError | None
    """Why there is no encoder: the vectors were made elsewhere, or with weights that are no longer here."""
    calibration: Calibration | None
    current: CurrentIndex

    def require_encoder(self) -> Encoder:
        """The model of the space. Raises what is in the way of it."""
        if self.trouble is not None:
            raise self.trouble
        if self.encoder is None:
            raise SpaceMismatch(str(self.stored.space), "no model")
        return self.encoder


class Views:
    """The view to answer with: of the active space, whichever that is, or of one that was chosen once and for all.

    `encoder` is the model of the active space, or of `space` where that is given; a searcher that has either stays in
    that space. Safe to share between threads. Raises `InvalidQuery` when nothing is indexed yet, `UnknownSpace`, and
    `SpaceMismatch` for an encoder of another space.
    """

    def __init__(
        self, library: Library, encoder: Encoder | None, space: StoredSpace | str | None, placement: Placement
    ) -> None:
        self._library = library
        self._placement = placement
        stored = _chosen(library, encoder, space)
        self._pinned = None if encoder is None and space is None else stored
        self._changing = Lock()
        self._coming: Future[View] | None = None
        """The view of another space, while a thread of its own makes it."""
        self._view = self._load(stored, encoder)

    @property
    def last(self) -> View:
        """The view of the last answer."""
        return self._view

    def now(self, *, wait: bool = False) -> View:
        """The view as of now: what other processes have changed is taken up, be it pictures or the active space.

        Another space is taken up beside the questions, as that may mean to load a large model: they are answered in the
        old one until then, unless they `wait`.
        """
        view = self._view
        stored, revision = self._wanted()
        if stored == view.stored:
            return view if revision == view.current.revision else self._caught_up()
        coming, new = self._taken_up()
        if wait:
            return coming.result()
        if new:
            with suppress(TimeoutError):
                return coming.result(PATIENCE)
        return view

    def heal(self) -> bool:
        """Mends the index file if it was damaged or behind; says whether it did."""
        view = self._view
        return not view.current.published and index_cache.heal(self._library, view.stored)

    def _caught_up(self) -> View:
        """The view with the pictures as of now, made by one thread while the others wait."""
        with self._changing:
            view = self._view
            stored, revision = self._wanted()
            if stored == view.stored and revision != view.current.revision:
                with suppress(SpaceDropped):  # which whoever asks next is told
                    self._view = replace(view, current=index_cache.load(self._library, stored, view.current))
            return self._view

    def _taken_up(self) -> tuple[Future[View], bool]:
        """The view of the space that is to answer now, once it is there, and whether nobody has asked for it yet."""
        with self._changing:
            if self._coming is not None:
                return self._coming, False
            self._coming = coming = Future[View]()
        Thread(target=self._take_up, args=(coming,), name="sightline-space").start()
        return coming, True

    def _take_up(self, coming: Future[View]) -> None:
        try:
            outcome = partial(coming.set_result, self._followed())
        except BaseException as exc:
            outcome = partial(coming.set_exception, exc)
        with self._changing:
            self._coming = None
        outcome()

    def _followed(self) -> View:
        """Makes the view of the space that is to answer, and puts it in use if it still is; else of the next one."""
        while True:
            stored, _ = self._wanted()
            if stored == self._view.stored:
                return self._view
            try:
                view = self._load(stored, warm=True)
            except SpaceDropped:
                continue  # then `_wanted` knows another one, or says that there is none
            if self._wanted()[0] == stored:
                with self._changing:
                    self._view = view

    def _wanted(self) -> tuple[StoredSpace, int]:
        """The space to answer in, and its revision. Raises `SpaceDropped` or `InvalidQuery` when there is none."""
        with self._library.read() as connection:
            stored = self._pinned or active_in(connection)
            revision = None if stored is None else revision_of(connection, stored)
        if stored is None:
            raise _nothing(self._library)
        if revision is None:
            raise SpaceDropped(str(stored.space))
        return stored, revision

    def _load(self, stored: StoredSpace, encoder: Encoder | None = None, *, warm: bool = False) -> View:
        """`warm` has the weights read before anybody waits for them."""
        trouble: SightlineError | None = None
        try:
            encoder = encoder or encoder_of(stored, self._placement)
            if warm:
                encoder.encode_texts(["a"])
        except SightlineError as exc:  # what needs no model can be answered all the same
            encoder, trouble = None, exc
        return View(stored, encoder, trouble, calibration_of(encoder), index_cache.load(self._library, stored))


def _chosen(library: Library, encoder: Encoder | None, space: StoredSpace | str | None) -> StoredSpace:
    if space is not None:
        stored = named_space(library, space) if isinstance(space, str) else space
        if encoder is not None and encoder.space.fingerprint != stored.space.fingerprint:
            raise SpaceMismatch(str(stored.space), str(encoder.space))
        return stored
    active = active_space(library)
    if active is None:
        raise _nothing(library)
    return require_active(library, encoder.space) if encoder else active


def _nothing(library: Library) -> InvalidQuery:
    return InvalidQuery(f"nothing is indexed in {library.path} yet; `sightline index FOLDER` does that")


def encoder_of(stored: StoredSpace, placement: Placement) -> Encoder:
    """The model of the space. Raises `WeightsChanged` when it has other weights now."""
    encoder = registry.load_for(stored.space, placement)
    if encoder.space.fingerprint != stored.space.fingerprint:
        raise WeightsChanged(str(stored.space), str(encoder.space), stored.space.model)
    return encoder
