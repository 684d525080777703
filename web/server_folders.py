"""The folders of the machine that runs the server, for a client that chooses one to add to the library.

Only folders at or below the places of the settings are shown, after all links have been resolved, and no hidden ones.
Names of files are never shown, only the number of pictures in a folder.

A folder has a `file:` URI (RFC 8089) beside its path, because names of folders need not be UTF-8.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import monotonic
from urllib.parse import quote_from_bytes, unquote_to_bytes

from core.errors import FolderNotFound, FolderUnreadable
from core.files import absolute
from core.object_paths import ObjectPath, object_path
from indexer.file_names import suffix_of
from indexer.scan import PICTURE_SUFFIXES

__all__ = ["FolderListing", "ServerFolder", "folder_of", "folder_uri", "is_below", "list_folder", "list_places"]

FILE_SCHEME = "file://"

MAX_ENTRIES = 20_000
"""Entries of a folder that are looked at."""

MAX_FOLDERS = 1_000
"""Folders of a listing."""

MAX_LINKS = 500
"""Links of a folder that are resolved, to find out whether they lead out of the places; further ones are left out."""

COUNT_SECONDS = 0.5
"""How long the contents of the listed folders are counted. Those that are left have no numbers."""


@dataclass(frozen=True)
class ServerFolder:
    """A folder, and what is directly in it. Numbers are None if the folder was not read; they may be too low."""

    path: Path
    pictures: int | None = None
    folders: int | None = None


@dataclass(frozen=True)
class FolderListing:
    """A folder and the folders in it, sorted by name. `parent` is None for a place, and for the list of places."""

    folder: ServerFolder | None
    parent: Path | None
    folders: tuple[ServerFolder, ...]
    is_cut: bool
    """Whether there are more folders than are listed."""


@dataclass
class _Contents:
    """What is in a folder, without hidden entries."""

    names: list[bytes] = field(default_factory=list)
    """Of folders."""
    links: set[bytes] = field(default_factory=set)
    """The names that are links."""
    pictures: int = 0
    is_cut: bool = False
    """Whether there are more entries."""

    def add(self, entry: "os.DirEntry[bytes]") -> None:
        if _is_folder(entry):
            self.names.append(entry.name)
            if entry.is_symlink():
                self.links.add(entry.name)
        elif suffix_of(entry.name) in PICTURE_SUFFIXES:
            self.pictures += 1


def folder_of(text: str) -> Path:
    """Return the absolute path of a folder that a client named by path or by `file:` URI; `~` is expanded.

    The path of objects in a store is returned as such.

    Raises `FolderNotFound` if the text is neither.
    """
    if (objects := object_path(text)) is not None:
        return objects
    if text.startswith(FILE_SCHEME):
        path = Path(os.fsdecode(unquote_to_bytes(text.removeprefix(FILE_SCHEME))))
    else:
        path = Path(os.path.expanduser(text))  # noqa: PTH111 (Path.expanduser raises for an unknown user)
    if not path.is_absolute() or "\0" in str(path):
        raise FolderNotFound(path)
    return absolute(path)  # without `..`, like the index run


def folder_uri(path: Path) -> str:
    """Return the `file:` URI of an absolute path; that of objects is the path itself."""
    return str(path) if isinstance(path, ObjectPath) else FILE_SCHEME + quote_from_bytes(os.fsencode(path), safe="/~")


def is_below(path: Path, places: Iterable[Path]) -> bool:
    """Return whether a path, with all links resolved, is at or below one of `places`, and not in a hidden folder."""
    return _is_below(path, _resolved(places))


def list_places(places: Iterable[Path]) -> FolderListing:
    """Return the places as a listing."""
    return FolderListing(None, None, tuple(_counted([path for path in places if path.is_dir()])), is_cut=False)


def list_folder(path: Path, places: Iterable[Path]) -> FolderListing:
    """Return the folders in `path`, which `is_below` has allowed. Raises `FolderNotFound` and `FolderUnreadable`."""
    real_places = _resolved(places)
    contents = _read(path)
    shown, links = list[Path](), 0
    for name in sorted(contents.names, key=_natural):
        child = path / os.fsdecode(name)
        if name in contents.links:  # other folders are below the same places as `path`
            links += 1
            if links > MAX_LINKS or not _is_below(child, real_places):
                continue
        shown.append(child)
    parent = None if Path(os.path.realpath(path)) in real_places else path.parent
    folder = ServerFolder(path, contents.pictures, len(shown))
    is_cut = contents.is_cut or links > MAX_LINKS or len(shown) > MAX_FOLDERS
    return FolderListing(folder, parent, tuple(_counted(shown[:MAX_FOLDERS])), is_cut)


def _resolved(places: Iterable[Path]) -> list[Path]:
    return [Path(os.path.realpath(place)) for place in places]


def _is_below(path: Path, real_places: Iterable[Path]) -> bool:
    if isinstance(path, ObjectPath):
        return False
    real = Path(os.path.realpath(path))
    return any(
        real.is_relative_to(place) and not any(part.startswith(".") for part in real.relative_to(place).parts)
        for place in real_places
    )


def _counted(paths: Iterable[Path], clock: Callable[[], float] = monotonic) -> Iterable[ServerFolder]:
    """Yield the folders with the numbers of what is in them, as long as there is time."""
    deadline = clock() + COUNT_SECONDS
    for path in paths:
        if clock() > deadline:
            yield ServerFolder(path)
            continue
        try:
            contents = _read(path)
        except (FolderNotFound, FolderUnreadable):
            yield ServerFolder(path)
        else:
            yield ServerFolder(path, contents.pictures, len(contents.names))


def _read(path: Path) -> _Contents:
    contents = _Contents()
    try:
        with os.scandir(os.fsencode(path)) as entries:
            for entry in islice(entries, MAX_ENTRIES):
                if not entry.name.startswith(b"."):
                    contents.add(entry)
            contents.is_cut = next(entries, None) is not None
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise FolderNotFound(path) from exc
    except OSError as exc:
        raise FolderUnreadable(path, exc.strerror or str(exc)) from exc
    return contents


def _is_folder(entry: "os.DirEntry[bytes]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _natural(name: bytes) -> list[tuple[int, str]]:
    """Sort `Trip 2` before `Trip 10`, without regard to case."""
    text = os.fsdecode(name).casefold()
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,18})", text)]
