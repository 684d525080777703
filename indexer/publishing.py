"""Publish what an index run has written: places, near-duplicates, counts, and the index files."""

from contextlib import suppress
from time import perf_counter

from core.errors import LibraryUnusable, SpaceDropped
from indexer.places import update_places
from indexer.run import RunContext
from store.ingest.replaced_contents import carry_over, has_completed
from store.kept_counts.keeping import keep_counts
from store.near_duplicates.groups import update_near_duplicate_groups
from store.spaces import index_cache
from store.spaces.approximation import update_approximation
from store.spaces.registry import StoredSpace, list_spaces

__all__ = ["Publisher"]

PUBLISH_INTERVAL_SECONDS = 300.0
"""Time between two index files during a long run. A search adds the vectors that are newer than the last file."""


class Publisher:
    """Publishes the changes of one run: the index file now and then, and everything at its end."""

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._published = perf_counter()
        self._revision = run.library.revision()

    def publish(self, stored: StoredSpace) -> None:
        """Look up places, group near-duplicates, and write the index files of the spaces whose vectors have changed."""
        library, progress, timer = self._run.library, self._run.progress, self._run.timer
        progress.publish()
        with timer.stage("places"):
            update_places(library, progress)
        self._carry_over_edits()
        with timer.stage("group"):
            update_near_duplicate_groups(library, stored, waiting=progress.waiting, check=progress.check)
        keep_counts(library)
        self.publish_index(stored)
        self._update_approximation(stored)
        if library.revision() == self._revision:
            return
        for other in list_spaces(library):  # they may have vectors of pictures that were added or removed
            if other.stored.id != stored.id:
                self._publish_space(other.stored)
                self._update_approximation(other.stored)

    def publish_index(self, stored: StoredSpace) -> None:
        """Write the index file of a space."""
        with self._run.timer.stage("publish"):
            self._publish_space(stored)
        self._published = perf_counter()

    def publish_if_due(self, stored: StoredSpace) -> None:
        """Write the index file of a space if the last one is old."""
        if perf_counter() - self._published > PUBLISH_INTERVAL_SECONDS:
            self.publish_index(stored)

    def _carry_over_edits(self) -> None:
        """Give edited files the user data that they had before."""
        with self._run.library.read() as connection:
            if not has_completed(connection):
                return
        with self._run.lock() as writer, writer.transaction() as connection:
            carry_over(connection)

    def _publish_space(self, stored: StoredSpace) -> None:
        progress = self._run.progress
        with suppress(SpaceDropped):
            index_cache.publish(self._run.library, stored, progress.waiting, progress.check)

    def _update_approximation(self, stored: StoredSpace) -> None:
        """Build or renew the inverted lists of a large library, if that is due. Searches are exact until then."""
        try:
            update_approximation(self._run.library, stored, self._run.progress.check)
        except LibraryUnusable as exc:
            self._run.progress.warn(str(exc))
