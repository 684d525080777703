"""The notice that a newer version of a library's model is installed."""

from dataclasses import dataclass

from cli.suggestions import command
from core.space import Space
from encoders.registry import newer_version
from store import Library
from store.spaces.registry import active_space, find_spaces

__all__ = ["NewerVersion", "find_newer_version", "unused_newer_version"]


@dataclass(frozen=True)
class NewerVersion:
    """A library's active space, and the space of the newest installed version of its model."""

    active: Space
    newest: Space

    def __str__(self) -> str:
        return (
            f"{self.newest.title} is installed, and this library uses {self.active.title}: "
            f"{command(f'models use {self.newest.model}')} changes to {self.newest.title}"
        )


def find_newer_version(library: Library) -> NewerVersion | None:
    """Return the newer installed version of the active model; None if the active one is the newest."""
    active = active_space(library)
    newest = None if active is None else newer_version(active.space)
    return None if active is None or newest is None else NewerVersion(active.space, newest.space)


def unused_newer_version(library: Library) -> NewerVersion | None:
    """As `find_newer_version`, but None if the library has vectors of that version already."""
    newer = find_newer_version(library)
    return None if newer is None or find_spaces(library, newer.newest.fingerprint) else newer
