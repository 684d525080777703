"""The temporary folder of Ray on this machine, and those that killed runs have left."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import ClusterFailed

__all__ = ["temporary_folder"]

PREFIX = "sightline-ray-"
OWNER_LOCK = "owner.lock"
"""A lock within each folder. Its process holds it until it ends, even if that is killed."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Delete the folders of processes that were killed. Yield a new one, and delete it at the end.

    Raises `ClusterFailed` if it cannot be created.
    """
    parent = _parent()
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _delete_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        reason = f"no temporary folder can be created in {parent}, for which RAY_TMPDIR names another place"
        raise ClusterFailed(f"{reason}: {error.strerror or error}") from error
    lock = FileLock(folder / "starting.lock")
    try:
        lock.acquire()
        (folder / "starting.lock").rename(folder / OWNER_LOCK)  # not before it is locked: others look for this name
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _parent() -> Path:
    if named := os.environ.get("RAY_TMPDIR"):  # Ray's own variable
        return Path(named).absolute()
    short = Path("/tmp")  # the paths of the sockets in it may have about 100 characters
    return short if short.is_dir() else Path(tempfile.gettempdir())


def _delete_abandoned(parent: Path) -> None:
    """Delete the folders of this user whose processes have ended. What cannot be deleted stays for the next run."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            found = folder.lstat()
            is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            if is_own and (folder / OWNER_LOCK).is_file():
                with FileLock(folder / OWNER_LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
