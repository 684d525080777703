"""Settings that more than one room needs: where a library lives. Each room keeps its own settings beside its code."""

import os
from pathlib import Path

import platformdirs

__all__ = ["LIBRARY_VARIABLE", "default_library"]

LIBRARY_VARIABLE = "SIGHTLINE_LIBRARY"
"""Environment variable that names the library to use when none is given."""


def default_library() -> Path:
    """The library folder: `SIGHTLINE_LIBRARY` if set, else `library` in the user's data folder."""
    named = os.environ.get(LIBRARY_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("sightline", appauthor=False) / "library"
