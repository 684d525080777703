"""Write tags and ratings of users into XMP sidecars. Pictures are not changed, and nothing by other programs is lost.

A sidecar is read, changed in memory (`pictures.metadata.xmp_sidecar`), backed up unless Sightline wrote it as it is,
replaced as a whole if it is still the same, and read back. What cannot be done safely is reported, and left as it is.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from core.errors import PictureError
from core.files import atomic_writer, remove_abandoned_drafts
from core.object_paths import ObjectPath
from indexer.file_attributes import keep_attributes
from indexer.file_names import decode
from indexer.sidecars import BACKUP_SUFFIX
from indexer.xmp_memory import digest_of, remember_additions, remember_losses
from indexer.xmp_targets import FolderTargets, list_names
from pictures.metadata.xmp import MAX_XMP_BYTES
from pictures.metadata.xmp_sidecar import Additions, SaidTags, edit_sidecar, is_xml_text
from store.catalog.collation import fold
from store.library import Library
from store.written_sidecars import SaidFile, WrittenFile, present_names, said_in_folder

__all__ = ["SidecarOutcome", "SidecarResult", "WriteSettings", "write_sidecars"]

MAX_BACKUPS = 1_000
"""Backups of one sidecar. Then it is left as it is."""


_DRAFT = re.compile(rb"\.(.+\.xmp)\.\d+\.\d+\.tmp", re.IGNORECASE | re.DOTALL)
"""A temporary file of `atomic_writer`, and the sidecar that it was to become."""


class SidecarResult(StrEnum):
    """What was done with a sidecar, or would be done."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class WriteSettings:
    """With `dry_run`, nothing is written. `replace_ratings` replaces ratings that other programs wrote."""

    dry_run: bool = False
    replace_ratings: bool = False


@dataclass(frozen=True)
class SidecarOutcome:
    """What was done for one picture."""

    picture: Path
    sidecar: Path | None
    """None if it is not clear which one belongs to the picture."""
    result: SidecarResult
    added: tuple[str, ...] = ()
    """Keywords."""
    removed: tuple[str, ...] = ()
    rating: int | None = None
    rating_before: int | None = None
    """The rating in the sidecar, and that before; None if there is none."""
    other_rating: int | None = None
    """The different rating of another program, which was left."""
    unwritable: tuple[str, ...] = ()
    """Tags with characters that XML cannot contain."""
    backup: Path | None = None
    """The copy of the sidecar as it was before."""
    reason: str | None = None
    """Why it was refused."""


class _RefusedError(Exception):
    """The sidecar is left as it is; the message says why."""


@dataclass(frozen=True)
class _Target:
    """A picture with its sidecar. `raw` and `status` are None for a new one."""

    file: SaidFile
    path: Path
    raw: bytes | None = None
    status: os.stat_result | None = None

    @property
    def name(self) -> bytes:
        return os.fsencode(self.path.name)

    @property
    def written(self) -> WrittenFile | None:
        """What was written into this sidecar before."""
        written = self.file.written
        return written if written is not None and written.name == self.name and self.raw is not None else None


def write_sidecars(
    library: Library, files: Iterable[SaidFile], settings: WriteSettings | None = None
) -> Iterator[SidecarOutcome]:
    """Write tags and ratings of `files`, sorted by folder, into their sidecars; yield what was done for each.

    Raises `LibraryReadOnly` if what was written cannot be recorded.
    """
    settings = settings or WriteSettings()
    if not settings.dry_run:
        with library.transaction():  # before a sidecar is written
            pass
    for (root, folder), group in groupby(files, key=lambda file: (file.root, file.folder)):
        of_folder = list(group)
        path = root / os.fsdecode(folder)
        if isinstance(root, ObjectPath):
            for file in of_folder:
                yield _refused(file, None, "nothing is written into a store of objects")
            continue
        try:
            targets = FolderTargets(path, list_names(path), frozenset(present_names(library, root, folder)))
        except OSError as error:
            for file in of_folder:
                yield _refused(file, None, f"its folder cannot be read: {error.strerror or error}")
            continue
        yield from _write_folder(library, targets, of_folder, settings)


def _write_folder(
    library: Library, targets: FolderTargets, files: Sequence[SaidFile], settings: WriteSettings
) -> Iterator[SidecarOutcome]:
    if not settings.dry_run:
        for draft in filter(None, map(_DRAFT.fullmatch, targets.names)):
            remove_abandoned_drafts(targets.folder, os.fsdecode(draft[1]))
    existing, shared = targets.existing(), targets.shared()
    new = targets.new([file.name for file in files if file.name not in existing])
    said = {file.name: (file.tags, file.rating) for file in files}
    sharing = {name for names in shared.values() if not said.keys().isdisjoint(names) for name in names} - said.keys()
    if sharing:  # which were not selected
        further = said_in_folder(library, files[0].root, files[0].folder, sharing)
        said |= {file.name: (file.tags, file.rating) for file in further}
    for file in files:
        sidecar = existing.get(file.name) or new.get(file.name)
        path = None if sidecar is None else targets.folder / os.fsdecode(sidecar)
        others = [name for name in shared.get(sidecar or b"", ()) if said.get(name) != said[file.name]]
        try:
            _require_own(targets, file, sidecar, others)
            yield _write(library, _target(file, targets.folder / os.fsdecode(sidecar or b"")), settings)
        except (_RefusedError, PictureError) as error:
            yield _refused(file, path, str(error))
        except OSError as error:
            yield _refused(file, path, error.strerror or str(error))


