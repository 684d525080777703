"""Calibrations that were made for models without one, kept in the folder of models, with a lock for each space.

A failure is kept too, with its reason, so that the next search does not repeat the work. If the folder of models
cannot be written, nothing is kept, and the lock holds within the process only.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout

from core.errors import HomeFolderNotFound
from core.files import atomic_writer
from core.settings import models_folder
from core.space import Space
from search.relevance import Calibration

__all__ = ["CalibrationOutcome", "calibrating", "is_calibrating", "keep", "kept_failure", "kept_file", "kept_outcome"]

FOLDER = ".calibrations"
"""In the folder of models. It may be deleted at any time."""

_locks: dict[str, Lock] = {}
"""The lock of each space within the process, by file stem."""


@dataclass(frozen=True)
class CalibrationOutcome:
    """What came of making a calibration: either the calibration, or why there is none."""

    calibration: Calibration | None
    failure: str | None = None


def kept_file(space: Space) -> Path:
    """Return the file of a space. Deleting it repeats the calibration. Raises `HomeFolderNotFound`."""
    return models_folder() / FOLDER / f"{_stem(space)}.json"


def kept_outcome(space: Space, source: Sequence[object]) -> CalibrationOutcome | None:
    """Return what is kept for a space; None if there is nothing, if it is damaged, or if it has another `source`.

    `source` is what the calibration was made from: the method, the photos and the languages.
    """
    try:
        content = _content(space)
        if content is None or content["source"] != list(source):
            return None
        if "failure" in content:
            return CalibrationOutcome(None, str(content["failure"]))
        calibration = Calibration.read(kept_file(space))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    is_usable = calibration.weights == space.weights and calibration.background.shape == (space.dim,)
    return CalibrationOutcome(calibration) if is_usable else None


def kept_failure(space: Space) -> str | None:
    """Return why no calibration could be made for a space; None if none has failed."""
    content = _content(space)
    failure = content.get("failure") if content else None
    return failure if isinstance(failure, str) else None


def keep(space: Space, outcome: CalibrationOutcome, source: Sequence[object]) -> None:
    """Keep an outcome, if the folder of models can be written."""
    if outcome.calibration is None:
        content: dict[str, Any] = {"failure": outcome.failure}
    else:
        content = json.loads(outcome.calibration.as_json())
    with suppress(OSError, HomeFolderNotFound):
        file = kept_file(space)
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(file, durable=False) as draft:
            draft.write(json.dumps({"source": list(source), **content}).encode())


@contextmanager
def calibrating(space: Space) -> Iterator[None]:
    """Hold the lock of a space, after any other thread or process has released it."""
    with _process_lock(space):
        lock = _file_lock(space)
        if lock is None:
            yield
            return
        try:
            yield
        finally:
            lock.release()


def is_calibrating(space: Space) -> bool:
    """Return whether a thread or process is making the calibration of a space."""
    if _process_lock(space).locked():
        return True
    try:
        file = kept_file(space).with_suffix(".lock")
        if not file.exists():
            return False
        with FileLock(file).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except (OSError, HomeFolderNotFound, NotImplementedError):
        return False


def _content(space: Space) -> dict[str, Any] | None:
    """Return the content of the file of a space; None if it cannot be read."""
    try:
        content = json.loads(kept_file(space).read_bytes())
    except (OSError, HomeFolderNotFound, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _process_lock(space: Space) -> Lock:
    return _locks.setdefault(_stem(space), Lock())


def _file_lock(space: Space) -> FileLock | None:
    """Return the acquired lock file of a space; None if it cannot be created."""
    try:
        file = kept_file(space).with_suffix(".lock")
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, thread_local=False)
        lock.acquire()
    except (OSError, HomeFolderNotFound, NotImplementedError):  # the last one: a file system without locks
        return None
    return lock


def _stem(space: Space) -> str:
    return hashlib.sha256(space.fingerprint.encode()).hexdigest()[:32]
