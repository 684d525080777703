"""Describe models without loading them: built-in, pulled and recommended ones, plug-ins, and folders."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

from core.errors import UnknownModel
from encoders.base import Encoder
from encoders.checkpoint import require_complete
from encoders.hub.manifest import Manifest, licence_of, model_folder, pulled_models, read_manifest
from encoders.model_catalog import BUILT_IN_MODELS, MODEL_CATALOG, TEST_DOUBLE, BuiltInModel, CatalogModel, Measure
from encoders.registry import ENCODERS, load, split_version

__all__ = ["INSTALL_CLIP", "ModelDescription", "ModelLocation", "all_models", "describe_model"]

CLIP_PACKAGES = ("torch", "open_clip", "transformers")
"""Packages of the extra `clip`."""
INSTALL_CLIP = "pip install 'sightline[clip]'"

ModelLocation: TypeAlias = Literal["built in", "plug-in", "pulled", "recommended", "folder"]


@dataclass(frozen=True)
class ModelDescription:
    """A model, and whether it can be used now. An unknown fact is empty or None."""

    name: str
    summary: str
    location: ModelLocation
    languages: tuple[str, ...]
    """ISO 639-1 codes, best first."""
    licence: str
    more_languages: str = ""
    task: str = "encoder"
    size: int | None = None
    """Bytes on disk, or the approximate size of the download."""
    dim: int | None = None
    input: int | None = None
    """Side of the square input image, in pixels."""
    folder: Path | None = None
    repository: str | None = None
    revision: str | None = None
    measure: Measure | None = None
    scores: dict[str, float] = field(default_factory=dict)
    note: str = ""
    missing: str = ""
    """Shell commands that must be run before the model can be used; empty if it can be used now."""


def all_models() -> Iterator[ModelDescription]:
    """Yield every model: built-in ones, plug-ins, pulled models, then recommended models that are not pulled."""
    yield from (_from_built_in(model) for model in BUILT_IN_MODELS.values())
    yield from (_from_plugin(point) for point in ENCODERS.plugins())
    pulled = {manifest.name: manifest for manifest in pulled_models()}
    yield from (_from_manifest(manifest) for manifest in pulled.values())
    yield from (_from_catalog(model) for model in MODEL_CATALOG.values() if model.name not in pulled)


def describe_model(name: str) -> ModelDescription:
    """Describe the model `name`, a version of it (`mini@2`), or the one in the folder or file (`ARCHITECTURE:FILE`).

    Raises `UnknownModel`, `PluginError` for a version of a plug-in that cannot be loaded, `ModelUnavailable` for a path
    that does not exist and for a partly downloaded model that is not in the model catalogue, and `BadCheckpoint` for a
    file without the name of its architecture.
    """
    name, question, options = name.strip().partition("?")
    if question:
        model = describe_model(name)
        return replace(model, name=f"{model.name}?{options}")
    unversioned, version = split_version(name)
    if version is not None:
        return _of_version(describe_model(unversioned), load(name))
    if name in BUILT_IN_MODELS:
        return _from_built_in(BUILT_IN_MODELS[name])
    manifest = read_manifest(model_folder(name))
    if manifest is not None:
        return _from_manifest(manifest)
    if name in MODEL_CATALOG:
        return _from_catalog(MODEL_CATALOG[name])
    require_complete(model_folder(name), name)
    path = _expanded(name)
    if path.is_dir():
        return _from_folder(path.resolve())
    architecture, _, file = name.partition(":")
    if architecture and file and _expanded(file).is_file():
        return _from_file(architecture, _expanded(file).resolve())
    if name.startswith((".", "~", os.sep)) or (file and architecture != "hf-hub"):
        load(name)  # raises what is wrong with a path that names no model
    for point in ENCODERS.plugins():
        if point.name == name:
            return _from_plugin(point)
    raise UnknownModel(name, tuple(model.name for model in all_models() if model.name != TEST_DOUBLE))


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser may raise)


def _from_built_in(model: BuiltInModel) -> ModelDescription:
    return ModelDescription(model.name, model.summary, "built in", model.languages, model.licence)


def _of_version(model: ModelDescription, encoder: Encoder) -> ModelDescription:
    """Describe a version of a built-in model or plug-in by its encoder."""
    return replace(model, name=encoder.space.name, languages=encoder.languages or model.languages)


def _from_plugin(point: EntryPoint) -> ModelDescription:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    return ModelDescription(point.name, f"Plug-in of the package {package}", "plug-in", (), licence_of(point.name))


def _from_catalog(model: CatalogModel) -> ModelDescription:
    return ModelDescription(
        name=model.name,
        summary=model.summary,
        location="recommended",
        languages=model.languages,
        licence=model.licence,
        more_languages=model.more_languages,
        task=model.task,
        size=model.download,
        dim=model.dim,
        input=model.size,
        repository=model.repository,
        measure=model.measure,
        scores=dict(model.scores),
        note=model.note,
        missing=_missing(f"sightline models pull {model.name}"),
    )


def _from_manifest(manifest: Manifest) -> ModelDescription:
    listed = MODEL_CATALOG.get(manifest.name)
    folder = model_folder(manifest.name)
    dim, side = _configured_shape(folder)
    return ModelDescription(
        name=manifest.name,
        summary=listed.summary if listed else f"From {manifest.repository}",
        location="pulled",
        languages=listed.languages if listed else (),
        licence=licence_of(manifest.name),
        more_languages=listed.more_languages if listed else "",
        task=listed.task if listed else "encoder",
        size=manifest.size,
        dim=dim or (listed.dim if listed else None),
        input=side or (listed.size if listed else None),
        folder=folder,
        repository=manifest.repository,
        revision=manifest.revision,
        measure=listed.measure if listed else None,
        scores=dict(listed.scores) if listed else {},
        note=listed.note if listed else "",
        missing=_missing(),
    )


def _from_folder(folder: Path) -> ModelDescription:
    """Describe a model in a folder of the user's own by its configuration."""
    dim, side = _configured_shape(folder)
    return ModelDescription(
        name=str(folder),
        summary="A folder of your own",
        location="folder",
        languages=(),
        licence="unknown",
        task="segmenter" if _read_object(folder / "config.json").get("model_type") == "clipseg" else "encoder",
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        dim=dim,
        input=side,
        folder=folder,
        missing=_missing(),
    )


def _from_file(architecture: str, file: Path) -> ModelDescription:
    """Describe a file of open_clip weights of the user's own."""
    return ModelDescription(
        name=f"{architecture}:{file}",
        summary=f"A file of your own, of the architecture {architecture}",
        location="folder",
        languages=(),
        licence="unknown",
        size=file.stat().st_size,
        folder=file.parent,
        missing=_missing(),
    )


def _missing(pull: str = "") -> str:
    """Return the commands that install the extra `clip`, if it is missing, and run `pull`."""
    extra = [] if all(find_spec(package) for package in CLIP_PACKAGES) else [INSTALL_CLIP]
    return "; ".join([*extra, *([pull] if pull else [])])


def _configured_shape(folder: Path) -> tuple[int | None, int | None]:
    """Return the dimension and the image size in the configuration of a model."""
    open_clip = _read_object(folder / "open_clip_config.json").get("model_cfg", {})
    transformers = _read_object(folder / "config.json")
    vision = open_clip.get("vision_cfg") or transformers.get("vision_config") or {}
    dim = open_clip.get("embed_dim") or transformers.get("projection_dim")
    side = vision.get("image_size") if isinstance(vision, dict) else None
    return dim if isinstance(dim, int) else None, side if isinstance(side, int) else None


def _read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`; empty if it cannot be read."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
