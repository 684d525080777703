"""Folders of a root whose pictures are not taken for deleted, because a disk seems to be away."""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

from core.errors import ExtraMissing
from core.file_systems import mount_points_below
from core.object_paths import ObjectPath
from core.root_files import root_files
from indexer.patience import STORE_PATIENCE_SECONDS, ask
from store.ingest.availability import Availability
from store.ingest.mount_points import known_mount_points, remember_mount_points
from store.library import Library
from store.roots import RootLocation, count_present, folder_roots

__all__ = ["AbsentDisks", "count_away"]


class AbsentDisks:
    """Finds the folders of one scan whose disk is away.

    These are the places where a disk was mounted at an earlier scan and where none is now, or one with hardly any of
    the pictures. Places that are excluded from the scan by now do not count.
    """

    def __init__(self, library: Library, location: RootLocation) -> None:
        self._library = library
        self._location = location
        self._known = known_mount_points(library, location.root_id)

    def find(self, availability: Availability, mounted: Collection[bytes]) -> list[bytes]:
        """Return the places, relative to the root; `mounted` are those that the scan came through."""
        present = [path for path in self._relevant() if path in mounted]
        away = self.unmounted(availability, mounted)
        return away + [path for path in present if availability.is_suddenly_empty(path)]

    def unmounted(self, availability: Availability, mounted: Collection[bytes] = ()) -> list[bytes]:
        """Return the places where no disk is mounted now. This is all that a scan of some folders only can tell."""
        absent = [path for path in self._relevant() if path not in mounted and not self._is_mounted(path)]
        return [path for path in absent if availability.count_known(path)]

    def remember(self, mounted: Iterable[bytes], away: Collection[bytes], *, is_accepted: bool) -> None:
        """Store where disks are mounted now. Those that are away are kept, unless that `is_accepted`."""
        here = set(self._relevant())
        kept = {path for path in self._known if path not in here or (path in away and not is_accepted)}
        remember_mount_points(self._library, self._location.root_id, kept | set(mounted))

    def _relevant(self) -> Iterator[bytes]:
        """Yield the known places that the scan covers, or that are above it."""
        beneath = self._location.beneath
        for path in self._known:
            is_below = not beneath or (path + b"/").startswith(beneath + b"/")
            if is_below or beneath.startswith(path + b"/"):
                yield path

    def _is_mounted(self, path: bytes) -> bool:
        """Return whether a disk is mounted at a place that the scan did not come through."""
        return _is_mounted(self._location.root, path)


def count_away(library: Library) -> dict[Path, int]:
    """Return the number of present pictures that cannot be read now by root, for the roots that have any.

    Their root is not there or an empty folder, or the disk that was mounted at a place below it is not. A root whose
    disk or store does not answer in time is away as a whole.
    """
    roots = folder_roots(library)
    known = [known_mount_points(library, root_id) for root_id, _ in roots]
    questions = [
        ask(("away", root, places), partial(_places_away, root, places), _patience(root))
        for (_, root), places in zip(roots, known, strict=True)
    ]
    away: dict[Path, int] = {}
    for (root_id, root), question in zip(roots, questions, strict=True):
        answer = question.answer()
        places = [b""] if answer is None else answer
        number = sum(count_present(library, RootLocation(root_id, root, path)) for path in places)
        if number:
            away[root] = number
    return away


def _places_away(root: Path, known: Collection[bytes]) -> list[bytes]:
    """Return the folders of a root, relative to it, that cannot be read now; that of the root itself is empty."""
    if _is_gone(root):
        return [b""]
    places = [path for path in known if not _is_mounted(root, path)]
    return [path for path in places if not any(path.startswith(each + b"/") for each in places)]


def _is_gone(folder: Path) -> bool:
    """Return whether a folder does not exist, or is empty, as the mount point of a disk that is away is.

    A folder that cannot be listed counts too: a connection was lost, or a disk fails.
    """
    try:
        return not root_files(folder).has_entries()
    except PermissionError:  # it may be there
        return False
    except (OSError, ExtraMissing):
        return True


def _patience(root: Path) -> float | None:
    return STORE_PATIENCE_SECONDS if isinstance(root, ObjectPath) else None


def _is_mounted(root: Path, path: bytes) -> bool:
    """Return whether a disk is mounted at a place below a root."""
    if path in mount_points_below(root):
        return True
    full = os.path.join(os.fsencode(root), path)  # noqa: PTH118 (paths are bytes)
    try:
        status, above = os.stat(full), os.stat(os.path.dirname(full))  # noqa: PTH116, PTH120
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_dev != above.st_dev
