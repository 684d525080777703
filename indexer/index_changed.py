"""Index the folders of a root in which files have changed, without looking at its other folders."""

import os
from dataclasses import replace
from pathlib import Path

from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer.changed_folders import ChangedFolders
from indexer.pipeline import IndexSettings, index
from indexer.summary import Progress, Summary
from store.library import Library
from store.roots import find_location

__all__ = ["index_changed"]


def index_changed(
    library: Library,
    root: Path,
    changed: ChangedFolders,
    encoder: Encoder | None = None,
    settings: IndexSettings | None = None,
    progress: Progress | None = None,
    placement: Placement = DEFAULT_PLACEMENT,
) -> Summary:
    """Bring the library up to date with some folders of `root`, which must be in the library; raises as `index`.

    Folders that are gone stand for the ones above them. If the root is not in the library any more, nothing is done.
    """
    location = find_location(library, root)
    if location is None:
        return Summary()
    changed = changed.existing(os.fsencode(root)).within(location.beneath)
    settings = settings or IndexSettings()
    settings = replace(settings, scan=replace(settings.scan, changed=changed))
    folder = location.root / os.fsdecode(changed.common)
    return index(library, folder, encoder, settings, progress, placement=placement)
