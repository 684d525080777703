"""The files of a library that are no caches: judgements, snapshots, and its key. They are copied beside the catalogue.

Nothing there is overwritten by mistake: a file with the same name and other bytes ends the migration, unless an earlier
one was killed while it copied files, which the file `migrating` tells.
"""

import filecmp
from collections.abc import Iterator
from pathlib import Path

from core.files import atomic_writer
from store.backup.snapshot_folder import SNAPSHOTS_FOLDER
from store.library import Library
from store.library_key import KEY_FILE
from store.shared_files import shared_folder

__all__ = ["FileInTheWay", "LocalFiles"]

MARKER = "migrating"
JUDGEMENTS_FOLDER = "judged"
"""Also in `search.evaluate.kept_judgements`, which is above this package."""

_CHUNK = 1 << 20


class FileInTheWay(Exception):
    """The target has another file at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class LocalFiles:
    """The files of the library `source`, and where they go: to `target`."""

    def __init__(self, source: Library, target: Library) -> None:
        self._marker = target.path / MARKER
        snapshots, judgements = source.path / SNAPSHOTS_FOLDER, shared_folder(source) / JUDGEMENTS_FOLDER
        self._files: dict[Path, Path] = {}
        for folder, goal in ((snapshots, target.path), (judgements, shared_folder(target))):
            files = {file: goal / file.relative_to(folder.parent) for file in _files(folder) if file.is_file()}
            self._files.update(files)
        if (key := source.path / KEY_FILE).is_file() and target.backend.name == "sqlite":
            self._files[key] = target.path / KEY_FILE

    def __len__(self) -> int:
        return len(self._files)

    def check(self) -> None:
        """Raise `FileInTheWay` if another file would be overwritten."""
        if self._marker.exists():
            return
        for file, copy in self._files.items():
            if copy.name != KEY_FILE and copy.exists() and not filecmp.cmp(file, copy, shallow=False):
                raise FileInTheWay(copy)

    def copy(self) -> None:
        """Copy all files. Raises `OSError`, also if a copy is not what was read."""
        if self._files:
            self._marker.touch()
        for file, copy in self._files.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb") as read, atomic_writer(copy) as written:
                while chunk := read.read(_CHUNK):
                    written.write(chunk)
            if not filecmp.cmp(file, copy, shallow=False):
                raise OSError(f"{copy} is not what was written to it, or {file} was changed")

    def finish(self) -> None:
        """Note that the migration is complete."""
        self._marker.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    return folder.rglob("*") if folder.is_dir() else iter(())
