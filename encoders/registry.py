"""Load encoders by name: built-in models, pulled models, folders, files of weights, and plug-ins.

Another package adds a model with an entry point whose name is the name of the model:

    [project.entry-points."sightline.encoders"]
    my-model = "my_package:MyEncoder"

The target is a subclass of `Encoder`, or a function that returns an encoder. It is called without arguments, or with
`placement=` if it has a parameter of that name. Entry points are only searched for names that are not built in, not
pulled and not a path, so that they never slow down a start.

A model can have several versions, each with a space of its own. The target then has an attribute `versions`: a function
that yields the encoder of each version, the newest first, and is called as the target is. The `weights` of each name
its version (see `core.space.Space`). `my-model` is the newest, `my-model@2` another one, and a library that was made
with an earlier version continues to use that one.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qsl

from core.errors import (
    BadCheckpoint,
    CheckpointIsSegmenter,
    DeviceUnavailable,
    ImportedSpaceHasNoModel,
    ModelUnavailable,
    PluginError,
    UnknownModel,
    UnknownModelOption,
    WeightsChanged,
)
from core.plugins import PluginTable
from core.settings import models_folder, slug
from core.space import Space
from encoders.base import Encoder
from encoders.licences import commercial_only, require_commercial
from encoders.model_catalog import TEST_DOUBLE
from encoders.placement import DEFAULT_PLACEMENT, Placement

__all__ = [
    "DEFAULT_MODEL",
    "ENCODERS",
    "EncoderFactory",
    "installed_versions",
    "load",
    "load_for_indexing",
    "load_for_space",
    "newer_version",
    "require_options",
    "split_version",
]

DEFAULT_MODEL = "mini"
"""The model of a new library for which no other one is chosen."""

EncoderFactory: TypeAlias = Callable[..., Encoder]
"""An `Encoder` class, or a function that returns an encoder; both may have an attribute `versions`."""

_Made = TypeVar("_Made")

ENCODERS: PluginTable[EncoderFactory] = PluginTable(
    "sightline.encoders",
    MappingProxyType({"mini": "encoders.mini.encoder:MiniEncoder", "fake": "encoders.fake:FakeEncoder"}),
)


def load(name: str, placement: Placement = DEFAULT_PLACEMENT) -> Encoder:
    """Return the encoder called `name`. This is cheap: weights are read by the first forward pass.

    `name` is the name of a built-in model, of a pulled model or of a plug-in, the path of a folder, or
    `ARCHITECTURE:FILE` for a file of open_clip weights. `@2` may follow the name of a built-in model or a plug-in that
    has several versions; without it, the newest is loaded. `?lang=deu_Latn` may follow the name of a model that must be
    told the language of its texts; this changes neither the space nor the vectors of pictures. `?precision=int8` names
    the form of a CLIP model in 8 bits, which is a space of its own.

    Raises:
        UnknownModel: No model has this name, or not this version.
        UnknownModelOption: What follows `?` is no option of a model.
        ModelUnavailable: Files of the model are missing.
        BadCheckpoint: The files cannot be used as a model.
        DeviceUnavailable: The model does not run in the precision that its name asks for.
        PluginError: A plug-in cannot be imported, or does not return an encoder of this name.
        LicenceNotAllowed: `SIGHTLINE_COMMERCIAL` requires a licence that permits commercial use.
    """
    name, version = split_version(name.strip())
    if commercial_only():
        from encoders.hub.manifest import licence_of

        require_commercial(name, licence_of(name))
    if version is not None:
        return _load_version(name, version, placement)
    if name in ENCODERS.built_in():
        factory = ENCODERS.get(name)
        assert factory is not None
        return factory()
    return _load_files(name, placement) or _load_plugin(name, placement)


def installed_versions(name: str, placement: Placement = DEFAULT_PLACEMENT) -> Iterator[Encoder]:
    """Yield the encoder of each version of a built-in model or plug-in, the newest first; nothing for other names.

    Raises `PluginError`, and `ModelUnavailable` if files of a version are missing.
    """
    factory = ENCODERS.get(name)
    if factory is None:
        return
    versions: Callable[..., Iterable[Encoder]] | None = getattr(factory, "versions", None)
    encoders = [_call(factory, placement)] if versions is None else _call(versions, placement)
    for encoder in encoders:
        yield _checked(encoder, name, factory)


def load_for_space(space: Space, placement: Placement = DEFAULT_PLACEMENT) -> Encoder:
    """Return the encoder that computed the vectors of `space`: the version of its model that has its weights.

    Raises `ImportedSpaceHasNoModel` if its vectors were imported, `WeightsChanged` if no installed version has its
    weights, and the exceptions of `load`.
    """
    if space.is_imported:
        raise ImportedSpaceHasNoModel(space.model)
    newest = load(space.model, placement)
    if newest.space.fingerprint == space.fingerprint:
        return newest
    for encoder in installed_versions(space.model, placement):
        if encoder.space.fingerprint == space.fingerprint:
            return encoder
    raise WeightsChanged(str(space), str(newest.space), space.model)


def load_for_indexing(name: str | None, space: Space | None, placement: Placement = DEFAULT_PLACEMENT) -> Encoder:
    """Return the encoder for new pictures of a library whose pictures are embedded in `space`; None if it has none yet.

    `name` is the model that the user has chosen, if any. A library keeps its version of a model: `mini` stands for the
    version of `space` if that is a space of `mini`. Without a name, this is the model of `space`, or the built-in one.

    Raises the exceptions of `load` and `load_for_space`.
    """
    if space is not None and name in (None, space.model):
        return load_for_space(space, placement)
    return load(name or DEFAULT_MODEL, placement)


def newer_version(space: Space) -> Encoder | None:
    """Return the newest installed version of the model of `space` if `space` is of an earlier one, else None.

    A model that cannot be loaded has no newer version.
    """
    if space.version is None:  # before any plug-in is imported
        return None
    try:
        newest, *earlier = installed_versions(space.model)
    except Exception:  # a plug-in can raise anything, and the newer version is only a hint
        return None
    is_earlier = any(encoder.space.fingerprint == space.fingerprint for encoder in earlier)
    return newest if is_earlier else None


def require_options(typed: str) -> None:
    """Raise what `load` raises for the options after the name of a model, whether its files are here or not.

    These are `UnknownModelOption`, `DeviceUnavailable` and `ExtraMissing`.
    """
    _, _, precision = _split_options(typed)
    if precision is None:
        return
    from encoders.compiled.int8 import INT8, require_int8

    if precision != INT8:
        raise DeviceUnavailable(precision, f"the name of a model can ask for {INT8} only")
    require_int8()


def _load_files(typed: str, placement: Placement) -> Encoder | None:
    """Return the encoder of a pulled model, a folder or `ARCHITECTURE:FILE`; None if `typed` names no files."""
    name, language, precision = _split_options(typed)
    if precision is None:
        return _load_named(typed, name, language, placement)
    from encoders.compiled.int8 import INT8, Int8Encoder
    from encoders.compiled.runtime import RuntimeEncoder

    if precision != INT8:
        raise DeviceUnavailable(precision, f"the name of a model can ask for {INT8} only")
    with_runtime = _load_named(typed, name, language, placement)
    if with_runtime is None:
        return None
    if not isinstance(with_runtime, RuntimeEncoder):
        raise DeviceUnavailable(INT8, f"{name} runs with PyTorch here, as was asked for; only OpenVINO runs {INT8}")
    return Int8Encoder(with_runtime)


def _load_named(typed: str, name: str, language: str | None, placement: Placement) -> Encoder | None:
    from encoders.checkpoint import require_complete

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
    name, language, precision = _split_options(typed)
    factory = ENCODERS.get(name)
    if factory is None:
        if "/" in name:
            remedy = f"Put the files of its repository into {models_folder() / slug(name)}."
            raise ModelUnavailable(typed, "its files", remedy, pull=name)
        raise UnknownModel(typed, tuple(known for known in ENCODERS.names() if known != TEST_DOUBLE))
    if precision is not None:
        raise DeviceUnavailable(precision, f"{name} has no other precision than its own")
    if language is not None:
        from encoders.open_clip import language_not_supported

        raise language_not_supported(name)
    return _checked(_call(factory, placement), name, factory)


def _load_version(name: str, version: str, placement: Placement) -> Encoder:
    """Return a version of a built-in model or plug-in. Raises `UnknownModel`."""
    found = {encoder.space.version: encoder for encoder in installed_versions(name, placement)}
    if version not in found:
        raise UnknownModel(f"{name}@{version}", tuple(encoder.space.name for encoder in found.values()))
    return found[version]


def _call(factory: Callable[..., _Made], placement: Placement) -> _Made:
    """Call a factory or its `versions`: with `placement=` if it has such a parameter."""
    return factory(placement=placement) if "placement" in signature(factory).parameters else factory()


def _checked(encoder: object, name: str, factory: EncoderFactory) -> Encoder:
    """Return `encoder` if it is an encoder of the model `name`. Raises `PluginError`."""
    target = getattr(factory, "__qualname__", repr(factory))
    if not isinstance(encoder, Encoder):
        raise PluginError(ENCODERS.group, name, target, f"it returned {type(encoder).__name__}, not an Encoder")
    if encoder.space.model != name:  # a library finds the encoder of a space by the name of its model
        raise PluginError(
            ENCODERS.group, name, target, f"its model must be called {name!r}, not {encoder.space.model!r}"
        )
    return encoder


def split_version(typed: str) -> tuple[str, str | None]:
    """Split `mini@2` or `mini 2` into the name of a built-in model or plug-in and a version, if it has this form."""
    parts = re.fullmatch(r"([^\s@]+)[@ ]([^\s@]+)", typed)
    return (parts[1], parts[2]) if parts and parts[1] in ENCODERS.names() else (typed, None)


def _split_options(typed: str) -> tuple[str, str | None, str | None]:
    """Split `NAME?lang=deu_Latn&precision=int8` into the name, the language and the precision.

    Raises `UnknownModelOption`: an option with a typing error must not load something else than what was asked for.
    """
    name, question, options = typed.partition("?")
    pairs = parse_qsl(options, keep_blank_values=True)
    given = dict(pairs)
    is_known = set(given) <= {"lang", "precision"} and all(given.values())
    if question and not (pairs and is_known and len(given) == len(pairs)):
        raise UnknownModelOption(name, options)
    return name, given.get("lang"), given.get("precision")


def _from_folder(folder: Path, name: str, language: str | None, placement: Placement) -> Encoder:
    from encoders import clipseg, open_clip, transformers_clip
    from encoders.compiled.runtime import with_runtime

    if (folder / open_clip.CONFIG).is_file():
        found = open_clip.OpenClipEncoder(folder, name=name, language=language, placement=placement)
        return with_runtime(found, placement)
    if clipseg.is_clipseg(folder):
        raise CheckpointIsSegmenter(folder)
    if (folder / transformers_clip.CONFIG).is_file():
        if language is not None:
            raise open_clip.language_not_supported(name)
        encoder = transformers_clip.TransformersClipEncoder(folder, name=name, placement=placement)
        return with_runtime(encoder, placement)
    raise BadCheckpoint(folder, f"it contains neither {open_clip.CONFIG} nor {transformers_clip.CONFIG}")


def _from_file(file: Path, architecture: str, language: str | None, placement: Placement) -> Encoder:
    from encoders.compiled.runtime import with_runtime
    from encoders.open_clip import OpenClipEncoder

    if not file.is_file():
        raise ModelUnavailable(f"{architecture}:{file}", f"its weights, {file}, which does not exist")
    file = file.resolve()
    name = f"{architecture}:{file}"
    encoder = OpenClipEncoder(file, name=name, architecture=architecture, language=language, placement=placement)
    return with_runtime(encoder, placement)
