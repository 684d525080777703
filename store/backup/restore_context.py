"""What all steps of a restore share."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from store.albums.moved_folders import MovePaths
from store.backup.matching import PictureMatcher
from store.backup.outcomes import Outcome, RestoreReport

__all__ = ["RestoreContext", "RestoreSettings"]


@dataclass(frozen=True)
class RestoreSettings:
    """How to restore a snapshot.

    Attributes:
        replace: Take the ratings, queries, orders, covers and grades of the snapshot where the library has others.
        exact: Restore only user data of pictures whose content is in the library, not by their paths.
        moved: Roots of the snapshot and where they are now: absolute old folder to absolute new folder.
        dry_run: Only count.
        coming: Digests of contents that a dry run counts as being in the library.
    """

    replace: bool = False
    exact: bool = False
    moved: Mapping[Path, Path] = field(default_factory=dict)
    dry_run: bool = False
    coming: AbstractSet[bytes] = frozenset()


@dataclass(frozen=True)
class RestoreContext:
    """One transaction of a restore."""

    connection: Connection
    matcher: PictureMatcher
    report: RestoreReport
    settings: RestoreSettings
    move_paths: MovePaths

    def outcome(self, *, is_missing: bool, is_same: bool) -> Outcome:
        """Return the outcome for a statement. The library has nothing in its place, the same, or something else."""
        if is_same:
            return Outcome.PRESENT
        return Outcome.RESTORED if is_missing or self.settings.replace else Outcome.KEPT

    def writes(self, outcome: Outcome) -> bool:
        """Return whether a statement with this outcome is to be written."""
        return outcome is Outcome.RESTORED and not self.settings.dry_run
