"""Find the picture files beneath a folder: their names, sizes and times. Only files without a suffix are opened.

Folders that cannot be read are reported: otherwise they would look as if they had been deleted to a caller that
compares the result with the catalogue. Paths are bytes, which pathlib does not support, so that any name is preserved.
"""
# ruff: noqa: PTH116, PTH118, PTH123

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from core.files import changed_ns, modified_ns
from indexer.changed_folders import ChangedFolders
from indexer.companions import RAW_SUFFIXES, VIDEO_SUFFIXES
from indexer.file_names import suffix_of
from indexer.file_systems import InodeNumbers
from indexer.folder_files import FoundPicture, sort_files
from indexer.ignore import IGNORE_FILE, IgnoreRules, is_always_ignored, is_derived, parse_ignore_file, parse_patterns
from indexer.signatures import SIGNATURE_BYTES, begins_like_picture
from pictures.extras import extra_is_installed
from store.ingest.scanned_files import ScannedFile, SidecarFile, pack_names, pack_sidecars

__all__ = ["PICTURE_SUFFIXES", "Scan", "ScanSettings", "scan"]

PICTURE_SUFFIXES = (
    RAW_SUFFIXES
    | VIDEO_SUFFIXES
    | frozenset(
        b"jpg jpeg jpe jfif mpo png apng gif webp bmp dib tif tiff avif heic heif hif"
        b" insp jp2 j2k jpx jxl ppm pgm pbm pnm tga".split()
    )
)
"""Suffixes of picture files and videos, in lower case. Icons and vector drawings are not included."""

_SINGLE_SUFFIXES = PICTURE_SUFFIXES - RAW_SUFFIXES - VIDEO_SUFFIXES
"""A folder with no other files has no sidecars, companions, or files to pass over."""


@dataclass(frozen=True)
class ScanSettings:
    """Which files a scan returns.

    `exclude` contains patterns in gitignore syntax, relative to the root; they take precedence over ignore files.
    Hidden files and folders are those whose name begins with a dot. If `only` is set, no folder is walked: the scan
    returns these files, given relative to the root, as far as they exist. With `pairs`, a RAW file and the moving part
    of a Live Photo belong to the JPEG or HEIC picture beside them; without, each is a picture of its own. If `changed`
    is set, other folders are not opened. Paths with more than `longest_path` bytes are left out and reported.
    """

    exclude: tuple[str, ...] = ()
    include_hidden: bool = False
    follow_links: bool = False
    only: frozenset[bytes] | None = None
    pairs: bool = True
    changed: ChangedFolders | None = None
    longest_path: int | None = None


class _Entry(NamedTuple):
    """An entry of a folder. In `key`, a folder's name ends in "/", so that sorting by it puts paths in byte order."""

    key: bytes
    relpath: bytes
    is_folder: bool
    picture: FoundPicture | None = None


