"""Where the files are that belong to a library, but are not in its catalogue: judgements.

Those of a library in a folder are in that folder. A library on a server is used by several machines, and each has a
folder of its own. What all of them should see is in the folder that `SIGHTLINE_SHARED` names on each of them, such as
one on a network drive, if it names one.
"""

import os
from pathlib import Path

from core.settings import SHARED_VARIABLE
from store.library import Library
from store.library_key import library_key

__all__ = ["shared_folder"]


def shared_folder(library: Library) -> Path:
    """Return the folder for files of a library that all its machines share. It may not exist yet."""
    named = os.environ.get(SHARED_VARIABLE)
    if library.backend.name == "sqlite" or not named:
        return library.path
    return Path(named) / library_key(library)
