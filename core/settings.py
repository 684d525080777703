"""Default locations of the library and of model files, used by several packages."""

import os
from pathlib import Path

import platformdirs

from core.errors import HomeFolderNotFound

__all__ = [
    "LIBRARY_VARIABLE",
    "LOCAL_VARIABLE",
    "MODELS_VARIABLE",
    "SHARED_VARIABLE",
    "default_library",
    "local_folder",
    "models_folder",
    "slug",
]

LIBRARY_VARIABLE = "SIGHTLINE_LIBRARY"
"""Environment variable with the library folder to use if none is given."""
MODELS_VARIABLE = "SIGHTLINE_MODELS"
"""Environment variable with the folder of model files."""
LOCAL_VARIABLE = "SIGHTLINE_LOCAL"
"""Environment variable with the folder for what this machine derives from libraries on servers."""
SHARED_VARIABLE = "SIGHTLINE_SHARED"
"""Environment variable with a folder that all machines of a library share, for files that are not in the catalogue."""


def default_library() -> Path:
    """Return the library folder: `SIGHTLINE_LIBRARY` if set, else `library` in the user's data folder.

    Raises `HomeFolderNotFound` if the user has no home folder.
    """
    return _data_folder(LIBRARY_VARIABLE, "library")


def models_folder() -> Path:
    """Return the folder of model files: `SIGHTLINE_MODELS` if set, else `models` in the user's data folder.

    Each model has a subfolder of its own. Raises `HomeFolderNotFound` if the user has no home folder.
    """
    return _data_folder(MODELS_VARIABLE, "models")


def local_folder() -> Path:
    """Return the folder for index files and caches of libraries on servers. Each library has a subfolder of its own.

    Raises `HomeFolderNotFound` if the user has no home folder.
    """
    return _data_folder(LOCAL_VARIABLE, "servers")


def _data_folder(variable: str, name: str) -> Path:
    """Return the folder that an environment variable names, else the folder `name` in the user's data folder."""
    if folder := os.environ.get(variable):
        return Path(folder)
    try:
        return platformdirs.user_data_path("sightline", appauthor=False) / name
    except RuntimeError as exc:
        raise HomeFolderNotFound(variable) from exc


def slug(name: str) -> str:
    """Return the subfolder name for the model `name`. It has no separators and does not begin with a dot."""
    return name.strip().replace("/", "--").replace("\\", "--").lstrip(".") or "--"
