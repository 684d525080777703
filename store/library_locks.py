"""The locks of a library: waiting for them, and what each is for.

writer.lock         held by the one process that changes the library, for a batch
indexing-*.lock     held by the one process that indexes a root, or forgets pictures of it
filling-*.lock      held by the one process that fills an embedding space
engine-*.lock       held by the one process that changes the vectors of a space in an engine on a server
building-*.lock     held by the one process of this machine that builds inverted lists for a space
publishing.lock     held by the one process that writes index files, of this machine for a library on a server
reading-texts.lock  held by the one process that reads text in pictures
jobs.lock           held by the one process that runs the queue of jobs

The backend decides what a lock is: a file in the folder of the library, or a lock of the server. Files of this machine
have locks of this machine.

The lock of the index files is acquired before the writer lock, never while that is held: writing a large file takes
long, and the writer lock is held only to announce it.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from store.catalog.backend import Backend
from store.catalog.named_locks import WRITER_LOCK, NamedLock
from store.catalog.root_paths import stored_root

__all__ = ["LibraryLocks", "RootLock"]

JOB_LOCK = "jobs.lock"
TEXT_LOCK = "reading-texts.lock"
PUBLICATION_LOCK = "publishing.lock"

WAITING_SECONDS = 1.0
"""Time after which a process reports that it waits for a lock. Most locks are held for a fraction of it."""

CHECK_SECONDS = 0.25
"""Interval at which a process that waits for a lock may decide to stop."""

Callback = Callable[[], None] | None


class LibraryLocks:
    """The locks of a library. All of them end with the process, even if it is killed.

    Acquiring one raises `LibraryReadOnly` and `LibraryUnusable`. None is acquired within a write transaction: a server
    announces its holder between two of them. A lock of a server can be lost while the process continues; the next write
    transaction of the thread that held it then raises `LockLost`.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._lock = backend.lock(WRITER_LOCK)
        self._publication_lock = backend.local_lock(PUBLICATION_LOCK)
        self._of_thread = threading.local()

    @contextmanager
    def locked(self, waiting: Callback = None, check: Callback = None) -> Iterator[None]:
        """Hold the writer lock without a look at the catalogue, to replace it as a whole."""
        with self._hold(self._lock, waiting, check), self._as_writer():
            yield

    @contextmanager
    def _locked_if_free(self, patience: float) -> Iterator[bool]:
        with self._if_free(self._lock, patience) as is_held:
            if not is_held:
                yield False
                return
            with self._as_writer():
                yield True

    @contextmanager
    def root_lock(self, root: Path, waiting: Callback = None, check: Callback = None) -> Iterator["RootLock"]:
        """Lock a root against other index runs, and against removal of its pictures. Others may write in between.

        Acquire it before the writer lock, never while that is held. `waiting` and `check` are as for `exclusive`.
        """
        name = hashlib.sha256(stored_root(self.backend.engine, os.fsencode(root))).hexdigest()[:12]
        turn, lock = (self.backend.lock(f"indexing-{name}.{suffix}") for suffix in ("next.lock", "lock"))
        with ExitStack() as held:
            with self._hold(turn, waiting, check):  # the process that waits longest is next
                held.enter_context(self._hold(lock, waiting, check))
            yield RootLock(turn)

    @contextmanager
    def job_lock_if_free(self) -> Iterator[bool]:
        """Lock the queue of jobs against other processes that run it, without waiting; yield whether that succeeded."""
        with self._if_free(self.backend.lock(JOB_LOCK)) as is_held:
            yield is_held

    @contextmanager
    def space_fill_lock(self, fingerprint: str, waiting: Callback = None, check: Callback = None) -> Iterator[None]:
        """Lock an embedding space against other processes that fill it, independently of the writer lock."""
        with self._hold(self._fill_lock(fingerprint), waiting, check):
            yield

    @contextmanager
    def space_fill_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """Like `space_fill_lock`, but never wait; yield whether the lock was acquired."""
        with self._if_free(self._fill_lock(fingerprint)) as is_held:
            yield is_held

    @contextmanager
    def index_build_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """Lock the building of inverted lists for a space on this machine; yield whether that succeeded at once."""
        with self._if_free(self.backend.local_lock(f"building-{fingerprint[:12]}.lock")) as is_held:
            yield is_held

    @contextmanager
    def engine_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """Lock the vectors of a space in an engine on a server; yield whether that succeeded at once."""
        with self._if_free(self.backend.lock(f"engine-{fingerprint[:12]}.lock")) as is_held:
            yield is_held

    @contextmanager
    def publication(self, waiting: Callback = None, check: Callback = None) -> Iterator[None]:
        """Lock the index files against other processes that write them; others may change the library in between.

        Files of a machine, of a library on a server, are written without a right to change that library. `waiting` and
        `check` are as for `exclusive`. Raises `RuntimeError` if the thread holds the writer lock: it is acquired within
        this one, and no other process could change the library while the files are written.
        """
        self._require_no_writer()
        if self.backend.shares_files:
            self.backend.require_writable()
        _wait_for(self._publication_lock, waiting, check)
        try:
            yield
        finally:
            self._publication_lock.release()

    @contextmanager
    def publication_if_free(self) -> Iterator[bool]:
        """Like `publication`, but never wait; yield whether the lock was acquired."""
        self._require_no_writer()
        if self.backend.shares_files:
            self.backend.require_writable()
        is_held = self._publication_lock.acquire(0)
        try:
            yield is_held
        finally:
            if is_held:
                self._publication_lock.release()

    @contextmanager
    def text_reading_lock(self, waiting: Callback = None, check: Callback = None) -> Iterator[None]:
        """Lock the reading of text against other processes that do the same, independently of the writer lock."""
        with self._hold(self.backend.lock(TEXT_LOCK), waiting, check):
            yield

    def _fill_lock(self, fingerprint: str) -> NamedLock:
        return self.backend.lock(f"filling-{fingerprint[:12]}.lock")

    @contextmanager
    def _as_writer(self) -> Iterator[None]:
        """Remember within the block that the thread holds the writer lock."""
        self._of_thread.writers = self._writers + 1
        try:
            yield
        finally:
            self._of_thread.writers -= 1

    @property
    def _writers(self) -> int:
        """How many times the thread holds the writer lock."""
        return getattr(self._of_thread, "writers", 0)

    def _require_no_writer(self) -> None:
        if self._writers:
            raise RuntimeError("Index files cannot be written by a thread that holds the writer lock.")

    @contextmanager
    def _hold(self, lock: NamedLock, waiting: Callback, check: Callback = None) -> Iterator[None]:
        self.backend.require_writable()
        _wait_for(lock, waiting, check)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _if_free(self, lock: NamedLock, patience: float = 0) -> Iterator[bool]:
        self.backend.require_writable()
        is_held = lock.acquire(patience)
        try:
            yield is_held
        finally:
            if is_held:
                lock.release()


class RootLock:
    """The lock of a root, held within the `Library.root_lock` block that yielded it."""

    def __init__(self, turn: NamedLock) -> None:
        self._turn = turn

    def is_wanted(self) -> bool:
        """Return whether another run waits for the lock."""
        return not self._turn.is_free()


def _wait_for(lock: NamedLock, waiting: Callback, check: Callback) -> None:
    if lock.acquire(WAITING_SECONDS):
        return
    if waiting is not None:
        waiting()
    while not lock.acquire(CHECK_SECONDS):
        if check is not None:
            check()
