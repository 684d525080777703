"""List a folder of a scan: its subfolders and pictures, without what is hidden or ignored."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from core.root_files import FileStatus, FolderEntry, RootFiles
from indexer.companions import RAW_SUFFIXES, VIDEO_SUFFIXES
from indexer.file_names import suffix_of
from indexer.folder_files import FoundPicture, sort_files
from indexer.ignore import IGNORE_FILE, IgnoreRules, is_always_ignored, is_derived, parse_ignore_file, parse_patterns
from indexer.scan_settings import ScanSettings
from indexer.signatures import SIGNATURE_BYTES, begins_like_picture
from pictures.extras import extra_is_installed

__all__ = ["PICTURE_SUFFIXES", "FolderReader", "FoundEntry", "IncludedEntries"]

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


_NO_STATUSES: Mapping[bytes, FileStatus] = {}


class FoundEntry(NamedTuple):
    """A subfolder or a picture. In `key`, a folder's name ends in "/": sorting by it puts paths in byte order."""

    key: bytes
    relpath: bytes
    is_folder: bool
    picture: FoundPicture | None = None


class IncludedEntries(NamedTuple):
    """What is included of a folder, in order, and the rules that apply to it and what is beneath it, deepest first.

    `statuses` are those of all files of the folder by name, as far as its listing has them.
    """

    entries: list[FoundEntry]
    rules: tuple[IgnoreRules, ...]
    statuses: Mapping[bytes, FileStatus]
    is_empty: bool
    """Whether it may be the mount point of a disk that is away. A listing with statuses is that of no disk."""
    unreadable: list[bytes]
    """Links that cannot be followed, by their paths."""
    unusable: tuple[bytes, ...]


class FolderReader:
    """Lists the folders of a root. Raises `ValueError` for an invalid exclude pattern."""

    def __init__(
        self, files: RootFiles, settings: ScanSettings, passed_over: Callable[[bytes, Mapping[str, int]], None]
    ) -> None:
        self._files = files
        self._settings = settings
        self._passed_over = passed_over
        self._reads_heif = extra_is_installed("heic")
        self._exclude = parse_patterns(settings.exclude)

    def read(self, relpath: bytes, inherited: tuple[IgnoreRules, ...]) -> IncludedEntries:
        """Return the contents of a folder. Raises `OSError` if it, or its ignore file, cannot be read as a whole."""
        listing = self._files.list_folder(relpath)
        rules = (*self._own_rules(relpath, listing.statuses), *inherited)
        statuses = _NO_STATUSES if listing.statuses is None else listing.statuses
        unreadable: list[bytes] = []
        entries = sorted(self._included(listing.entries, relpath, rules, statuses, unreadable))
        is_empty = not listing.entries and listing.statuses is None
        return IncludedEntries(entries, rules, statuses, is_empty, unreadable, listing.unusable)

    def _included(
        self,
        items: Iterable[FolderEntry],
        relpath: bytes,
        rules: tuple[IgnoreRules, ...],
        statuses: Mapping[bytes, FileStatus],
        unreadable: list[bytes],
    ) -> list[FoundEntry]:
        prefix, full = _prefix(relpath), self._full(relpath)
        folders, pictures = list[FoundEntry](), list[FoundEntry]()
        files, suffixes = dict[bytes, FolderEntry](), set[bytes]()
        for item in items:
            is_folder = self._is_folder(item, prefix, unreadable)
            entry = FoundEntry(item.name + b"/" if is_folder else item.name, prefix + item.name, is_folder)
            if is_derived(full, item.name) or not self._is_included(item, entry, rules):
                continue
            if is_folder:
                folders.append(entry)
            elif (suffix := suffix_of(item.name)) in PICTURE_SUFFIXES or _is_file(item):
                pictures.append(entry)
                files[item.name] = item
                suffixes.add(suffix)
        if not suffixes <= _SINGLE_SUFFIXES:
            pictures = list(self._sort(files, relpath, statuses))
        return [*folders, *pictures]

    def _sort(
        self, files: Mapping[bytes, FolderEntry], relpath: bytes, statuses: Mapping[bytes, FileStatus]
    ) -> Iterator[FoundEntry]:
        """Yield the pictures of a folder, and report its other files."""
        prefix = _prefix(relpath)
        found = sort_files(
            files,
            PICTURE_SUFFIXES,
            size_of=lambda name: self._size(prefix + name, statuses.get(name)),
            is_picture=lambda name: _is_file(files[name]) and self._has_picture_bytes(prefix + name),
            reads_heif=self._reads_heif,
            pairs=self._settings.pairs,
        )
        for picture in found.pictures:
            yield FoundEntry(picture.name, prefix + picture.name, is_folder=False, picture=picture)
        if found.passed_over:
            self._passed_over(relpath, found.passed_over)

    def _is_folder(self, item: FolderEntry, prefix: bytes, unreadable: list[bytes]) -> bool:
        try:
            return item.is_dir(follow_symlinks=self._settings.follow_links)
        except OSError as error:  # only a link can fail here
            if error.errno != errno.ELOOP:
                unreadable.append(prefix + item.name)
            return False

    def _is_included(self, item: FolderEntry, entry: FoundEntry, rules: tuple[IgnoreRules, ...]) -> bool:
        if is_always_ignored(item.name) or (item.name.startswith(b".") and not self._settings.include_hidden):
            return False
        if entry.is_folder and item.is_symlink() and self._files.leads_into_root(entry.relpath):
            return False
        path = os.fsdecode(entry.relpath)
        verdicts = (rule.verdict(path, entry.is_folder) for rule in (self._exclude, *rules))
        return not next((verdict for verdict in verdicts if verdict is not None), False)

    def _size(self, relpath: bytes, known: FileStatus | None) -> int | None:
        """Return the size of a regular file; None for anything else."""
        try:
            status = known or self._files.status(relpath)
        except OSError:  # a broken link, or no permission
            return None
        return None if status is None else status.size

    def _has_picture_bytes(self, relpath: bytes) -> bool:
        """Return whether a regular file begins like a picture. (Opening a special file could wait for ever.)"""
        try:
            return begins_like_picture(self._files.first_bytes(relpath, SIGNATURE_BYTES))
        except OSError:
            return False

    def _own_rules(self, relpath: bytes, statuses: Mapping[bytes, FileStatus] | None) -> tuple[IgnoreRules, ...]:
        """Return the rules of the folder's ignore file, if it has one.

        If that cannot be read, `OSError` makes the folder unreadable: excluded pictures must not be indexed by
        accident.
        """
        if statuses is not None and IGNORE_FILE not in statuses:
            return ()
        try:
            with self._files.open(_prefix(relpath) + IGNORE_FILE) as file:
                content = file.read()
        except (FileNotFoundError, IsADirectoryError):
            return ()
        return (parse_ignore_file(content, os.fsdecode(_prefix(relpath))),)

    def _full(self, relpath: bytes) -> bytes:
        root = os.fsencode(self._files.root)
        return root + b"/" + relpath if relpath else root


def _prefix(relpath: bytes) -> bytes:
    return relpath + b"/" if relpath else b""


def _is_file(item: FolderEntry) -> bool:
    """Return whether an entry is a regular file, or a link to one."""
    try:
        return item.is_file()
    except OSError:  # a link that leads to itself, or to where this user may not look
        return False