def _require_own(targets: FolderTargets, file: SaidFile, sidecar: bytes | None, others: Sequence[bytes]) -> None:
    """Raise `_RefusedError` unless the sidecar belongs to this picture, or to others with the same tags and rating."""
    if file.name not in targets.names:
        raise _RefusedError("the picture is not there")
    if sidecar is None:
        raise _RefusedError("a new sidecar would not belong to this picture alone")
    if others:
        names = ", ".join(map(decode, others[:3])) + (", ..." if len(others) > 3 else "")
        raise _RefusedError(f"it is also the sidecar of {names}, with other tags or another rating")
    if not os.access(targets.folder, os.W_OK):
        raise _RefusedError("its folder is read-only")


def _refused(file: SaidFile, sidecar: Path | None, reason: str) -> SidecarOutcome:
    return SidecarOutcome(file.path, sidecar, SidecarResult.REFUSED, reason=reason)


def _target(file: SaidFile, path: Path) -> _Target:
    """Read a sidecar, if there is one. Raises `_RefusedError` and `OSError`."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return _Target(file, path)
    if stat.S_ISLNK(status.st_mode):
        raise _RefusedError("it is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise _RefusedError("it is not a file")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise _RefusedError("it is read-only")
    if status.st_size > MAX_XMP_BYTES:
        raise _RefusedError(f"{status.st_size:,} bytes exceed the limit of {MAX_XMP_BYTES:,} bytes")
    return _Target(file, path, path.read_bytes(), status)


def _write(library: Library, target: _Target, settings: WriteSettings) -> SidecarOutcome:
    """Change a sidecar. Raises `_RefusedError`, `PictureError` and `OSError`."""
    file, written = target.file, target.written
    tags, unwritable = _tags_to_write(file, written)
    known = None if written is None else Additions.from_json(written.added)
    edited = edit_sidecar(target.raw, SaidTags(tags, file.rating), known, replace_rating=settings.replace_ratings)
    outcome = SidecarOutcome(
        file.path,
        target.path,
        SidecarResult.CREATED if target.raw is None else SidecarResult.CHANGED,
        edited.added,
        edited.removed,
        edited.after.rating,
        edited.before.rating,
        edited.other_rating,
        unwritable,
    )
    if edited.data == (target.raw or b""):
        if not settings.dry_run:
            remember_losses(library, file, target.path, edited)
        unchanged = replace(outcome, result=SidecarResult.UNCHANGED)
        return unchanged if target.raw is not None else replace(unchanged, sidecar=None)
    if settings.dry_run:
        return outcome
    backup = _back_up(target)
    _replace(target, edited.data)
    remember_additions(library, file, target.path, edited, tags)
    return replace(outcome, backup=backup)


def _tags_to_write(file: SaidFile, written: WrittenFile | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tags to write, without those in the picture file itself, and those that XML cannot contain."""
    before = set(written.added.get("tags", ())) if written is not None else set[str]()
    in_file = set(map(fold, file.keywords))
    unwritable = tuple(tag for tag in file.tags if not is_xml_text(tag))
    wanted = (tag for tag in file.tags if fold(tag) not in in_file or tag in before)
    return tuple(tag for tag in wanted if tag not in unwritable), unwritable


def _back_up(target: _Target) -> Path | None:
    """Copy a sidecar unless Sightline wrote it as it is; return the copy. No file is overwritten."""
    if target.raw is None or target.status is None:
        return None
    if target.written is not None and target.written.digest == digest_of(target.raw):
        return None
    for number in range(1, MAX_BACKUPS + 1):
        path = target.path.with_name(f"{target.path.name}{BACKUP_SUFFIX}{number if number > 1 else ''}")
        try:
            if path.is_file() and path.stat().st_size == len(target.raw) and path.read_bytes() == target.raw:
                return path
            with path.open("xb") as file:
                try:
                    file.write(target.raw)
                    file.flush()
                    os.fsync(file.fileno())
                    keep_attributes(file, target.path, target.status)
                except BaseException:
                    path.unlink(missing_ok=True)
                    raise
        except FileExistsError:
            continue
        with suppress(OSError):
            os.utime(path, ns=(target.status.st_atime_ns, target.status.st_mtime_ns))
        return path
    raise _RefusedError(f"there are {MAX_BACKUPS:,} backups of it already")


def _replace(target: _Target, data: bytes) -> None:
    """Write a sidecar, unless it is another one now; then read it back."""
    try:
        with atomic_writer(target.path) as file:
            file.write(data)
            if target.status is not None:
                keep_attributes(file, target.path, target.status)
            file.flush()
            os.fsync(file.fileno())  # which may take long, so that the file is compared after it
            _require_same(target)
    except FileNotFoundError as error:
        raise _RefusedError("its folder is gone") from error
    if target.path.read_bytes() != data:
        raise _RefusedError("it was written, but cannot be read back as it was written")


def _require_same(target: _Target) -> None:
    if target.raw is None:
        is_same = not os.path.lexists(target.path)
    else:
        try:
            is_same = not target.path.is_symlink() and target.path.read_bytes() == target.raw
        except OSError:
            is_same = False
    if not is_same:
        raise _RefusedError("another program changed it in this moment")
