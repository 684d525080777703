"""Walk a folder of pictures. Knows names, sizes and times; opens no picture and asks no catalogue.

What cannot be looked at is reported, not passed over: to a caller that compares with a catalogue, an
unreadable folder would otherwise look like a deleted one. Paths are bytes throughout, which pathlib has not,
so that any name survives.
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

from indexer.ignore import IGNORE_FILE, IgnoreRules, is_clutter, parse_ignore_file, parse_patterns
from store.ingest.scanned_files import ScannedFile

__all__ = ["PICTURE_SUFFIXES", "Scan", "ScanSettings", "modified_ns", "scan"]

PICTURE_SUFFIXES = frozenset(
    b"jpg jpeg jpe jfif mpo png apng gif webp bmp dib tif tiff avif heic heif hif"
    b" jp2 j2k jpx ppm pgm pbm pnm tga".split()
)
"""File name endings, in lower case, that are taken for pictures. RAW formats, icons and drawings are not."""

_SIDECAR = b".xmp"


@dataclass(frozen=True)
class ScanSettings:
    """What a scan passes over.

    `exclude` holds patterns in gitignore grammar, relative to the root; they outrank every ignore file.
    Hidden files and folders are those whose name begins with a dot. `only` names files relative to the root:
    exactly these are found, if they are there, and no folder is walked.
    """

    exclude: tuple[str, ...] = ()
    include_hidden: bool = False
    follow_links: bool = False
    only: frozenset[bytes] | None = None


class _Entry(NamedTuple):
    """One name in a folder. In `key` a folder's name ends in "/", which puts whole paths in byte order."""

    key: bytes
    relpath: bytes
    is_folder: bool
    sidecar: bytes | None = None


class _Folder(NamedTuple):
    """A folder on the way down: what is left to visit in it, and the rules that hold there, deepest first."""

    entries: Iterator[_Entry]
    rules: tuple[IgnoreRules, ...]


def scan(root: Path, settings: ScanSettings | None = None, beneath: bytes = b"") -> "Scan":
    """The pictures of `root`, or only those of its sub-folder `beneath`; the result also keeps `unreadable`.

    Raises `FileNotFoundError`, `NotADirectoryError` or `PermissionError` when `root` cannot be listed, and
    `ValueError` for an exclude pattern that has no meaning.

        found = scan(Path("/photos"))
        sizes = {file.relpath: file.size for file in found}
        incomplete = bool(found.unreadable)
    """
    return Scan(root, settings or ScanSettings(), beneath)


