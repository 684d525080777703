"""`sightline.json`: the record of the files of a model. It is written last: a folder that has one is complete."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from core.files import write_atomically
from core.settings import models_folder, slug
from encoders.model_catalog import BUILT_IN_MODELS, MODEL_CATALOG

__all__ = [
    "MANIFEST",
    "PARTIAL",
    "Manifest",
    "ModelFile",
    "licence_of",
    "model_folder",
    "pulled_models",
    "read_manifest",
    "write_manifest",
]

MANIFEST = "sightline.json"
PARTIAL = ".partial"
"""Folder of incomplete files in that of a model. It exists while the model is being downloaded."""


@dataclass(frozen=True)
class ModelFile:
    """A file of a model; `path` is relative to its folder, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The origin of a model and its files."""

    name: str
    repository: str
    revision: str
    """The commit of the repository, or `by hand`."""
    licence: str
    """As the repository states it; `unknown` if it states none."""
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Total size of the files in bytes."""
        return sum(file.size for file in self.files)


def model_folder(name: str) -> Path:
    """Return the folder of the model `name`, which may not exist."""
    return models_folder() / slug(name)


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of the model in `folder`; None if there is no model, or if files are missing."""
    try:
        record = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(ModelFile(**file) for file in record.pop("files"))
        manifest = Manifest(**record, files=files)
        is_complete = all((folder / file.path).stat().st_size == file.size for file in files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return manifest if is_complete else None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Declare the model in `folder` complete, after all of its files have been written to disk."""
    record = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
    write_atomically(folder / MANIFEST, [record.encode()])


def licence_of(name: str) -> str:
    """Return the licence of the model `name`: that of its repository, else of the model catalogue, else `unknown`.

    `?lang=...` may follow the name. The licence of a folder or a plug-in is `unknown`.
    """
    name = name.partition("?")[0].strip()
    if name in BUILT_IN_MODELS:
        return BUILT_IN_MODELS[name].licence
    manifest = read_manifest(model_folder(name))
    if manifest is not None and manifest.licence != "unknown":
        return manifest.licence
    listed = MODEL_CATALOG.get(name)
    return listed.licence if listed else "unknown"


def pulled_models() -> Iterator[Manifest]:
    """Yield every complete model in the models folder, sorted by folder name."""
    try:
        folders = sorted(models_folder().iterdir())
    except OSError:
        return
    for folder in folders:
        manifest = read_manifest(folder)
        if manifest is not None and slug(manifest.name) == folder.name:
            yield manifest
