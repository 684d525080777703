"""Models by the names people type. Knows where each encoder lives, and imports it only when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Literal

from core.errors import ModelUnavailable, UnknownModel
from core.space import Space
from encoders.base import Encoder
from encoders.licences import commercial_only, require_commercial
from encoders.placement import Placement

__all__ = ["ANYWHERE", "DEFAULT_MODEL", "MODELS", "ModelInfo", "info", "load", "load_for"]

DEFAULT_MODEL = "mini"

ANYWHERE = Placement()
"""Wherever the machine is best at it."""


@dataclass(frozen=True)
class ModelInfo:
    """What one should know before using a model."""

    name: str
    summary: str
    languages: tuple[str, ...]
    """ISO 639-1 codes."""
    licence: str
    """Of the weights, as an SPDX identifier."""
    source: str
    """`module:Class` of the encoder."""
    location: Literal["built in", "extra"] = "built in"


MODELS: Mapping[str, ModelInfo] = MappingProxyType(
    {
        model.name: model
        for model in (
            ModelInfo(
                name="mini",
                summary="Small, works at once and offline; trained by this project",
                languages=("en", "zh", "de", "fr", "cs", "ar"),
                licence="Apache-2.0",
                source="encoders.mini.encoder:MiniEncoder",
            ),
            ModelInfo(
                name="fake",
                summary="Sees only colours; a test double whose vectors a person can check",
                languages=("en",),
                licence="Apache-2.0",
                source="encoders.fake:FakeEncoder",
            ),
        )
    }
)


def info(name: str) -> ModelInfo:
    """What is known of the model called `name`. Raises `UnknownModel`."""
    try:
        return MODELS[name.strip()]
    except KeyError as exc:
        raise UnknownModel(name, tuple(MODELS)) from exc


def load(name: str, placement: Placement = ANYWHERE) -> Encoder:
    """The encoder called `name`; cheap, weights are read by its first use.

    A name is that of a built-in model, of one whose files are in the models folder, of a folder, or
    `ARCHITECTURE:FILE` for a file of weights of open_clip's; `?lang=deu_Latn` may follow where a model is told the
    language of texts. Raises `UnknownModel`, `BadCheckpoint` for files that are no model,
    `ModelUnavailable` when something it needs is missing, or `LicenceRefused` where only models for commercial use are
    wanted (`encoders/licences.py`) and it is not known to be one.
    """
    name = name.strip()
    if commercial_only():
        _require_licence(name)
    if name not in MODELS:
        from encoders.loading import load_files

        return load_files(name, placement, tuple(MODELS))
    module, _, attribute = info(name).source.partition(":")
    encoder: Encoder = getattr(import_module(module), attribute)()
    return encoder


def _require_licence(name: str) -> None:
    """Raises `LicenceRefused`."""
    from encoders.hub.manifest import licence_of

    require_commercial(name, MODELS[name].licence if name in MODELS else licence_of(name))


def load_for(space: Space, placement: Placement = ANYWHERE) -> Encoder:
    """The encoder that made the vectors of `space`.

    Raises as `load` does, and `ModelUnavailable` when they were made elsewhere.
    """
    if space.is_imported:
        raise ModelUnavailable(
            space.model,
            "an encoder",
            "its vectors were made elsewhere, so that neither words nor new pictures can be embedded; "
            "`sightline similar` finds what is like a picture or document that it holds",
        )
    return load(space.model, placement)
