"""Record the files that a scan did not take, counted by folder and type."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, func, insert, literal, select

from store.catalog.tables import PassedOver
from store.catalog.transactions import writing_temporary
from store.ingest.scanned_files import NOT_TAKEN, is_excluded
from store.passed_over import folders_within
from store.roots import RootLocation

__all__ = ["PassedOverRecorder"]

RECORD_CHUNK_SIZE = 5_000
"""Rows per statement."""


class PassedOverRecorder:
    """Collects the counts of a scan at `location`, then replaces those of the scan before.

    `connection` is that of the reconciler, whose temporary tables hold the counts until then.
    """

    def __init__(self, connection: Connection, location: RootLocation) -> None:
        self._connection = connection
        self._location = location
        self._rows: list[dict[str, object]] = []

    def add(self, folder: bytes, files: Mapping[str, int]) -> None:
        """Add the number of files in a folder by type. No transaction may be open."""
        self._rows += [{"folder": folder, "suffix": suffix, "files": number} for suffix, number in files.items()]
        if len(self._rows) >= RECORD_CHUNK_SIZE:
            self._flush()

    def replace(self, changing: Callable[[], AbstractContextManager[Connection]]) -> Counter[str]:
        """Replace the counts in the catalogue, except those of folders that could not be read; return them by type.

        `changing` opens a write transaction on the connection of the reconciler, and raises `ScanOutdated`.
        """
        self._flush()
        numbers = select(NOT_TAKEN.c.suffix, func.sum(NOT_TAKEN.c.files)).group_by(NOT_TAKEN.c.suffix)
        columns = ["root_id", "folder", "suffix", "files"]
        found = select(
            literal(self._location.root_id), NOT_TAKEN.c.folder, NOT_TAKEN.c.suffix, NOT_TAKEN.c.files
        ).where(~is_excluded(NOT_TAKEN.c.folder))
        with changing() as connection:
            here = [*folders_within(self._location), ~is_excluded(PassedOver.folder)]
            connection.execute(delete(PassedOver).where(*here))
            connection.execute(insert(PassedOver).from_select(columns, found))
            return Counter({row[0]: int(row[1]) for row in connection.execute(numbers)})

    def _flush(self) -> None:
        if self._rows:
            with writing_temporary(self._connection) as connection:
                connection.execute(insert(NOT_TAKEN), self._rows)
            self._rows.clear()
