"""A data set's pictures, embedded into a library of their own in the user's cache: nobody's own library is touched."""

import hashlib
import os
from pathlib import Path

import platformdirs

from cli.progress import ShownProgress
from core.errors import EvaluationError, NoHomeFolder
from encoders.base import Encoder
from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from search.evaluate.datasets import Dataset
from store import Library
from store.queries import failures

__all__ = ["open_private"]


def open_private(dataset: Dataset, encoder: Encoder) -> Library:
    """The library in which `encoder` has seen the pictures of `dataset`; only new ones are embedded.

    Raises `EvaluationError` when some of them cannot be read.
    """
    root = Path(os.path.abspath(dataset.root))  # noqa: PTH100 (as indexing does: links stay)
    library = Library.open(_folder(root, encoder), create=True)
    try:
        only = frozenset(map(os.fsencode, dataset.images))
        # Other splits of the data set that were embedded before are not seen this time, and that is no reason to stop.
        settings = IndexSettings(scan=ScanSettings(only=only), accept_missing=True)
        with ShownProgress() as progress:
            index(library, [root], encoder, settings, progress)
        unreadable = [f"{failure.path.name} ({failure.detail})" for failure in failures(library)]
    except BaseException:
        library.close()
        raise
    if unreadable:
        library.close()
        raise EvaluationError(f"{len(unreadable):,} of the pictures cannot be read: {', '.join(unreadable[:5])}")
    return library


def _folder(root: Path, encoder: Encoder) -> Path:
    """One a data set's folder and a space: vectors of two spaces do not go into one library."""
    try:
        cache = platformdirs.user_cache_path("sightline", appauthor=False)
    except RuntimeError as exc:
        raise NoHomeFolder("XDG_CACHE_HOME") from exc
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return cache / "eval" / name / encoder.space.fingerprint[:16]
