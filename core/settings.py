"""Settings that more than one room needs: where a library lives, and where models do. Each room keeps its own settings
beside its code."""

import os
from pathlib import Path

import platformdirs

from core.errors import NoHomeFolder

__all__ = ["LIBRARY_VARIABLE", "MODELS_VARIABLE", "default_library", "models_folder", "slug"]

LIBRARY_VARIABLE = "SIGHTLINE_LIBRARY"
"""Environment variable that names the library to use when none is given."""
MODELS_VARIABLE = "SIGHTLINE_MODELS"
"""Environment variable that names the folder in which the files of models lie."""


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


def models_folder() -> Path:
    """Where the files of models lie, a folder each: `SIGHTLINE_MODELS` if set, else `models` in the user's data folder.

    Raises `NoHomeFolder` for someone who has none.
    """
    if named := os.environ.get(MODELS_VARIABLE):
        return Path(named)
    try:
        return platformdirs.user_data_path("sightline", appauthor=False) / "models"
    except RuntimeError as exc:
        raise NoHomeFolder(MODELS_VARIABLE) from exc


def slug(name: str) -> str:
    """The name of the folder in which the files of the model `name` lie: no separator, never hidden, never above."""
    return name.strip().replace("/", "--").replace("\\", "--").lstrip(".") or "--"
