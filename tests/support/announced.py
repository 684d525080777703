"""The announced index files of a library, wherever they are announced."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from store import Library
from store.spaces.announced_files import AnnouncedFile, announced_file, record
from store.spaces.registry import list_spaces

__all__ = ["announce_again", "index_files", "only_announced"]


def only_announced(library: Library) -> AnnouncedFile:
    """Return the announced file of a library in which one space has one."""
    files = [announced_file(library, summary.stored) for summary in list_spaces(library)]
    (file,) = (file for file in files if file is not None)
    return file


def announce_again(library: Library, **changes: Any) -> None:
    """Announce that file with other facts."""
    file = only_announced(library)
    for summary in list_spaces(library):
        if announced_file(library, summary.stored) is not None:
            with library.transaction() as connection:
                record(library, connection, summary.stored, replace(file, **changes))


def index_files(library: Library) -> list[Path]:
    """Return what is in the folder of index files, except where files are announced if the catalogue does not do it."""
    return [path for path in library.indexes.iterdir() if not path.name.endswith(".announced.json")]
