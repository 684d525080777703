"""Where this machine has the roots of a library on a server.

Machines may have the same folder at different places, such as a network drive. The catalogue names a root by its path
on the machine that indexed it first. Another machine notes where it has the root, in a file in its own folder. A root
that is noted with the path that it has in the catalogue was found there: its files were compared once.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, select

from core.errors import FolderNotFound, RootElsewhere, RootMismatch, RootNotHere, RootOverlaps, UnknownRoot
from core.files import absolute, write_atomically
from core.object_paths import ObjectPath, as_path
from core.root_files import is_folder
from store.catalog.root_paths import roots_here, show_roots_here
from store.catalog.tables import Root, RootKind
from store.library import Library
from store.root_samples import RootSample, sample_root

__all__ = [
    "NotedPlaces",
    "PlacedRoot",
    "common_names",
    "forget_places",
    "note_moved",
    "place_root",
    "require_root_here",
    "show_places",
]

FILENAME = "root-places.json"

REQUIRED_SHARE = 0.9
"""Share of the files of a sample that must be at another place with the size that the library knows."""

RECOGNISED_SHARE = 0.5
"""The same for a root that is at its path: many of its files may have changed since they were indexed."""


@dataclass(frozen=True)
class PlacedRoot:
    """A root, and where this machine has it."""

    root: Path
    """Its path before, on this machine."""
    here: Path
    found: RootSample


def place_root(library: Library, root: Path, here: Path, *, force: bool = False, dry_run: bool = False) -> PlacedRoot:
    """Note that this machine has a root, which it sees at `root` so far, at `here`. No other machine notices.

    Programs of this machine that are running see the new place when they open the library again, or use `NotedPlaces`.
    Raises `UnknownRoot`,
    `RootOverlaps`, `FolderNotFound`; and `RootMismatch`, unless forced, if there are other files than the library
    expects.
    """
    root, here = absolute(root), absolute(here)
    with library.read() as connection:
        roots = _folders(connection)
        if root not in roots:
            raise UnknownRoot(root, tuple(roots))
        for other in roots:
            if other != root and (here.is_relative_to(other) or other.is_relative_to(here)):
                raise RootOverlaps(here, other)
        if not is_folder(here):
            raise FolderNotFound(here)
        found = sample_root(connection, root, here)
    if not force and not found.has(REQUIRED_SHARE):
        raise RootMismatch(here, found.checked, found.same_size)
    if not dry_run:
        places = _read(library)
        stored = {there: name for name, there in places.items()}.get(os.fsencode(root), os.fsencode(root))
        _write(library, {**places, stored: os.fsencode(here)})
    return PlacedRoot(root, here, found)


def require_root_here(library: Library, folder: Path, *, accept_missing: bool = False) -> None:
    """Check, before this machine indexes `folder` for the first time, that it means the same folder as the others.

    Does nothing for a library that is in a folder, and for objects, which all machines see by the same path. Raises
    `RootElsewhere` if the folder has the files of a root that this machine does not have at its path, which would
    become a second root; and `RootNotHere` if it is a root by its path, but has other files here, which would make
    those of the others missing, unless that is accepted.
    """
    if library.backend.name == "sqlite" or isinstance(folder, ObjectPath):
        return
    noted = _read(library)
    with library.read() as connection:
        roots = _folders(connection)
        covering = next((root for root in roots if folder.is_relative_to(root)), None)
        if covering is None:
            _require_new(connection, folder, roots)
        elif os.fsencode(covering) in noted.values():
            return
        else:
            found = sample_root(connection, covering, covering)
            if not accept_missing and not found.has(RECOGNISED_SHARE):
                raise RootNotHere(covering, found.checked, found.same_size)
    found_here = os.fsencode(covering or folder)
    _write(library, {**noted, found_here: found_here})


def note_moved(library: Library, folders: Iterable[Path]) -> None:
    """Note that this machine has roots at the paths to which it moved them: a sample was compared with that."""
    if library.backend.name != "sqlite":
        moved = {os.fsencode(folder): os.fsencode(folder) for folder in folders if not isinstance(folder, ObjectPath)}
        _write(library, {**_read(library), **moved})


def common_names(library: Library) -> dict[Path, Path]:
    """Return the roots that this machine has at another place: path on this machine -> path that all machines know."""
    names = roots_here(library.backend.engine)
    return {as_path(here): as_path(stored) for here, stored in names.items()}


def forget_places(library: Library) -> None:
    """Forget where this machine had the roots of a library on a server: the database is to have another library."""
    if library.backend.name != "sqlite":
        (library.path / FILENAME).unlink(missing_ok=True)
        show_roots_here(library.backend.engine, {})


class NotedPlaces:
    """Where this machine has the roots of a library that stays open. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = Lock()
        self._seen = self._file()

    def refresh(self) -> bool:
        """Have the library see its roots at the places that were noted since; return whether there were any."""
        if self._library.backend.name == "sqlite" or self._file() == self._seen:
            return False
        with self._lock:
            self._seen = self._file()
            moved = {stored: here for stored, here in _read(self._library).items() if stored != here}
            if moved == {stored: here for here, stored in roots_here(self._library.backend.engine).items()}:
                return False
            show_roots_here(self._library.backend.engine, moved)
            return True

    def _file(self) -> tuple[int, int] | None:
        """Return what differs between two states of the file, which is replaced as a whole."""
        try:
            status = (self._library.path / FILENAME).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino


def show_places(library: Library) -> None:
    """Have a library that was just opened see its roots where this machine has them."""
    places = {stored: here for stored, here in _read(library).items() if stored != here}
    if places:
        show_roots_here(library.backend.engine, places)


def _require_new(connection: Connection, folder: Path, roots: list[Path]) -> None:
    for root in roots:
        if isinstance(root, ObjectPath) or root.is_dir():
            continue
        for place in _places(folder, root):
            found = sample_root(connection, root, place)
            if found.same_size and found.has(REQUIRED_SHARE):
                raise RootElsewhere(folder, root, place)


def _places(folder: Path, root: Path) -> Iterator[Path]:
    """Yield where a root could be that is the folder, contains it, or is in it."""
    yield folder
    yield from folder.parents
    yield folder / root.name


def _folders(connection: Connection) -> list[Path]:
    rows = connection.execute(select(Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id)).scalars()
    return [as_path(path) for path in rows]


def _read(library: Library) -> dict[bytes, bytes]:
    """Return the noted places, by stored path; none if the file is missing or damaged."""
    try:
        stored = json.loads((library.path / FILENAME).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(stored, dict) or not all(isinstance(here, str) for here in stored.values()):
        return {}
    return {os.fsencode(name): os.fsencode(here) for name, here in stored.items()}


def _write(library: Library, places: Mapping[bytes, bytes]) -> None:
    named = {os.fsdecode(stored): os.fsdecode(here) for stored, here in places.items()}
    write_atomically(library.path / FILENAME, [json.dumps(named, indent=1).encode()])
