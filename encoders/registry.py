"""Load encoders by name: built-in models, pulled models, folders, files of weights, and plug-ins.

Another package adds a model with an entry point whose name is the name of the model:

    [project.entry-points."sightline.encoders"]
    my-model = "my_package:MyEncoder"

The target is a subclass of `Encoder`, or a function that returns an encoder. It is called without arguments, or with
`placement=` if it has a parameter of that name. Entry points are only searched for names that are not built in, not
pulled and not a path, so that they never slow down a start.
"""

import os
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import parse_qs

from core.errors import (
    BadCheckpoint,
    CheckpointIsSegmenter,
    ImportedSpaceHasNoModel,
    ModelUnavailable,
    PluginError,
    UnknownModel,
)
from core.plugins import PluginTable
from core.settings import models_folder, slug
from core.space import Space
from encoders.base import Encoder
from encoders.licences import commercial_only, require_commercial
from encoders.placement import DEFAULT_PLACEMENT, Placement

__all__ = ["DEFAULT_MODEL", "ENCODERS", "EncoderFactory", "load", "load_default", "load_for_space"]

DEFAULT_MODEL = "mini"
"""The model of a new library for which no other one is chosen."""

EncoderFactory: TypeAlias = Callable[..., Encoder]

ENCODERS: PluginTable[EncoderFactory] = PluginTable(
    "sightline.encoders",
    MappingProxyType({"mini": "encoders.mini.encoder:MiniEncoder", "fake": "encoders.fake:FakeEncoder"}),
)


def load(name: str, placement: Placement = DEFAULT_PLACEMENT) -> Encoder:
    """Return the encoder called `name`. This is cheap: weights are read by the first forward pass.

    `name` is the name of a built-in model, of a pulled model or of a plug-in, the path of a folder, or
    `ARCHITECTURE:FILE` for a file of open_clip weights. `?lang=deu_Latn` may follow the name of a model that must be
    told the language of its texts; this changes neither the space nor the vectors of pictures.

    Raises:
        UnknownModel: No model has this name.
        ModelUnavailable: Files of the model are missing.
        BadCheckpoint: The files cannot be used as a model.
        PluginError: A plug-in cannot be imported, or does not return an encoder of this name.
        LicenceNotAllowed: `SIGHTLINE_COMMERCIAL` requires a licence that permits commercial use.
    """
    name = name.strip()
    if commercial_only():
        from encoders.hub.manifest import licence_of

        require_commercial(name, licence_of(name))
    if name in ENCODERS.built_in():
        factory = ENCODERS.get(name)
        assert factory is not None
        return factory()
    return _load_files(name, placement) or _load_plugin(name, placement)


def load_for_space(space: Space, placement: Placement = DEFAULT_PLACEMENT) -> Encoder:
    """Return the encoder that computed the vectors of `space`.

    Raises `ImportedSpaceHasNoModel` if its vectors were imported, and the exceptions of `load`.
    """
    if space.is_imported:
        raise ImportedSpaceHasNoModel(space.model)
    return load(space.model, placement)


def load_default(space: Space | None, placement: Placement = DEFAULT_PLACEMENT) -> Encoder:
    """Return the encoder to use if none is chosen: the one of the library's `space`, or the built-in one.

    Raises the exceptions of `load_for_space`.
    """
    return load(DEFAULT_MODEL, placement) if space is None else load_for_space(space, placement)


def _load_files(typed: str, placement: Placement) -> Encoder | None:
    """Return the encoder of a pulled model, a folder or `ARCHITECTURE:FILE`; None if `typed` names no files."""
    from encoders.checkpoint import require_complete

    name, language = _split_options(typed)
    pulled = models_folder() / slug(name)
    if name and pulled.is_dir():
        require_complete(pulled, name)
        return _from_folder(pulled, name, language, placement)
    path = Path(os.path.expanduser(name))  # noqa: PTH111 (Path.expanduser may raise)
    if name and path.is_dir():
        return _from_folder(path.resolve(), str(path.resolve()), language, placement)
    architecture, colon, file = name.partition(":")
    if colon and architecture != "hf-hub":
        return _from_file(Path(os.path.expanduser(file)), architecture, language, placement)  # noqa: PTH111
    if path.is_file():
        raise BadCheckpoint(path, f"a file of weights does not name its architecture; write it as ViT-B-32:{path}")
    if name.startswith((".", "~", os.sep)):
        raise ModelUnavailable(typed, f"its folder, {path}, which does not exist")
    return None


def _load_plugin(typed: str, placement: Placement) -> Encoder:
    """Return the encoder of the plug-in called `typed`. Raises `PluginError`, `ModelUnavailable` or `UnknownModel`."""
    name, language = _split_options(typed)
    factory = ENCODERS.get(name)
    if factory is None:
        if "/" in name:
            remedy = f"Put the files of its repository into {models_folder() / slug(name)}."
            raise ModelUnavailable(typed, "its files", remedy, pull=name)
        raise UnknownModel(typed, ENCODERS.names())
    if language is not None:
        from encoders.open_clip import language_not_supported

        raise language_not_supported(name)
    encoder = factory(placement=placement) if "placement" in signature(factory).parameters else factory()
    target = getattr(factory, "__qualname__", repr(factory))
    if not isinstance(encoder, Encoder):
        raise PluginError(ENCODERS.group, name, target, f"it returned {type(encoder).__name__}, not an Encoder")
    if encoder.space.model != name:  # a library finds the encoder of a space by the name of its model
        raise PluginError(
            ENCODERS.group, name, target, f"its model must be called {name!r}, not {encoder.space.model!r}"
        )
    return encoder


def _split_options(typed: str) -> tuple[str, str | None]:
    """Split `NAME?lang=deu_Latn` into the name and the language."""
    name, _, options = typed.partition("?")
    return name, parse_qs(options).get("lang", [None])[0]


def _from_folder(folder: Path, name: str, language: str | None, placement: Placement) -> Encoder:
    from encoders import clipseg, open_clip, transformers_clip

    if (folder / open_clip.CONFIG).is_file():
        return open_clip.OpenClipEncoder(folder, name=name, language=language, placement=placement)
    if clipseg.is_clipseg(folder):
        raise CheckpointIsSegmenter(folder)
    if (folder / transformers_clip.CONFIG).is_file():
        if language is not None:
            raise open_clip.language_not_supported(name)
        return transformers_clip.TransformersClipEncoder(folder, name=name, placement=placement)
    raise BadCheckpoint(folder, f"it contains neither {open_clip.CONFIG} nor {transformers_clip.CONFIG}")


def _from_file(file: Path, architecture: str, language: str | None, placement: Placement) -> Encoder:
    from encoders.open_clip import OpenClipEncoder

    if not file.is_file():
        raise ModelUnavailable(f"{architecture}:{file}", f"its weights, {file}, which does not exist")
    file = file.resolve()
    name = f"{architecture}:{file}"
    return OpenClipEncoder(file, name=name, architecture=architecture, language=language, placement=placement)
