"""Fetches what a plan says: resumed where it was cut off, every file checked against the hub's own hash."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from core.errors import PullFailed
from core.settings import slug
from encoders.hub.client import Damaged, RemoteFile, digest, fetch, is_whole
from encoders.hub.manifest import MANIFEST, PARTIAL, Manifest, StoredFile, read_manifest, write_manifest
from encoders.hub.plan import Part, Plan

__all__ = ["Watcher", "pull"]

MARGIN = 64 * 2**20
"""Bytes of the disk that stay free."""


class Watcher(Protocol):
    """Who is told how it goes."""

    def waiting(self) -> None:
        """Another process pulls the same model."""

    def begin(self, file: str, size: int) -> None:
        """A file of `size` bytes comes next."""

    def advance(self, count: int) -> None:
        """`count` bytes of it are here."""


def pull(plan: Plan, watcher: Watcher, *, update: bool = False) -> Manifest:
    """Fetches all files of `plan` that its folder does not have, and declares the model complete.

    A model that is there is left as it is, unless `update` is said and its repository has another commit. Killed at
    any time, it goes on where it was when called again. Two at once wait for each other. Raises `PullFailed`, which
    says what to do by hand.
    """
    try:
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(plan.folder, watcher):
            here = read_manifest(plan.folder)
            if here is not None and not (update and here.revision != plan.revision):
                return here
            (plan.folder / MANIFEST).unlink(missing_ok=True)  # until all has come, it is neither the old nor the new
            return _fetch_all(plan, watcher, former=here)
    except OSError as exc:
        remedy = "SIGHTLINE_MODELS names another folder. What came so far is kept"
        if exc.errno == errno.ENOSPC:
            remedy = f"Make room; {remedy}"
        raise PullFailed(plan.name, f"{plan.folder}: {exc.strerror or exc}", remedy) from exc
    except PullFailed as exc:
        raise PullFailed(plan.name, exc.fault, f"{exc.remedy}. {plan.by_hand()}") from exc


@contextmanager
def _alone(folder: Path, watcher: Watcher) -> Iterator[None]:
    """Nobody else writes into `folder` meanwhile."""
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        watcher.waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_all(plan: Plan, watcher: Watcher, former: Manifest | None) -> Manifest:
    partial = plan.folder / PARTIAL
    partial.mkdir(parents=True, exist_ok=True)
    _require_space(plan, partial)
    stored: list[StoredFile] = []
    for part in plan.parts:
        for file in part.files:
            target = plan.folder / part.place(file)
            if not is_whole(target, file):
                _fetch_one(plan.name, part, file, partial, target, watcher)
            stored.append(StoredFile(part.place(file), file.size, file.sha256 or digest(target)))
    for name, content in plan.made.items():
        (plan.folder / name).write_bytes(content)
        stored.append(StoredFile(name, len(content), digest(plan.folder / name)))
    for path in {file.path for file in former.files} - {file.path for file in stored} if former else ():
        (plan.folder / path).unlink(missing_ok=True)  # loading must not come upon it
    shutil.rmtree(partial)
    repository = plan.parts[0].listing.repository
    manifest = Manifest(plan.name, repository, plan.revision, " and ".join(plan.licences), tuple(stored))
    write_manifest(plan.folder, manifest)
    return manifest


def _fetch_one(name: str, part: Part, file: RemoteFile, partial: Path, target: Path, watcher: Watcher) -> None:
    draft = _draft(partial, file)
    attempts = 2 if draft.exists() else 1  # what an earlier attempt left may itself be damaged, by a power cut
    while attempts:
        attempts -= 1
        watcher.begin(part.place(file), file.size)
        try:
            fetch(name, part.listing, file, draft, watcher.advance)
            break
        except Damaged as exc:
            if not attempts:
                fault = f"{file.name} was damaged on its way: its hash is not the hub's"
                raise PullFailed(name, fault, "It was thrown away: try again") from exc
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)


def _draft(partial: Path, file: RemoteFile) -> Path:
    """Called after the hash of the file: bytes of another version never continue it."""
    return partial / (file.sha256 or file.git_oid or f"{file.size}-{slug(file.name)}")


def _require_space(plan: Plan, partial: Path) -> None:
    """Before anything is fetched. Raises `PullFailed` when the disk cannot hold what is still to come."""
    there = 0
    for part in plan.parts:
        for file in part.files:
            held = (_draft(partial, file), plan.folder / part.place(file))
            there += max((min(path.stat().st_size, file.size) for path in held if path.exists()), default=0)
    needed = plan.size - there + MARGIN
    free = shutil.disk_usage(partial).free
    if free < needed:
        fault = f"it needs {needed / 1e9:,.1f} GB, and the disk of {plan.folder.parent} has {free / 1e9:,.1f} GB left"
        raise PullFailed(plan.name, fault, "Make room, or name a folder elsewhere with SIGHTLINE_MODELS")
