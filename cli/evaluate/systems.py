"""The systems to measure: spaces of a library, or models that embed the data set's pictures in a private library.

The private library of a data set is kept in the user's cache folder; the user's own library is not changed.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import platformdirs

from cli.progress import ProgressBar
from core.errors import EvaluationError, HomeFolderNotFound
from core.files import absolute
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from search.evaluate.datasets import Dataset
from search.evaluate.systems import CaptionVectorFile, RetrievalSystem, encoder_system, library_system
from store import Library
from store.failures import list_failures

__all__ = ["open_systems"]


@contextmanager
def open_systems(
    dataset: Dataset,
    spaces: Sequence[str],
    library: Path | None = None,
    vector_files: Mapping[str, CaptionVectorFile] | None = None,
    placement: Placement = DEFAULT_PLACEMENT,
) -> Iterator[list[RetrievalSystem]]:
    """Open the systems called `spaces`: models, or spaces of `library`; by default the built-in model or active space.

    `vector_files` are named by space, or "" for any space.
    """
    with ExitStack() as stack:
        if library is None:
            encoders = [registry.load(name, placement) for name in spaces or (registry.DEFAULT_MODEL,)]
            libraries = [stack.enter_context(_open_private_library(dataset, encoder)) for encoder in encoders]
            yield [encoder_system(private, encoder) for private, encoder in zip(libraries, encoders, strict=True)]
        else:
            opened = stack.enter_context(Library.open(library))
            yield [library_system(opened, space, vector_files, placement) for space in spaces or (None,)]


def _open_private_library(dataset: Dataset, encoder: Encoder) -> Library:
    """Open the private library of the data set and the encoder, and embed the pictures that are new.

    Raises `EvaluationError` if pictures cannot be read.
    """
    root = absolute(dataset.root)
    library = Library.open(_private_folder(root, encoder), create=True)
    try:
        only = frozenset(map(os.fsencode, dataset.images))
        # Pictures of other splits that were embedded before are not scanned now. They are not missing.
        settings = IndexSettings(scan=ScanSettings(only=only), accept_missing=True)
        with ProgressBar() as progress:
            index(library, [root], encoder, settings, progress)
        unreadable = [f"{failure.path.name} ({failure.detail})" for failure in list_failures(library)]
        if unreadable:
            raise EvaluationError(f"{len(unreadable):,} pictures cannot be read: {', '.join(unreadable[:5])}")
    except BaseException:
        library.close()
        raise
    return library


def _private_folder(root: Path, encoder: Encoder) -> Path:
    """Return the folder for one data set and one space: a library does not contain vectors of two spaces."""
    try:
        cache = platformdirs.user_cache_path("sightline", appauthor=False)
    except RuntimeError as exc:
        raise HomeFolderNotFound("XDG_CACHE_HOME") from exc
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return cache / "eval" / name / encoder.space.fingerprint[:16]