class _Folder(NamedTuple):
    """A folder that is being walked: the entries that are left, and the rules that apply to it, deepest first."""

    entries: Iterator[_Entry]
    rules: tuple[IgnoreRules, ...]


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
    return Scan(root, settings or ScanSettings(), beneath, passed_over)


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
    """

    def __init__(
        self,
        root: Path,
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
        self._devices: dict[bytes, int] = {}
        self.is_excluded = False
        self._root = os.fsencode(root)
        self._settings = settings
        self._passed_over = passed_over
        self._inodes = InodeNumbers()
        self._reads_heif = extra_is_installed("heic")
        self._beneath = beneath.strip(b"/")
        self._exclude = parse_patterns(settings.exclude)
        self._visited: set[tuple[int, int]] = set()
        os.scandir(self._root).close()  # raises if the root cannot be listed
        self._identity = _identity(self._root)
        self._real_root = os.path.realpath(self._root)

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
            entry = next(stack[-1].entries, None)
            if entry is None:
                stack.pop()
            elif self._is_left_out(entry):
                self.left_out.append(entry.relpath)
            elif self._is_too_long(entry):
                self.too_long.append(entry.relpath)
            elif entry.is_folder:
                if folder := self._open(entry.relpath, stack[-1].rules):
                    stack.append(folder)
            elif file := self.stat(entry.relpath):
                yield self._with_others(file, entry)

    def _is_left_out(self, entry: _Entry) -> bool:
        changed = self._settings.changed
        if changed is None:
            return False
        if not entry.is_folder:
            return entry.relpath in changed.unsettled
        return not changed.contains(entry.relpath) or self._is_emptied(entry.relpath, changed)

    def _is_too_long(self, entry: _Entry) -> bool:
        longest = self._settings.longest_path
        paths = 2 if entry.picture is not None and entry.picture.companions else 1
        return longest is not None and paths * len(entry.relpath) > longest

    def _is_emptied(self, relpath: bytes, changed: ChangedFolders) -> bool:
        """Return whether a folder is empty although no file in it was reported as deleted: its disk may be away."""
        if relpath not in changed.trees or relpath in changed.folders:
            return False
        try:
            with os.scandir(self._path(relpath)) as listing:
                return next(listing, None) is None
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
        path = self._path(relpath)
        try:
            if self._settings.follow_links and self._is_visited(path):
                return None
            rules = (*_own_rules(path, relpath), *inherited)
            entries = self._list(path, relpath, rules)
            self._note_device(path, relpath)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        return _Folder(iter(entries), rules)

    def _note_device(self, path: bytes, relpath: bytes) -> None:
        """Note whether a folder is on another disk than the folder above it."""
        main, device = self._identity[0], os.stat(path).st_dev
        above = self._devices.get(relpath.rpartition(b"/")[0], main)
        if device != main or above != main:  # so that nothing is kept for most folders
            self._devices[relpath] = device
        if relpath and device != above:
            self.mounted.append(relpath)

    def _list(self, path: bytes, relpath: bytes, rules: tuple[IgnoreRules, ...]) -> list[_Entry]:
        prefix = relpath + b"/" if relpath else b""
        has_entries = False
        folders, pictures = list[_Entry](), list[_Entry]()
        files, suffixes = list[os.DirEntry[bytes]](), set[bytes]()
        with os.scandir(path) as listing:
            for item in listing:
                has_entries = True
                is_folder = self._is_folder(item, prefix)
                entry = _Entry(item.name + b"/" if is_folder else item.name, prefix + item.name, is_folder)
                if is_derived(path, item.name) or not self._is_included(item, entry, rules):
                    continue
                if is_folder:
                    folders.append(entry)
                elif (suffix := suffix_of(item.name)) in PICTURE_SUFFIXES or _is_file(item):
                    pictures.append(entry)
                    files.append(item)
                    suffixes.add(suffix)
        if not has_entries and relpath:
            self.empty.append(relpath)
        if not suffixes <= _SINGLE_SUFFIXES:
            pictures = list(self._sort({item.name: item for item in files}, relpath))
        return sorted([*folders, *pictures])

    def _sort(self, files: Mapping[bytes, os.DirEntry[bytes]], relpath: bytes) -> Iterator[_Entry]:
        """Yield the pictures of a folder, and report its other files."""
        found = sort_files(
            files,
            PICTURE_SUFFIXES,
            size_of=lambda name: _size(files[name]),
            is_picture=lambda name: _has_picture_bytes(files[name]),
            reads_heif=self._reads_heif,
            pairs=self._settings.pairs,
        )
        prefix = relpath + b"/" if relpath else b""
        for picture in found.pictures:
            yield _Entry(picture.name, prefix + picture.name, is_folder=False, picture=picture)
        if found.passed_over:
            self._passed_over(relpath, found.passed_over)

    def _is_folder(self, item: os.DirEntry[bytes], prefix: bytes) -> bool:
        try:
            return item.is_dir(follow_symlinks=self._settings.follow_links)
        except OSError as error:  # only a link can fail here
            if error.errno != errno.ELOOP:
                self.unreadable.append(prefix + item.name)
            return False

    def _is_included(self, item: os.DirEntry[bytes], entry: _Entry, rules: tuple[IgnoreRules, ...]) -> bool:
        if is_always_ignored(item.name) or (item.name.startswith(b".") and not self._settings.include_hidden):
            return False
        if entry.is_folder and item.is_symlink() and self._is_inside(item.path):
            return False
        path = os.fsdecode(entry.relpath)
        verdicts = (rule.verdict(path, entry.is_folder) for rule in (self._exclude, *rules))
        return not next((verdict for verdict in verdicts if verdict is not None), False)

    def stat(self, relpath: bytes) -> ScannedFile | None:
        """Return a file without its sidecars and companions; None if there is no regular file or it is unreadable."""
        path = self._path(relpath)
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):  # it vanished, or is a broken link
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        inode = self._inodes.of(status, path)
        return ScannedFile(relpath, status.st_size, modified_ns(status), None, changed_ns(status), inode)

    def _with_others(self, file: ScannedFile, entry: _Entry) -> ScannedFile:
        """Add the sidecars and companions of a picture."""
        picture = entry.picture
        if picture is None or not (picture.sidecars or picture.companions):
            return file
        prefix = entry.relpath.removesuffix(picture.name)
        sidecars = (self._stat_sidecar(prefix + name) for name in picture.sidecars)
        return file._replace(
            sidecars=pack_sidecars([each for each in sidecars if each]), companions=pack_names(picture.companions)
        )

    def _stat_sidecar(self, relpath: bytes) -> SidecarFile | None:
        try:
            status = os.stat(self._path(relpath))
        except OSError:  # it vanished, or may not be read
            return None
        return SidecarFile.of(relpath, status) if stat.S_ISREG(status.st_mode) else None

    def _path(self, relpath: bytes) -> bytes:
        return os.path.join(self._root, relpath) if relpath else self._root

    def _is_inside(self, link: bytes) -> bool:
        target = os.path.realpath(link)
        return target == self._real_root or target.startswith(self._real_root.rstrip(b"/") + b"/")

    def _is_visited(self, path: bytes) -> bool:
        identity = _identity(path)
        if identity in self._visited:
            return True
        self._visited.add(identity)
        return False

    def _check_root_is_same(self) -> None:
        """Mark the whole root as unreadable if it was replaced during the walk, for example by an empty mount point."""
        try:
            is_same = _identity(self._root) == self._identity
        except OSError:
            is_same = False
        if not is_same:
            self.unreadable.append(b"")


def _steps(relpath: bytes) -> Iterator[bytes]:
    """Yield b"a", b"a/b" and b"a/b/c" for b"a/b/c"."""
    return accumulate(relpath.split(b"/"), lambda parent, name: parent + b"/" + name) if relpath else iter(())


def _identity(path: bytes) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _is_file(item: os.DirEntry[bytes]) -> bool:
    """Return whether an entry is a regular file, or a link to one."""
    try:
        return item.is_file()
    except OSError:  # a link that leads to itself, or to where this user may not look
        return False


def _size(item: os.DirEntry[bytes]) -> int | None:
    """Return the size of a regular file; None for anything else."""
    try:
        status = item.stat()
    except OSError:  # a broken link, or no permission
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _has_picture_bytes(item: os.DirEntry[bytes]) -> bool:
    """Return whether a file begins like a picture. Opening a special file could wait forever."""
    if not _is_file(item):
        return False
    try:
        with open(item.path, "rb", buffering=0) as file:
            return begins_like_picture(file.read(SIGNATURE_BYTES))
    except OSError:
        return False


def _own_rules(path: bytes, relpath: bytes) -> tuple[IgnoreRules, ...]:
    """Return the rules of the folder's ignore file, if it has one.

    If that cannot be read, `OSError` makes the folder unreadable: excluded pictures must not be indexed by accident.
    """
    try:
        with open(os.path.join(path, IGNORE_FILE), "rb") as file:
            content = file.read()
    except (FileNotFoundError, IsADirectoryError):
        return ()
    return (parse_ignore_file(content, os.fsdecode(relpath) + "/" if relpath else ""),)
