"""The systems to measure: spaces of a library that has the pictures, or models with which to embed them now."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.evaluate.dataset_library import open_private
from core.errors import EvaluationError, InvalidQuery, SpaceMismatch
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from search.evaluate.datasets import Dataset
from store import Library
from store.spaces.registry import StoredSpace, active_space, named_space

__all__ = ["QueryVectors", "System", "open_systems"]


@dataclass(frozen=True)
class QueryVectors:
    """Vectors of captions that were made elsewhere, and a file that says whose they are."""

    path: Path
    ids: Path | None = None


@dataclass(frozen=True)
class System:
    """A space of a library, and what turns captions into its vectors."""

    library: Library
    stored: StoredSpace
    words: Encoder | QueryVectors

    @property
    def name(self) -> str:
        """The model and the beginning of the space's fingerprint."""
        return str(self.stored.space)


@contextmanager
def open_systems(
    dataset: Dataset,
    spaces: Sequence[str],
    library: Path | None = None,
    query_vectors: Mapping[str, QueryVectors] | None = None,
    placement: Placement = registry.ANYWHERE,
) -> Iterator[list[System]]:
    """The systems called `spaces`: models, or spaces of `library`; without any, the built-in model or the active space.

    `query_vectors` are by the name of a space, or under "" for whichever is measured.
    """
    with ExitStack() as stack:
        if library is None:
            encoders = [registry.load(name, placement) for name in spaces or [registry.DEFAULT_MODEL]]
            yield [_private(stack.enter_context(open_private(dataset, encoder)), encoder) for encoder in encoders]
        else:
            opened = stack.enter_context(Library.open(library))
            found = [named_space(opened, name) for name in spaces] or [_active(opened)]
            yield [System(opened, stored, _words(stored, query_vectors or {}, placement)) for stored in found]


def _private(library: Library, encoder: Encoder) -> System:
    return System(library, _active(library), encoder)


def _active(library: Library) -> StoredSpace:
    active = active_space(library)
    if active is None:
        raise InvalidQuery(f"nothing is indexed in {library.path} yet; `sightline index FOLDER` does that")
    return active


def _words(
    stored: StoredSpace, query_vectors: Mapping[str, QueryVectors], placement: Placement
) -> Encoder | QueryVectors:
    """Query vectors that were given, else the model of the space."""
    given = query_vectors.get(stored.space.model) or query_vectors.get("")
    if given is not None:
        return given
    if stored.space.is_imported:
        raise EvaluationError(
            f"the vectors of {stored.space} were made elsewhere, and so must be those of the captions: --query-vectors"
        )
    encoder = registry.load(stored.space.model, placement)
    if encoder.space.fingerprint != stored.space.fingerprint:
        raise SpaceMismatch(str(stored.space), str(encoder.space))
    return encoder
