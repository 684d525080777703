"""Scan a folder and compare it with the catalogue: the part of an index run before any file is read."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from core.errors import FolderExcluded
from core.root_files import is_folder
from indexer.absent_disks import AbsentDisks
from indexer.changed_pixels import list_changed_pixels
from indexer.folders import folder_errors
from indexer.run import RunContext
from indexer.scan import Scan, scan
from store.ingest.pairing import CompanionPairing
from store.ingest.passed_over import PassedOverRecorder
from store.ingest.reconcile import ScanReconciler
from store.ingest.scanned_files import ScannedFile
from store.roots import RootLocation

__all__ = ["FolderScan", "StatFile"]

SCAN_REPORT_INTERVAL = 1_000
"""Files between two reports of a scan's progress."""

StatFile = Callable[[bytes], ScannedFile | None]
"""Returns the size and times of the file at a path relative to the root; None if it is gone."""


class FolderScan:
    """One scan of a folder, and what it tells about folders that are empty or whose disk is away."""

    def __init__(self, run: RunContext, location: RootLocation, reconciler: ScanReconciler) -> None:
        self._run = run
        self._location = location
        self._reconciler = reconciler
        self._empty: list[bytes] = []

    def reconcile(self, passed_over: PassedOverRecorder, pairing: CompanionPairing) -> tuple[int, StatFile]:
        """Scan the folder and compare it with the catalogue.

        Returns the number of files to read, and a function that finds the size and times of companions.
        """
        run, reconciler = self._run, self._reconciler
        with run.timer.stage("scan"):
            seen, stat = self._scan(passed_over)
            if run.settings.scan.changed is not None:
                reconciler.availability.require_root()
            elif not run.settings.accept_missing:
                reconciler.availability.require(seen)
            pairing.release(stat)
            restored = reconciler.update_unread()
        with run.timer.stage("metadata"):
            list_changed_pixels(reconciler, self._location, run.settings.workers, run.progress)
        with run.timer.stage("scan"):
            counts = reconciler.counts()
            if run.settings.scan.only is None:
                run.totals.passed_over += passed_over.replace(reconciler.changing)
        run.totals.counts.update(restored=restored, unchanged=counts.unchanged - restored, failed=counts.failed)
        return counts.pending, stat

    def keep_emptied(self) -> None:
        """Exclude folders that are empty now, after the pictures that were moved out of them have been found."""
        self._exclude_absent(list(filter(self._reconciler.availability.had_many, self._empty)))
        self._empty = []

    def _scan(self, passed_over: PassedOverRecorder) -> tuple[int, StatFile]:
        """Record the files of a folder; return their number and a function for their companions."""
        settings, location, reconciler = self._run.settings, self._location, self._reconciler
        with folder_errors(location.root):
            if settings.accept_missing and not (is_folder(location.root) or location.root.exists()):
                return 0, lambda _: None
            wanted = replace(settings.scan, longest_path=self._run.library.backend.longest_path)
            files = scan(location.root, wanted, location.beneath, passed_over.add)
        seen = reconciler.record(self._report_progress(files))
        folder = location.root / os.fsdecode(location.beneath)
        is_partial = settings.scan.changed is not None  # it looks at what has changed, included or not
        if files.is_excluded and not settings.accept_missing and not is_partial and is_folder(folder):
            raise FolderExcluded(folder, location.root)
        # A picture with a longer path, which was compressed, may be in the catalogue. It is not missing.
        above_too_long = {path.rpartition(b"/")[0] for path in files.too_long}
        reconciler.exclude([*files.unreadable, *files.left_out, *above_too_long])
        self._warn_of_unusable(files.unusable)
        self._run.totals.unreadable.extend(str(location.root / os.fsdecode(path)) for path in files.unreadable)
        self._run.totals.too_long.extend(str(location.root / os.fsdecode(path)) for path in files.too_long)
        if is_partial:
            self._exclude_absent(AbsentDisks(self._run.library, location).unmounted(reconciler.availability))
        elif settings.scan.only is None:
            self._keep_absent(files)
        return seen, files.stat

    def _warn_of_unusable(self, paths: list[bytes]) -> None:
        """Say what was left out because it cannot be named by a path."""
        if paths:
            first = f"{self._location.root}/{os.fsdecode(paths[0])}/"
            others = f", and with {len(paths) - 1:,} more" if len(paths) > 1 else ""
            self._run.progress.warn(
                "objects are left out if a name between slashes in their key is empty, `.` or `..`: "
                f"those that begin with {first}{others}"
            )

    def _keep_absent(self, files: Scan) -> None:
        """Exclude the places of disks that are away, and remember where disks are mounted."""
        is_accepted = self._run.settings.accept_missing
        self._empty = [] if is_accepted else files.empty
        disks = AbsentDisks(self._run.library, self._location)
        away = disks.find(self._reconciler.availability, files.mounted)
        disks.remember(files.mounted, away, is_accepted=is_accepted)
        if not is_accepted:
            self._exclude_absent(away)

    def _exclude_absent(self, folders: list[bytes]) -> None:
        self._reconciler.exclude(folders)
        root = self._location.root
        self._run.totals.absent.extend(str(root / os.fsdecode(path)) for path in folders)

    def _report_progress(self, files: Scan) -> Iterator[ScannedFile]:
        for number, file in enumerate(files, start=1):
            if number % SCAN_REPORT_INTERVAL == 0:
                self._run.progress.scanned(number)
            yield file
