"""Settings that more than one room needs: where a library lives. Each room keeps its own settings beside its code."""

import os
from pathlib import Path

import platformdirs

from sightline.errors import NoHomeFolder

__all__ = ["LIBRARY_VARIABLE", "default_library"]

LIBRARY_VARIABLE = "SIGHTLINE_LIBRARY"
"""Environment variable that names the library to use when none is given."""


def default_library() -> Path:
    """The library folder: `SIGHTLINE_LIBRARY` if set, else `library` in the user's data folder.

    Raises `NoHomeFolder` for someone who has none.
    """
    if named := os.environ.get(LIBRARY_VARIABLE):
        return Path(named)
    try:
        return platformdirs.user_data_path("sightline", appauthor=False) / "library"
    except RuntimeError as exc:
        raise NoHomeFolder(LIBRARY_VARIABLE) from exc
