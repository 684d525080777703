"""What is known of every model that has a name: those built in, those pulled, those recommended. Loads none of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from core.errors import UnknownModel
from encoders.checkpoint import require_whole
from encoders.hub.manifest import Manifest, licence_of, model_folder, pulled, read_manifest
from encoders.model_catalog import RECOMMENDED, Measure, Recommended
from encoders.registry import MODELS, ModelInfo

__all__ = ["Known", "all_known", "known"]

NEEDED = ("torch", "open_clip", "transformers")
"""Packages of the extra `clip`."""


@dataclass(frozen=True)
class Known:
    """A model, and whether it can be used now. What nobody knows is None or empty."""

    name: str
    summary: str
    location: Literal["built in", "pulled", "recommended", "folder"]
    languages: tuple[str, ...]
    """ISO 639-1 codes, the best first."""
    licence: str
    more_languages: str = ""
    task: str = "encoder"
    size: int | None = None
    """Bytes on disk, or about how many to fetch."""
    dim: int | None = None
    input: int | None = None
    """Side of the square picture that it sees, in pixels."""
    folder: Path | None = None
    repository: str | None = None
    revision: str | None = None
    measure: Measure | None = None
    scores: dict[str, float] = field(default_factory=dict)
    note: str = ""
    missing: str = ""
    """What has to be done before it can be used; empty when it can be used now."""


def all_known() -> Iterator[Known]:
    """Every model: built in, then pulled, then recommended and not here."""
    yield from (_built_in(model) for model in MODELS.values())
    here = {manifest.name: manifest for manifest in pulled()}
    yield from (_pulled(manifest) for manifest in here.values())
    yield from (_recommended(model) for model in RECOMMENDED.values() if model.name not in here)


def known(name: str) -> Known:
    """What is known of the model `name`, or of the one in the folder of that name.

    Raises `UnknownModel`, and `ModelUnavailable` for one that is half pulled and not in our list.
    """
    name = name.strip()
    if name in MODELS:
        return _built_in(MODELS[name])
    manifest = read_manifest(model_folder(name))
    if manifest is not None:
        return _pulled(manifest)
    if name in RECOMMENDED:
        return _recommended(RECOMMENDED[name])
    require_whole(model_folder(name), name)
    if Path(name).is_dir():
        return _in_folder(Path(name).resolve())
    raise UnknownModel(name, tuple(model.name for model in all_known()))


def _built_in(model: ModelInfo) -> Known:
    return Known(model.name, model.summary, "built in", model.languages, model.licence)


def _recommended(model: Recommended) -> Known:
    return Known(
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


def _pulled(manifest: Manifest) -> Known:
    listed = RECOMMENDED.get(manifest.name)
    folder = model_folder(manifest.name)
    dim, side = _shape(folder)
    return Known(
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


def _in_folder(folder: Path) -> Known:
    """One of the user's own, of which only what its files say is known."""
    dim, side = _shape(folder)
    return Known(
        name=str(folder),
        summary="A folder of your own",
        location="folder",
        languages=(),
        licence="unknown",
        task="segmenter" if _read(folder / "config.json").get("model_type") == "clipseg" else "encoder",
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        dim=dim,
        input=side,
        folder=folder,
        missing=_missing(),
    )


def _missing(pull: str = "") -> str:
    extra = [] if all(find_spec(package) for package in NEEDED) else ["pip install 'sightline[clip]'"]
    return "; ".join([*extra, *([pull] if pull else [])])


def _shape(folder: Path) -> tuple[int | None, int | None]:
    """Dimension and side as the configuration of a model states them."""
    ours = _read(folder / "open_clip_config.json").get("model_cfg", {})
    theirs = _read(folder / "config.json")
    vision = ours.get("vision_cfg") or theirs.get("vision_config") or {}
    dim = ours.get("embed_dim") or theirs.get("projection_dim")
    side = vision.get("image_size") if isinstance(vision, dict) else None
    return dim if isinstance(dim, int) else None, side if isinstance(side, int) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
