"""Download the files of a model, or copy them from a folder, and declare the model complete."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from core.errors import DownloadFailed
from core.settings import slug
from encoders.hub.client import CorruptDownload, RemoteFile, digest, download, has_content
from encoders.hub.manifest import (
    MANIFEST,
    PARTIAL,
    Manifest,
    ModelFile,
    model_folder,
    read_manifest,
    write_manifest,
)
from encoders.hub.plan import ModelSource, PullPlan, RepositoryFiles, open_clip_config
from encoders.weight_files import OPEN_CLIP_CONFIG, TOKENIZER_FOLDER, companion_files, select_weights

__all__ = ["PullObserver", "import_folder", "pull"]

RESERVED_DISK_BYTES = 64 * 2**20
"""Disk space to leave free."""


class PullObserver(Protocol):
    """Receives the progress of a download."""

    def waiting(self) -> None:
        """Another process is downloading the same model."""

    def begin(self, file: str, size: int) -> None:
        """The download of a file of `size` bytes begins."""

    def advance(self, count: int) -> None:
        """`count` more bytes of the file are on disk."""


def pull(plan: PullPlan, observer: PullObserver, *, update: bool = False) -> Manifest:
    """Download the files of `plan` that are missing from its folder, and declare the model complete.

    A complete model is left unchanged, unless `update` is set and its repository has another commit. An interrupted
    download continues with the next call. Two processes wait for each other. Raises `DownloadFailed`, which says how
    to download the files by hand.
    """
    try:
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(plan.folder, observer):
            installed = read_manifest(plan.folder)
            if installed is not None and not (update and installed.revision != plan.revision):
                return installed
            (plan.folder / MANIFEST).unlink(missing_ok=True)  # until the end, it is neither the old nor the new model
            return _download_all(plan, observer, former=installed)
    except OSError as exc:
        remedy = "SIGHTLINE_MODELS can name another folder. The files downloaded so far are kept."
        if exc.errno == errno.ENOSPC:
            remedy = f"Free some disk space, or choose another folder. {remedy}"
        raise DownloadFailed(plan.name, f"{plan.folder}: {exc.strerror or exc}", remedy) from exc
    except DownloadFailed as exc:
        raise DownloadFailed(plan.name, exc.fault, f"{exc.remedy} {plan.by_hand()}", by_hand=True) from exc


def import_folder(source: ModelSource, folder: Path) -> Manifest:
    """Copy the files of a model from `folder` into the models folder and declare it complete, without a network.

    The files cannot be checked against the hub: the revision of the manifest is `by hand`. Raises `DownloadFailed` if
    weights are missing.
    """
    try:
        sizes = _file_sizes(folder)
    except OSError as exc:
        fault = f"{folder}: {exc.strerror or exc}"
        raise DownloadFailed(source.name, fault, "Name the folder with its files.") from exc
    weights = select_weights(sizes, source.weights)
    if not weights:
        remedy = f"It must contain the files of {source.repository}, under the same names."
        raise DownloadFailed(source.name, f"{folder} contains no weights in a known format", remedy)
    try:
        return _copy_all(source, folder, (*companion_files(sizes), *weights, *_tokenizer_files(folder)))
    except OSError as exc:
        fault = f"{exc.filename}: {exc.strerror or exc}"
        raise DownloadFailed(source.name, fault, "The model is still incomplete.") from exc


def _copy_all(source: ModelSource, folder: Path, names: tuple[str, ...]) -> Manifest:
    target = model_folder(source.name)
    (target / PARTIAL).mkdir(parents=True, exist_ok=True)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if not (target / name).exists() or not (target / name).samefile(folder / name):
            shutil.copyfile(folder / name, target / name)
    if OPEN_CLIP_CONFIG not in names and (config := open_clip_config(source)) is not None:
        (target / OPEN_CLIP_CONFIG).write_bytes(config)
        names = (*names, OPEN_CLIP_CONFIG)
    files = tuple(ModelFile(name, (target / name).stat().st_size, digest(target / name)) for name in names)
    shutil.rmtree(target / PARTIAL)
    manifest = Manifest(source.name, source.repository, "by hand", "unknown", files)
    write_manifest(target, manifest)
    return manifest


def _file_sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}


def _tokenizer_files(folder: Path) -> tuple[str, ...]:
    """Return the files in the folder's `tokenizer` folder, relative to `folder`; empty without one."""
    try:
        sizes = _file_sizes(folder / TOKENIZER_FOLDER)
    except OSError:
        return ()
    return tuple(f"{TOKENIZER_FOLDER}/{name}" for name in companion_files(sizes))


@contextmanager
def _locked(folder: Path, observer: PullObserver) -> Iterator[None]:
    """Keep other processes from writing into `folder`."""
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        observer.waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download_all(plan: PullPlan, observer: PullObserver, former: Manifest | None) -> Manifest:
    partial = plan.folder / PARTIAL
    partial.mkdir(parents=True, exist_ok=True)
    _require_disk_space(plan, partial)
    files: list[ModelFile] = []
    for part in plan.parts:
        for file in part.files:
            target = plan.folder / part.target(file)
            if not has_content(target, file):
                _download_one(plan, part, file, observer)
            files.append(ModelFile(part.target(file), file.size, file.sha256 or digest(target)))
    for name, content in plan.generated.items():
        (plan.folder / name).write_bytes(content)
        files.append(ModelFile(name, len(content), digest(plan.folder / name)))
    for path in {file.path for file in former.files} - {file.path for file in files} if former else ():
        (plan.folder / path).unlink(missing_ok=True)  # it must not be loaded with the new files
    shutil.rmtree(partial)
    repository = plan.parts[0].listing.repository
    manifest = Manifest(plan.name, repository, plan.revision, " and ".join(plan.licences), tuple(files))
    write_manifest(plan.folder, manifest)
    return manifest


def _download_one(plan: PullPlan, part: RepositoryFiles, file: RemoteFile, observer: PullObserver) -> None:
    draft = _draft(plan.folder / PARTIAL, file)
    attempts = 2 if draft.exists() else 1  # the rest of an earlier attempt may be damaged, by a power cut
    while attempts:
        attempts -= 1
        observer.begin(part.target(file), file.size)
        try:
            download(plan.name, part.listing, file, draft, observer.advance)
            break
        except CorruptDownload as exc:
            if not attempts:
                fault = f"{file.name} was damaged during the download: its hash is not the hub's"
                raise DownloadFailed(plan.name, fault, "It was deleted. Try again.") from exc
    target = plan.folder / part.target(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)


def _draft(partial: Path, file: RemoteFile) -> Path:
    """Return the path of the incomplete file. It contains the hash, so that another version never continues it."""
    return partial / (file.sha256 or file.git_oid or f"{file.size}-{slug(file.name)}")


def _require_disk_space(plan: PullPlan, partial: Path) -> None:
    """Raise `DownloadFailed` if the disk has no room for the bytes that are still to be downloaded."""
    present = 0
    for part in plan.parts:
        for file in part.files:
            copies = (_draft(partial, file), plan.folder / part.target(file))
            present += max((min(path.stat().st_size, file.size) for path in copies if path.exists()), default=0)
    needed = plan.size - present + RESERVED_DISK_BYTES
    free = shutil.disk_usage(partial).free
    if free < needed:
        fault = f"it needs {needed / 1e9:,.1f} GB, and the disk of {plan.folder.parent} has {free / 1e9:,.1f} GB left"
        raise DownloadFailed(plan.name, fault, "Free some disk space, or name another folder with SIGHTLINE_MODELS.")
