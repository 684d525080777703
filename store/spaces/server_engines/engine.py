"""What an engine on a server does, and what it knows about the vectors that it has."""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from store.catalog.id_sets import Ids
from store.catalog.tables import LibraryState
from store.library import Library
from store.spaces.recall import MIN_RECALL, MeasuredRecall
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.feed_marks import FeedMark

__all__ = ["EngineState", "EngineTarget", "ExactProposals", "Parts", "VectorEngine", "library_name"]

_STORAGE = re.compile("[a-z0-9_]{1,63}")
"""Names of tables and collections. They are parts of statements."""

Parts: TypeAlias = Iterable[tuple[Ids, NDArray[np.floating]]]
"""Batches of frame IDs (n,) and their unit vectors (n, D)."""


@dataclass(frozen=True)
class EngineTarget:
    """The vectors that an engine has a copy of."""

    name: str
    """24 hexadecimal digits. The first 12 identify the library (`library_name`), the others one of its spaces."""
    dim: int
    dtype: str

    @classmethod
    def of(cls, library: Library, stored: StoredSpace) -> "EngineTarget":
        """Return the target for a space.

        That of a catalogue on a server which was restored to an earlier state is another one.
        """
        with library.read() as connection:
            owner = library_name(library, connection)
            identity = "" if library.backend.shares_files else library.backend.identity(connection)
        named = f"{identity} {stored.space.fingerprint} {stored.dtype}"
        return cls(owner + _digest(named), stored.space.dim, stored.dtype)

    @property
    def number(self) -> int:
        """What identifies the space in its library: 48 bits."""
        return int(self.name[12:], 16)


def library_name(library: Library, connection: Connection) -> str:
    """Return 12 hexadecimal digits for a library. Libraries can share an engine: they differ in when they were made.

    Those of a catalogue on a server are the same after it was restored to an earlier state in the same database.
    """
    if library.backend.shares_files:
        created = connection.scalar(select(LibraryState.created_at))
        return _digest(str(created and created.isoformat()))
    database, _, _timeline = library.backend.identity(connection).rpartition(" ")
    return _digest(database)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class EngineState:
    """What an engine has. It is stored in the engine itself, so that all machines see the same."""

    storage: str
    """The table or collection with the vectors."""
    position: int
    """The engine has what was searchable after this change of the change feed (`store.catalog.change_feed`)."""
    vectors: int
    """How many vectors that are."""
    candidates: int = 0
    """The vectors that the engine proposes for a query; 0 if its own rankings are exact."""
    recall: MeasuredRecall | None = None
    """What was measured with so many candidates."""
    measured_with: int = 0
    """The number of vectors when that was measured."""
    mark: FeedMark | None = None
    """The row of the change feed that tells the history of the library, at or before `position`."""

    @property
    def is_usable(self) -> bool:
        """Whether its proposals are good enough."""
        return not self.candidates or (self.recall is not None and self.recall.lowest >= MIN_RECALL)

    def to_json(self) -> str:
        """Return the state as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, content: str | dict[str, Any]) -> "EngineState":
        """Return the state that `to_json` wrote. Raises `ValueError`, `TypeError` or `KeyError` for anything else."""
        read = dict(json.loads(content) if isinstance(content, str) else content)
        recall, mark = read.pop("recall"), read.pop("mark")
        state = cls(
            **read,
            recall=None if recall is None else MeasuredRecall(**recall),
            mark=None if mark is None else FeedMark(*mark),
        )
        numbers = (state.position, state.vectors, state.candidates, state.measured_with, *(state.mark or ()))
        if _STORAGE.fullmatch(state.storage) is None or not all(isinstance(number, int) for number in numbers):
            raise ValueError(content)
        return state

    @classmethod
    def from_engine(cls, content: str) -> "EngineState | None":
        """Return the state that an engine has stored; None if another version of Sightline has written it.

        Such an engine is not used, and is built again from the catalogue.
        """
        try:
            return cls.from_json(content)
        except (ValueError, TypeError, KeyError):
            return None


class ExactProposals(NamedTuple):
    """The best vectors of an exact search by an engine."""

    ids: Ids
    """(n,), best first."""
    position: int
    """The position in the change feed of the vectors that were searched."""
    compared: int
    """How many those were."""


class VectorEngine(ABC):
    """A copy of the vectors of one space on a server. Safe to share between threads.

    All methods raise `IndexEngineUnavailable` if the server cannot be reached, or does not do what it is asked.
    """

    shown: str
    """Its address, for messages."""
    storage_prefix: str
    """How the names of the tables or collections of this space begin."""
    efforts: tuple[int, ...]
    """Numbers of candidates to choose from, ascending."""
    approximate_from = 0
    """Vectors from which it has an approximate index; its rankings of fewer are exact."""
    changed_singly = 1_000
    """So many changes are always made one by one, also in a small space."""
    ranks_exactly = False
    """Whether `best_exactly` is supported."""

    @abstractmethod
    def state(self, *, fresh: bool = False) -> EngineState | None:
        """Return what the engine has; None if it has nothing of this space.

        It may be what it had a moment ago, which has an earlier position; with `fresh` it is not.
        """

    @abstractmethod
    def propose(self, state: EngineState, queries: NDArray[np.float32], number: int) -> list[Ids]:
        """Return the frame IDs of about `number` vectors that are near each unit query (Q, D)."""

    def best_exactly(
        self, state: EngineState, queries: NDArray[np.float32], number: int, among: Ids | None
    ) -> list[ExactProposals]:
        """Return the `number` nearest vectors of each unit query (Q, D), only those with IDs in `among` if given.

        All vectors are compared. Scores that differ by less than the rounding error may be in another order.
        """
        raise NotImplementedError

    @abstractmethod
    def build(self, parts: Parts, position: int, mark: FeedMark | None = None) -> EngineState:
        """Copy all vectors of a space, which takes the place of what the engine has of it when that is complete.

        `mark` is a row of the change feed at or before `position`. The state that is returned is stored already.
        `candidates` is 0 if no approximate index was built.
        """

    @abstractmethod
    def replace(
        self, state: EngineState, contents: Ids, parts: Parts, position: int, mark: FeedMark | None = None
    ) -> EngineState:
        """Remove the vectors of all frames of `contents` (n,), and add `parts`; store and return the new state.

        It does nothing and returns the state of the engine if that is not `state` any more.
        Otherwise, tables and collections of this space that are not in use any more are deleted.
        """

    @abstractmethod
    def save(self, state: EngineState) -> None:
        """Store a state with another recall or number of candidates."""

    @abstractmethod
    def stored_vectors(self, state: EngineState) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
        """Yield all frame IDs (n,) and vectors (n, D) in batches, in any order."""

    @abstractmethod
    def names(self) -> set[str]:
        """Return the names of all targets that the engine has anything of, also those of other libraries."""

    @abstractmethod
    def drop(self) -> None:
        """Delete everything that the engine has of this space."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""
