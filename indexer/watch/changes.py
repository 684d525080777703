"""The changes of one root that wait until they are complete.

A file that is being copied or downloaded changes several times. It counts as complete when no change of it was reported
for a while, and its size and modification time stayed the same. Programs that write a temporary file and rename it
cause several changes in one folder; the folder is scanned once, after the last of them.
"""

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import NamedTuple

from indexer.changed_folders import ChangedFolders
from indexer.file_names import suffix_of
from indexer.ignore import IGNORE_FILE
from indexer.scan import PICTURE_SUFFIXES
from indexer.sidecars import XMP_SUFFIX
from indexer.takeout import JSON_SUFFIX

__all__ = ["Due", "PendingChanges"]

MAX_PATHS = 2_000
"""With more changes than this, the whole root is scanned. The kernel drops notifications when its queue is full, by
default after 16,384 of them, and a file causes up to five; `watchfiles` does not report that some were dropped."""

MAX_DELAY_SECONDS = 30.0
"""How long complete files wait for others that are still being written."""


class Due(NamedTuple):
    """What is to be scanned now: some folders of the root, or all of it (None)."""

    changed: ChangedFolders | None


@dataclass
class _Change:
    """A changed path: when it was last reported or found different, and its last size and modification time."""

    at: float
    signature: tuple[int, int] | None = None


class PendingChanges:
    """Collects the changes beneath `root`, from any thread, until `take` returns what is to be scanned.

    `ignored` are folders whose changes do not count, such as the library itself. `settle` is the number of seconds
    without a change after which a file is complete.
    """

    def __init__(
        self, root: Path, *, settle: float, ignored: Iterable[Path] = (), clock: Callable[[], float] = monotonic
    ) -> None:
        self._root = os.fsencode(root)
        # macOS reports the paths that links lead to.
        self._prefixes = tuple(path.rstrip(b"/") + b"/" for path in (self._root, os.path.realpath(self._root)))
        self._settle = settle
        self._ignored = tuple(each for path in map(os.fsencode, ignored) for each in (path, os.path.realpath(path)))
        self._clock = clock
        self._lock = Lock()
        self._changes: dict[bytes, _Change] = {}
        self._returned = ChangedFolders()
        self._is_everything = False
        self._first = 0.0
        self._last = 0.0

    def add(self, paths: Iterable[bytes]) -> None:
        """Add changed paths, which are absolute. Those outside the root, ignored and hidden ones do not count."""
        relative = [path for path in map(self._relative, paths) if path is not None]
        if not relative:
            return
        with self._lock:
            self._note()
            if self._is_everything:
                return
            for path in relative:
                self._changes.setdefault(path, _Change(self._last)).at = self._last
            if len(self._changes) > MAX_PATHS:
                self._take_everything()

    def add_everything(self) -> None:
        """Have the whole root scanned."""
        with self._lock:
            self._note()
            self._take_everything()

    def clear(self) -> None:
        """Forget all changes, because the whole root is scanned now."""
        with self._lock:
            self._forget()

    def put_back(self, due: Due) -> None:
        """Add what `take` returned and could not be scanned."""
        if due.changed is None:
            self.add_everything()
            return
        with self._lock:
            self._note()
            if not self._is_everything:
                self._returned = self._returned.union(due.changed)

    def take(self) -> Due | None:
        """Return what is complete, and forget it; None if nothing is."""
        with self._lock:
            now = self._clock()
            if self._is_everything:
                if now - self._last < self._settle and now - self._first < MAX_DELAY_SECONDS:
                    return None
                self._is_everything = False
                return Due(None)
            return self._take_settled(now) if self._changes or self._returned else None

    def _take_settled(self, now: float) -> Due | None:
        kinds = {path: self._look_at(path, change, now) for path, change in self._changes.items()}
        settled = {path for path, change in self._changes.items() if now - change.at >= self._settle}
        waits = len(settled) < len(kinds) or (not kinds and now - self._last < self._settle)
        if waits and (not (settled or self._returned) or now - self._first < MAX_DELAY_SECONDS):
            return None
        folders, trees = set(self._returned.folders), set(self._returned.trees)
        for path in settled:
            parent, _, name = path.rpartition(b"/")
            if kinds[path] == "folder":
                trees.add(path)
            if kinds[path] != "other":
                (trees if name == IGNORE_FILE else folders).add(parent)
        unsettled = frozenset(path for path in kinds if path not in settled and kinds[path] == "file")
        for path in settled:
            del self._changes[path]
        self._returned = ChangedFolders()
        self._first = now
        return Due(ChangedFolders(frozenset(folders), frozenset(trees), unsettled)) if folders or trees else None

    def _look_at(self, path: bytes, change: _Change, now: float) -> str:
        """Return what is at a path now (folder, file, other, nothing), and note if a file has grown since."""
        try:
            status = os.stat(os.path.join(self._root, path))  # noqa: PTH116, PTH118
        except (OSError, ValueError):
            return "nothing"
        if stat.S_ISDIR(status.st_mode):
            return "folder"
        signature = status.st_size, status.st_mtime_ns
        if change.signature is not None and change.signature != signature:
            change.at = now
        change.signature = signature
        return "file" if _matters(path) else "other"

    def _relative(self, path: bytes) -> bytes | None:
        if any(path == folder or path.startswith(folder + b"/") for folder in self._ignored):
            return None
        prefix = next((each for each in self._prefixes if path.startswith(each)), None)
        if prefix is None:  # the root itself
            return None
        relative = path[len(prefix) :]
        names = relative.split(b"/")
        is_hidden = any(name.startswith(b".") for name in names) and names[-1] != IGNORE_FILE
        return None if is_hidden else relative

    def _note(self) -> None:
        self._last = self._clock()
        if not (self._changes or self._returned or self._is_everything):
            self._first = self._last

    def _take_everything(self) -> None:
        self._forget()
        self._is_everything = True

    def _forget(self) -> None:
        self._is_everything = False
        self._changes.clear()
        self._returned = ChangedFolders()


def _matters(path: bytes) -> bool:
    """Return whether a scan looks at a file of this name: a picture, a sidecar, or a file without a suffix."""
    name = path.rpartition(b"/")[2]
    suffix = suffix_of(name)
    return not suffix or name == IGNORE_FILE or suffix in PICTURE_SUFFIXES or suffix in (XMP_SUFFIX, JSON_SUFFIX)
