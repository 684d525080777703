"""Find the picture files beneath a root: their names, sizes and times. Only files without a suffix are opened.

Folders that cannot be read are reported: otherwise they would look as if they had been deleted to a caller that
compares the result with the catalogue. Paths are bytes, so that any name is preserved.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from core.root_files import FileStatus, RootFiles, root_files
from indexer.changed_folders import ChangedFolders
from indexer.folder_reader import PICTURE_SUFFIXES, FolderReader, FoundEntry
from indexer.ignore import IgnoreRules
from indexer.scan_settings import ScanSettings
from store.ingest.scanned_files import ScannedFile, SidecarFile, pack_names, pack_sidecars

__all__ = ["PICTURE_SUFFIXES", "Scan", "ScanSettings", "scan"]


class _Folder(NamedTuple):
    """A folder that is being walked: the entries that are left, and what is known of it."""

    entries: Iterator[FoundEntry]
    rules: tuple[IgnoreRules, ...]
    statuses: Mapping[bytes, FileStatus]


def scan(
    root: Path,
    settings: ScanSettings | None = None,
    beneath: bytes = b"",
    passed_over: Callable[[bytes, Mapping[str, int]], None] = lambda folder, files: None,  # noqa: ARG005
) -> "Scan":
    """Return a scan of `root`, or only of its subfolder `beneath`. Iterating over it walks the folders.

    `passed_over` gets each folder with files that are not taken, relative to the root, and their number by
    type: the suffix in lower case, empty for files without one. Hidden and ignored files are not counted.

    Raises `FileNotFoundError`, `NotADirectoryError` or `PermissionError` if `root` cannot be listed, and `ValueError`
    for an invalid exclude pattern.

        files = scan(Path("/photos"))
        sizes = {file.relpath: file.size for file in files}
        incomplete = bool(files.unreadable)
    """
    return Scan(root_files(root), settings or ScanSettings(), beneath, passed_over)


class Scan:
    """One walk over a root. It can be iterated once; `unreadable` and `is_excluded` are final when that has ended.

    Files are yielded in ascending byte order of `relpath`, so that they can be merged with a sorted catalogue. Memory
    is needed for one listing per level of depth and, if links are followed, for two numbers per folder.

    Links to files count as files. Links to folders are skipped unless `follow_links` is set. In that case, a folder
    outside the root is visited once, through the first link to it, and a folder of the root only at its own path.

    `is_excluded` is True if `beneath` itself was not walked because it is hidden, ignored, a link, or does not exist.

    `unreadable` lists paths that could not be read: files at or beneath them may still exist. b"" is the root itself.
    `mounted` lists folders on another disk than the folder above them, and `empty` folders without any entry.
    `too_long` lists files and folders with longer paths than `ScanSettings.longest_path`. The path of a picture with
    companions counts twice, because two such paths are compared as one value.
    `left_out` lists paths that exist and were not looked at, because `ScanSettings.changed` does not contain them.
    `unusable` lists what cannot be named by a path, such as objects in a store with an empty name between slashes.
    """

    def __init__(
        self,
        files: RootFiles,
        settings: ScanSettings,
        beneath: bytes,
        passed_over: Callable[[bytes, Mapping[str, int]], None],
    ) -> None:
        """Check the root. Raises the exceptions of `scan`."""
        self.unreadable: list[bytes] = []
        self.too_long: list[bytes] = []
        self.left_out: list[bytes] = []
        self.mounted: list[bytes] = []
        self.empty: list[bytes] = []
        self.unusable: list[bytes] = []
        self._disks: dict[bytes, int] = {}
        self.is_excluded = False
        self._files = files
        self._settings = settings
        self._reader = FolderReader(files, settings, passed_over)
        self._beneath = beneath.strip(b"/")
        self._visited: set[tuple[int, int]] = set()
        files.require_root()
        self._disk = files.disk(b"")
        self._identity = files.folder_identity()

    def __iter__(self) -> Iterator[ScannedFile]:
        """Walk the folders. A partial walk yields exactly the files that a full one yields beneath that folder."""
        if self._settings.only is not None:
            yield from filter(None, map(self.stat, sorted(self._settings.only)))
        else:
            yield from self._walk()
        self._check_root_is_same()

    def _walk(self) -> Iterator[ScannedFile]:
        start = self._descend_to(self._beneath)
        self.is_excluded = start is None and not self.unreadable
        stack = [start] if start else []
        while stack:
            folder = stack[-1]
            entry = next(folder.entries, None)
            if entry is None:
                stack.pop()
            elif self._is_left_out(entry):
                self.left_out.append(entry.relpath)
            elif self._is_too_long(entry):
                self.too_long.append(entry.relpath)
            elif entry.is_folder:
                if inner := self._open(entry.relpath, folder.rules):
                    stack.append(inner)
            elif file := self._stat_listed(entry, folder.statuses):
                yield file

    def _is_left_out(self, entry: FoundEntry) -> bool:
        changed = self._settings.changed
        if changed is None:
            return False
        if not entry.is_folder:
            return entry.relpath in changed.unsettled
        return not changed.contains(entry.relpath) or self._is_emptied(entry.relpath, changed)

    def _is_too_long(self, entry: FoundEntry) -> bool:
        longest = self._settings.longest_path
        paths = 2 if entry.picture is not None and entry.picture.companions else 1
        return longest is not None and paths * len(entry.relpath) > longest

    def _is_emptied(self, relpath: bytes, changed: ChangedFolders) -> bool:
        """Return whether a folder is empty although no file in it was reported as deleted: its disk may be away."""
        if relpath not in changed.trees or relpath in changed.folders:
            return False
        try:
            return not self._files.has_entries(relpath)
        except OSError:  # `_open` reports it
            return False

    def _descend_to(self, beneath: bytes) -> _Folder | None:
        """Return the folder to start in. It is reached through its parents so that their rules apply."""
        folder = self._open(b"", ())
        for relpath in _steps(beneath):
            if folder is None or not any(e.is_folder and e.relpath == relpath for e in folder.entries):
                return None
            folder = self._open(relpath, folder.rules)
        return folder

    def _open(self, relpath: bytes, inherited: tuple[IgnoreRules, ...]) -> _Folder | None:
        """Return the included entries of a folder in order, or None if it is gone, unreadable or visited already."""
        try:
            if self._settings.follow_links and self._is_visited(relpath):
                return None
            contents = self._reader.read(relpath, inherited)
            self._note_disk(relpath)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        if contents.is_empty and relpath:
            self.empty.append(relpath)
        self.unreadable += contents.unreadable
        self.unusable += contents.unusable
        return _Folder(iter(contents.entries), contents.rules, contents.statuses)

    def _note_disk(self, relpath: bytes) -> None:
        """Note whether a folder is on another disk than the folder above it."""
        main, disk = self._disk, self._files.disk(relpath)
        above = self._disks.get(relpath.rpartition(b"/")[0], main)
        if disk != main or above != main:  # so that nothing is kept for most folders
            self._disks[relpath] = disk
        if relpath and disk != above:
            self.mounted.append(relpath)

    def stat(self, relpath: bytes) -> ScannedFile | None:
        """Return a file without its sidecars and companions; None if there is no regular file or it is unreadable."""
        try:
            status = self._files.status(relpath)
        except (FileNotFoundError, NotADirectoryError):  # it vanished, or is a broken link
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        return None if status is None else _scanned(relpath, status)

    def _stat_listed(self, entry: FoundEntry, statuses: Mapping[bytes, FileStatus]) -> ScannedFile | None:
        """Return a file with its sidecars and companions."""
        known, picture = statuses.get(entry.key), entry.picture
        file = self.stat(entry.relpath) if known is None else _scanned(entry.relpath, known)
        if file is None or picture is None or not (picture.sidecars or picture.companions):
            return file
        prefix = entry.relpath.removesuffix(picture.name)
        sidecars = (self._stat_sidecar(prefix + name, statuses.get(name)) for name in picture.sidecars)
        return file._replace(
            sidecars=pack_sidecars([each for each in sidecars if each]), companions=pack_names(picture.companions)
        )

    def _stat_sidecar(self, relpath: bytes, known: FileStatus | None) -> SidecarFile | None:
        try:
            status = known or self._files.status(relpath)
        except OSError:  # it vanished, or may not be read
            return None
        return None if status is None else SidecarFile.of(relpath, status)

    def _is_visited(self, relpath: bytes) -> bool:
        identity = self._files.folder_identity(relpath)
        if identity is None:
            return False
        if identity in self._visited:
            return True
        self._visited.add(identity)
        return False

    def _check_root_is_same(self) -> None:
        """Mark the whole root as unreadable if it was replaced during the walk, for example by an empty mount point."""
        try:
            is_same = self._files.folder_identity() == self._identity
        except OSError:
            is_same = False
        if not is_same:
            self.unreadable.append(b"")


def _steps(relpath: bytes) -> Iterator[bytes]:
    """Yield b"a", b"a/b" and b"a/b/c" for b"a/b/c"."""
    return accumulate(relpath.split(b"/"), lambda parent, name: parent + b"/" + name) if relpath else iter(())


def _scanned(relpath: bytes, status: FileStatus) -> ScannedFile:
    return ScannedFile(relpath, status.size, status.mtime_ns, None, status.ctime_ns, status.identity)
