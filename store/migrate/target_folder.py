"""Whether a folder may become the library that a migration fills."""

from pathlib import Path

from core.errors import LibraryUnusable, TargetNotEmpty
from store.catalog.postgresql.address import is_server_url
from store.library import Library

__all__ = ["require_usable_folder"]

OF_NEW_LIBRARY = frozenset({"indexes", "writer.lock"})
"""What a process that was killed while it created a library may leave."""
OF_FILE_SYSTEM = frozenset({"lost+found", ".DS_Store"})


def require_usable_folder(place: Path | str) -> None:
    """Raise `TargetNotEmpty` if `place` is a folder of other files, in which no library exists.

    A database is not looked at. Raises `LibraryUnusable` if the folder cannot be read.
    """
    if is_server_url(str(place)):
        return
    try:
        folder = Path(place).expanduser()
        if not folder.is_dir() or Library.exists(folder):
            return
        others = sorted(entry.name for entry in folder.iterdir() if entry.name not in OF_NEW_LIBRARY | OF_FILE_SYSTEM)
    except (OSError, RuntimeError) as exc:  # RuntimeError: the user has no home folder
        raise LibraryUnusable(Path(place), str(exc)) from exc
    if others:
        raise TargetNotEmpty(folder, f"the folder has other files, such as {others[0]}")
