"""`sightline.json`: what the folder of a model holds. Written last, so that a folder that has one is complete."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from core.settings import models_folder, slug
from encoders.model_catalog import RECOMMENDED

__all__ = [
    "MANIFEST",
    "PARTIAL",
    "Manifest",
    "StoredFile",
    "licence_of",
    "model_folder",
    "pulled",
    "read_manifest",
    "write_manifest",
]

MANIFEST = "sightline.json"
PARTIAL = ".partial"
"""Folder, within that of a model, that is there while its files come. It holds those that are not whole yet."""


@dataclass(frozen=True)
class StoredFile:
    """A file of a model; `path` is relative to its folder, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Where a model came from, and what it consists of."""

    name: str
    repository: str
    revision: str
    """The commit of the repository, or `by hand`."""
    licence: str
    """As the repository states it; `unknown` where it states none."""
    files: tuple[StoredFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def model_folder(name: str) -> Path:
    """The folder of the model `name`, which need not be there."""
    return models_folder() / slug(name)


def read_manifest(folder: Path) -> Manifest | None:
    """What the model in `folder` consists of; None when it is not there, or not all of it."""
    try:
        record = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(StoredFile(**file) for file in record.pop("files"))
        manifest = Manifest(**record, files=files)
        whole = all((folder / file.path).stat().st_size == file.size for file in files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return manifest if whole else None


def licence_of(name: str) -> str:
    """Of the model `name`: as its repository stated it, else as the list of recommended models has it, else `unknown`.

    A model that is not here, such as a folder of one's own, has what the list says. `?lang=...` may follow a name.
    """
    name = name.partition("?")[0].strip()
    manifest = read_manifest(model_folder(name))
    if manifest is not None and manifest.licence != "unknown":
        return manifest.licence
    listed = RECOMMENDED.get(name)
    return listed.licence if listed else "unknown"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Declares the model in `folder` complete: after every file of it has reached the disk."""
    draft = folder / f"{MANIFEST}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / MANIFEST)


def pulled() -> Iterator[Manifest]:
    """Every model that is complete in the models folder, by name."""
    try:
        folders = sorted(models_folder().iterdir())
    except OSError:
        return
    for folder in folders:
        manifest = read_manifest(folder)
        if manifest is not None and slug(manifest.name) == folder.name:
            yield manifest