class Scan:
    """One walk over a root. Iterate it once; `unreadable` is complete when the iteration has ended.

    Files come in ascending byte order of `relpath`, so that they can be merged with a sorted catalogue.
    Memory holds one listing per level of depth (and, when links are followed, a number pair per folder).

    Links to files count as files. Links to folders are passed over unless `follow_links`; then a folder
    outside the root is visited once, through the first link that leads to it, and a folder of the root only
    in its own place.

    `passed_over` says that `beneath` itself is not looked into: it is hidden, ignored, a link, or gone.

    `unreadable` lists paths that could not be looked at: whatever is known at or beneath them may still be
    there. b"" in it means the whole root.
    """

    def __init__(self, root: Path, settings: ScanSettings, beneath: bytes) -> None:
        """Check the root; see `scan` for what is raised."""
        self.unreadable: list[bytes] = []
        self.passed_over = False
        self._root = os.fsencode(root)
        self._settings = settings
        self._beneath = beneath.strip(b"/")
        self._exclude = parse_patterns(settings.exclude)
        self._visited: set[tuple[int, int]] = set()
        os.scandir(self._root).close()  # raises what is wrong with the root before anything is yielded
        self._identity = _identity(self._root)
        self._real_root = os.path.realpath(self._root)

    def __iter__(self) -> Iterator[ScannedFile]:
        """Walk; a partial walk yields exactly what a full one would yield beneath that folder."""
        if self._settings.only is not None:
            yield from filter(None, map(self._stat, sorted(self._settings.only)))
        else:
            yield from self._walk()
        self._check_root_stayed()

    def _walk(self) -> Iterator[ScannedFile]:
        start = self._descend_to(self._beneath)
        self.passed_over = start is None and not self.unreadable
        stack = [start] if start else []
        while stack:
            entry = next(stack[-1].entries, None)
            if entry is None:
                stack.pop()
            elif entry.is_folder:
                if folder := self._open(entry.relpath, stack[-1].rules):
                    stack.append(folder)
            elif found := self._stat(entry.relpath):
                yield self._with_sidecar(found, entry.sidecar)

    def _descend_to(self, beneath: bytes) -> _Folder | None:
        """The folder to start in, reached through its parents so that their rules hold."""
        folder = self._open(b"", ())
        for relpath in _steps(beneath):
            if folder is None or not any(e.is_folder and e.relpath == relpath for e in folder.entries):
                return None
            folder = self._open(relpath, folder.rules)
        return folder

    def _open(self, relpath: bytes, inherited: tuple[IgnoreRules, ...]) -> _Folder | None:
        """The folder's kept entries in order, or None when it is gone, unreadable, or was visited before."""
        path = self._path(relpath)
        try:
            if self._settings.follow_links and self._seen(path):
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
        beside: dict[bytes, bytes] = {}
        with os.scandir(path) as listing:
            for item in listing:
                if item.name.lower().endswith(_SIDECAR):
                    beside[item.name.lower()] = prefix + item.name
                is_folder = self._is_folder(item, prefix)
                key = item.name + b"/" if is_folder else item.name
                entry = _Entry(key, prefix + item.name, is_folder)
                if (is_folder or _is_picture_name(item.name)) and self._is_kept(item, entry, rules):
                    entries.append(entry)
        entries.sort()
        return [entry._replace(sidecar=_sidecar_of(entry.key, beside)) for entry in entries] if beside else entries

    def _is_folder(self, item: os.DirEntry[bytes], prefix: bytes) -> bool:
        try:
            return item.is_dir(follow_symlinks=self._settings.follow_links)
        except OSError as error:  # only a link can fail here
            if error.errno != errno.ELOOP:
                self.unreadable.append(prefix + item.name)
            return False

    def _is_kept(self, item: os.DirEntry[bytes], entry: _Entry, rules: tuple[IgnoreRules, ...]) -> bool:
        if is_clutter(item.name) or (item.name.startswith(b".") and not self._settings.include_hidden):
            return False
        if entry.is_folder and item.is_symlink() and self._is_inside(item.path):
            return False
        path = os.fsdecode(entry.relpath)
        verdicts = (rule.verdict(path, entry.is_folder) for rule in (self._exclude, *rules))
        return not next((verdict for verdict in verdicts if verdict is not None), False)

    def _stat(self, relpath: bytes) -> ScannedFile | None:
        try:
            status = os.stat(self._path(relpath))
        except (FileNotFoundError, NotADirectoryError):  # it vanished, or a link leads nowhere
            return None
        except OSError:
            self.unreadable.append(relpath)
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return ScannedFile(relpath, status.st_size, modified_ns(status))

    def _with_sidecar(self, found: ScannedFile, sidecar: bytes | None) -> ScannedFile:
        try:
            status = os.stat(self._path(sidecar)) if sidecar else None
        except OSError:  # it vanished, or is for others to read
            return found
        if status is None or not stat.S_ISREG(status.st_mode):
            return found
        return found._replace(sidecar=sidecar, sidecar_size=status.st_size, sidecar_mtime_ns=modified_ns(status))

    def _path(self, relpath: bytes) -> bytes:
        return os.path.join(self._root, relpath) if relpath else self._root

    def _is_inside(self, link: bytes) -> bool:
        target = os.path.realpath(link)
        return target == self._real_root or target.startswith(self._real_root.rstrip(b"/") + b"/")

    def _seen(self, path: bytes) -> bool:
        identity = _identity(path)
        if identity in self._visited:
            return True
        self._visited.add(identity)
        return False

    def _check_root_stayed(self) -> None:
        """A disk pulled out during the walk makes folders look gone: then nothing is known of any of them."""
        try:
            stayed = _identity(self._root) == self._identity
        except OSError:
            stayed = False
        if not stayed:
            self.unreadable.append(b"")


def modified_ns(status: os.stat_result) -> int:
    """When a file was last changed, within 64 bits: file systems know years that no database column reaches."""
    return max(-(2**63), min(status.st_mtime_ns, 2**63 - 1))


def _steps(relpath: bytes) -> Iterator[bytes]:
    """b"a/b/c" to b"a", b"a/b", b"a/b/c"."""
    return accumulate(relpath.split(b"/"), lambda parent, name: parent + b"/" + name) if relpath else iter(())


def _identity(path: bytes) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _sidecar_of(name: bytes, beside: Mapping[bytes, bytes]) -> bytes | None:
    """Of the XMP files in a folder, by their name in lower case, the one that belongs to the picture `name`."""
    name = name.lower()
    return beside.get(name + _SIDECAR) or beside.get(name.rpartition(b".")[0] + _SIDECAR)


def _is_picture_name(name: bytes) -> bool:
    stem, _, suffix = name.rpartition(b".")
    return bool(stem) and suffix.lower() in PICTURE_SUFFIXES


def _own_rules(path: bytes, relpath: bytes) -> tuple[IgnoreRules, ...]:
    """The rules of the folder's own ignore file, if it has one.

    One that cannot be read makes the folder unreadable (OSError): better nothing new from it than pictures
    that its owner wanted left out.
    """
    try:
        with open(os.path.join(path, IGNORE_FILE), "rb") as file:
            content = file.read()
    except (FileNotFoundError, IsADirectoryError):
        return ()
    return (parse_ignore_file(content, os.fsdecode(relpath) + "/" if relpath else ""),)
