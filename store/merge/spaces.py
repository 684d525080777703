"""The spaces of another library: those that are here too get vectors, others are carried, and some are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from core.space import Space
from store.catalog.tables import LibraryState
from store.library import Library
from store.spaces.registry import (
    StoredSpace,
    activate,
    find_spaces_in,
    list_spaces,
    register,
)

__all__ = ["MergedSpace", "SpaceRelation", "activate_first", "add_spaces", "plan_spaces"]


class SpaceRelation(StrEnum):
    """What a merge does with a space of the other library."""

    SAME = "same"
    """Both libraries have this space: the vectors that are missing here are added."""
    CARRIED = "carried"
    """Only the other library has it: it becomes a space of this one."""
    NAME_TAKEN = "name-taken"
    """It was imported, and is left out: another imported space has its name here."""


@dataclass(frozen=True)
class MergedSpace:
    """A space of the other library, as it has it."""

    other: StoredSpace
    relation: SpaceRelation
    is_active: bool
    """Whether the other library searches with it."""

    @property
    def is_merged(self) -> bool:
        """Whether its vectors come along."""
        return self.relation is not SpaceRelation.NAME_TAKEN


def plan_spaces(library: Library, other: Library) -> list[MergedSpace]:
    """Return what a merge does with each space of the other library."""
    summaries = list_spaces(other)
    with library.read() as connection:
        return [
            MergedSpace(each.stored, _relation(connection, each.stored.space), each.is_active) for each in summaries
        ]


def _relation(connection: Connection, space: Space) -> SpaceRelation:
    named = find_spaces_in(connection, space.model)
    if any(stored.space.fingerprint == space.fingerprint for stored in named):
        return SpaceRelation.SAME
    if space.is_imported and any(stored.space.model == space.model for stored in named):
        return SpaceRelation.NAME_TAKEN
    return SpaceRelation.CARRIED


def add_spaces(connection: Connection, spaces: Sequence[MergedSpace]) -> dict[int, StoredSpace]:
    """Register the spaces that are missing here; return all that are merged, by their ID in the other library."""
    return {
        each.other.id: register(connection, each.other.space, each.other.dtype) for each in spaces if each.is_merged
    }


def activate_first(connection: Connection, spaces: Sequence[MergedSpace], here: Mapping[int, StoredSpace]) -> None:
    """Search with the space that is active in the other library, if none is active here."""
    if connection.scalar(select(LibraryState.active_space_id)) is not None:
        return
    for each in spaces:
        if each.is_active and each.other.id in here:
            activate(connection, here[each.other.id])
