"""The space that answers, as one thing: its model, what its scores mean, its index. A searcher swaps it whole.

So every answer is made of exactly one space, whatever becomes active meanwhile.
"""

from dataclasses import dataclass, replace
from threading import Lock

from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from search.calibrate import Calibration, calibration_of
from sightline.errors import InvalidQuery, SightlineError, SpaceDropped, SpaceMismatch, WeightsChanged
from store import cache
from store.cache import CurrentIndex
from store.library import Library
from store.spaces import StoredSpace, active_in, active_space, named_space, require_active, revision_of

__all__ = ["View", "Views", "encoder_of"]


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
        self._view = self._load(stored, encoder)

    @property
    def last(self) -> View:
        """The view of the last answer."""
        return self._view

    def now(self, *, wait: bool = False) -> View:
        """The view as of now: what other processes have changed is taken up, be it pictures or the active space.

        While one thread takes up another space, which may mean to load a model, the others answer in the old one,
        unless they `wait`.
        """
        view = self._view
        stored, revision = self._wanted()
        if stored == view.stored and revision == view.current.revision:
            return view
        if not self._changing.acquire(blocking=wait or stored == view.stored):
            return view
        try:
            self._view = self._taken_up()
            return self._view
        finally:
            self._changing.release()

    def heal(self) -> bool:
        """Mends the index file if it was damaged or behind; says whether it did."""
        view = self._view
        return not view.current.published and cache.heal(self._library, view.stored)

    def _taken_up(self) -> View:
        """The view as of now, made by one thread. A space that is dropped meanwhile is not looked for again."""
        while True:
            view = self._view
            stored, revision = self._wanted()
            try:
                if stored != view.stored:
                    return self._load(stored, warm=True)
                if revision != view.current.revision:
                    return replace(view, current=cache.load(self._library, stored, view.current))
            except SpaceDropped:
                continue  # then `_wanted` knows another one, or says that there is none
            return view

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
        return View(stored, encoder, trouble, calibration_of(encoder), cache.load(self._library, stored))


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
