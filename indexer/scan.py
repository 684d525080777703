"""Find the picture files beneath a folder: their names, sizes and modification times. No file is opened.

Folders that cannot be read are reported: otherwise they would look as if they had been deleted to a caller that
compares the result with the catalogue. Paths are bytes, which pathlib does not support, so that any name is preserved.
"""
# ruff: noqa: PTH116, PTH118, PTH123

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from core.files import modified_ns
from indexer.ignore import IGNORE_FILE, IgnoreRules, is_always_ignored, parse_ignore_file, parse_patterns
from store.ingest.scanned_files import ScannedFile

__all__ = ["PICTURE_SUFFIXES", "Scan", "ScanSettings", "scan"]

PICTURE_SUFFIXES = frozenset(
    b"jpg jpeg jpe jfif mpo png apng gif webp bmp dib tif tiff avif heic heif hif"
    b" jp2 j2k jpx ppm pgm pbm pnm tga".split()
)
"""Suffixes of picture files, in lower case. RAW formats, icons and vector drawings are not included."""

_SIDECAR_SUFFIX = b".xmp"


@dataclass(frozen=True)
class ScanSettings:
    """Which files a scan returns.

    `exclude` contains patterns in gitignore syntax, relative to the root; they take precedence over ignore files.
    Hidden files and folders are those whose name begins with a dot. If `only` is set, no folder is walked: the scan
    returns these files, given relative to the root, as far as they exist.
    """

    exclude: tuple[str, ...] = ()
    include_hidden: bool = False
    follow_links: bool = False
    only: frozenset[bytes] | None = None


class _Entry(NamedTuple):
    """An entry of a folder. In `key`, a folder's name ends in "/", so that sorting by it puts paths in byte order."""

    key: bytes
    relpath: bytes
    is_folder: bool
    sidecar: bytes | None = None


class _Folder(NamedTuple):
    """A folder that is being walked: the entries that are left, and the rules that apply to it, deepest first."""

    entries: Iterator[_Entry]
    rules: tuple[IgnoreRules, ...]


def scan(root: Path, settings: ScanSettings | None = None, beneath: bytes = b"") -> "Scan":
    """Return a scan of `root`, or only of its subfolder `beneath`. Iterating over it walks the folders.

    Raises `FileNotFoundError`, `NotADirectoryError` or `PermissionError` if `root` cannot be listed, and `ValueError`
    for an invalid exclude pattern.

        files = scan(Path("/photos"))
        sizes = {file.relpath: file.size for file in files}
        incomplete = bool(files.unreadable)
    """
    return Scan(root, settings or ScanSettings(), beneath)


class Scan:
    """One walk over a root. It can be iterated once; `unreadable` and `is_excluded` are final when that has ended.

    Files are yielded in ascending byte order of `relpath`, so that they can be merged with a sorted catalogue. Memory
    is needed for one listing per level of depth and, if links are followed, for two numbers per folder.

    Links to files count as files. Links to folders are skipped unless `follow_links` is set. In that case, a folder
    outside the root is visited once, through the first link to it, and a folder of the root only at its own path.

    `is_excluded` is True if `beneath` itself was not walked because it is hidden, ignored, a link, or does not exist.

    `unreadable` lists paths that could not be read: files at or beneath them may still exist. b"" is the root itself.
    """

    def __init__(self, root: Path, settings: ScanSettings, beneath: bytes) -> None:
        """Check the root. Raises the exceptions of `scan`."""
        self.unreadable: list[bytes] = []
        self.is_excluded = False
        self._root = os.fsencode(root)
        self._settings = settings
        self._beneath = beneath.strip(b"/")
        self._exclude = parse_patterns(settings.exclude)
        self._visited: set[tuple[int, int]] = set()
        os.scandir(self._root).close()  # raises if the root cannot be listed
        self._identity = _identity(self._root)
        self._real_root = os.path.realpath(self._root)

    def __iter__(self) -> Iterator[ScannedFile]:
        """Walk the folders. A partial walk yields exactly the files that a full one yields beneath that folder."""
        if self._settings.only is not None:
            yield from filter(None, map(self._stat, sorted(self._settings.only)))
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
            elif entry.is_folder:
                if folder := self._open(entry.relpath, stack[-1].rules):
                    stack.append(folder)
            elif file := self._stat(entry.relpath):
                yield self._with_sidecar(file, entry.sidecar)

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
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        return _Folder(iter(entries), rules)

    def _list(self, path: bytes, relpath: bytes, rules: tuple[IgnoreRules, ...]) -> list[_Entry]:
        prefix = relpath + b"/" if relpath else b""
        entries: list[_Entry] = []
        sidecars: dict[bytes, bytes] = {}
        with os.scandir(path) as listing:
            for item in listing:
                if item.name.lower().endswith(_SIDECAR_SUFFIX):
                    sidecars[item.name.lower()] = prefix + item.name
                is_folder = self._is_folder(item, prefix)
                key = item.name + b"/" if is_folder else item.name
                entry = _Entry(key, prefix + item.name, is_folder)
                if (is_folder or _is_picture_name(item.name)) and self._is_included(item, entry, rules):
                    entries.append(entry)
        entries.sort()
        return [entry._replace(sidecar=_sidecar_of(entry.key, sidecars)) for entry in entries] if sidecars else entries

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

    def _stat(self, relpath: bytes) -> ScannedFile | None:
        try:
            status = os.stat(self._path(relpath))
        except (FileNotFoundError, NotADirectoryError):  # it vanished, or is a broken link
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return ScannedFile(relpath, status.st_size, modified_ns(status))

    def _with_sidecar(self, file: ScannedFile, sidecar: bytes | None) -> ScannedFile:
        try:
            status = os.stat(self._path(sidecar)) if sidecar else None
        except OSError:  # it vanished, or may not be read
            return file
        if status is None or not stat.S_ISREG(status.st_mode):
            return file
        return file._replace(sidecar=sidecar, sidecar_size=status.st_size, sidecar_mtime_ns=modified_ns(status))

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


def _sidecar_of(name: bytes, sidecars: Mapping[bytes, bytes]) -> bytes | None:
    """Return the sidecar of the picture `name`: `photo.jpg.xmp`, or else `photo.xmp`.

    `sidecars` are the XMP files of the folder, by name in lower case.
    """
    name = name.lower()
    return sidecars.get(name + _SIDECAR_SUFFIX) or sidecars.get(name.rpartition(b".")[0] + _SIDECAR_SUFFIX)


def _is_picture_name(name: bytes) -> bool:
    stem, _, suffix = name.rpartition(b".")
    return bool(stem) and suffix.lower() in PICTURE_SUFFIXES


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
