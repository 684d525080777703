"""Whether a disk seems to be away: a folder had pictures, and a scan found none of them, or hardly any.

Pictures of such a folder are kept as they are, because they are probably not deleted.
"""

import os

from sqlalchemy import ColumnElement, Connection, func, select

from core.errors import RootUnavailable
from store.catalog.tables import Picture, PictureState
from store.catalog.transactions import reading
from store.ingest.scan_comparison import ScanComparison
from store.ingest.scanned_files import SEEN
from store.roots import RootLocation, within

__all__ = ["Availability"]

MIN_PICTURES_TO_JUDGE = 20
"""A folder with fewer pictures counts as unavailable only if it is empty."""

MIN_FOUND_SHARE = 0.1
"""Share of the present pictures that a scan must find for the folder to count as mounted."""


class Availability:
    """Compares how many pictures a scan found at `location` with how many the catalogue has.

    `connection` is that of the reconciler, whose temporary tables list the scanned files. Folders are relative to the
    root.
    """

    def __init__(self, connection: Connection, location: RootLocation, compared: ScanComparison) -> None:
        self._connection = connection
        self._location = location
        self._compared = compared

    def require(self, seen: int) -> None:
        """Raise `RootUnavailable` if the scanned folder had pictures and the scan, which found `seen`, found few."""
        known = self.count_known(self._location.beneath)
        if _is_nearly_empty(known, seen):
            raise RootUnavailable(self._location.root / os.fsdecode(self._location.beneath), known, seen)

    def require_root(self) -> None:
        """Raise `RootUnavailable` if few pictures of the root are left without those that the scan did not find.

        This is `require` for a scan of some folders only.
        """
        present = [Picture.root_id == self._location.root_id, Picture.state == PictureState.PRESENT]
        scanned = self._compared.joined()
        with reading(self._connection) as connection:
            vanished = connection.scalar(select(func.count(Picture.id)).where(*present, self._compared.vanished())) or 0
            if not vanished:
                return
            known = connection.scalar(select(func.count(Picture.id)).where(*present)) or 0
            new = connection.scalar(select(func.count()).select_from(scanned).where(Picture.id.is_(None))) or 0
        left = known - vanished + new
        if _is_nearly_empty(known, left):
            raise RootUnavailable(self._location.root, known, left)

    def count_known(self, folder: bytes) -> int:
        """Count the present pictures below a folder according to the catalogue."""
        with reading(self._connection) as connection:
            return connection.scalar(select(func.count(Picture.id)).where(*self._present_below(folder))) or 0

    def had_many(self, folder: bytes) -> bool:
        """Return whether an empty folder had so many pictures that they are neither deleted nor moved for sure."""
        return self.count_known(folder) >= MIN_PICTURES_TO_JUDGE

    def is_suddenly_empty(self, folder: bytes) -> bool:
        """Return whether the folder had pictures, and the scan found none of them, or very few."""
        here = self._present_below(folder)
        is_found = Picture.relpath.in_(select(SEEN.c.relpath))
        with reading(self._connection) as connection:
            known = connection.scalar(select(func.count(Picture.id)).where(*here)) or 0
            left = connection.scalar(select(func.count(Picture.id)).where(*here, is_found)) or 0
        return _is_nearly_empty(known, left)

    def _present_below(self, folder: bytes) -> list[ColumnElement[bool]]:
        below = within(RootLocation(self._location.root_id, self._location.root, folder))
        return [*within(self._location), *below, Picture.state == PictureState.PRESENT]


def _is_nearly_empty(known: int, left: int) -> bool:
    return (known > 0 and left == 0) or (known >= MIN_PICTURES_TO_JUDGE and left < known * MIN_FOUND_SHARE)
