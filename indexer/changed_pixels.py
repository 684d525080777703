"""Have files embedded again that an earlier version showed with other pixels (`pictures.changed_pixels`)."""

import os
from functools import partial
from pathlib import Path

from core.root_files import open_file
from indexer.page_readers import page_readers
from indexer.summary import Progress
from pictures.changed_pixels import CHANGED_FORMATS, has_changed_pixels
from store.ingest.changed_pixels import EarlierContent, earlier_contents, record_pixels_version
from store.ingest.reconcile import ScanReconciler
from store.roots import RootLocation

__all__ = ["list_changed_pixels"]


def list_changed_pixels(
    reconciler: ScanReconciler, location: RootLocation, workers: int, progress: Progress | None = None
) -> int:
    """Look at the headers of files whose pixels an earlier version read; return how many will be embedded again.

    Files that cannot be opened now are left for the next run. Each page is one transaction.
    """
    progress, found = progress or Progress(), 0
    with page_readers(workers, "sightline-pixels") as readers:
        for contents in earlier_contents(reconciler.connection, location, CHANGED_FORMATS):
            answers = readers.read(partial(_has_changed, location.root), contents)
            progress.check()
            read = [content.content_id for content, answer in answers if answer is not None]
            changed = [content.content_id for content, answer in answers if answer]
            with reconciler.changing() as connection:
                record_pixels_version(connection, read, changed)
            found += len(changed)
    return found


def _has_changed(root: Path, content: EarlierContent) -> bool | None:
    try:
        with open_file(root / os.fsdecode(content.relpath)) as file:
            return has_changed_pixels(file)
    except OSError:
        return None
