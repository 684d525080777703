"""From what people type to the files of a model, and from those to the encoder that reads them."""

import os
from pathlib import Path
from urllib.parse import parse_qs

from core.errors import BadCheckpoint, ModelUnavailable, UnknownModel
from core.settings import models_folder, slug
from encoders.base import Encoder
from encoders.checkpoint import require_whole
from encoders.placement import Placement

__all__ = ["load_files"]


def load_files(typed: str, placement: Placement, known: tuple[str, ...]) -> Encoder:
    """The encoder of a folder, of `ARCHITECTURE:FILE`, or of a model that was pulled. Weights are read later.

    `?lang=deu_Latn` may follow. It says how this encoder reads texts: its space, and pictures, are the same.
    Raises `UnknownModel` (with the names that are `known`), `ModelUnavailable` when the files are not there, and
    `BadCheckpoint` when they are no model.
    """
    name, _, options = typed.partition("?")
    language = parse_qs(options).get("lang", [None])[0]
    pulled = models_folder() / slug(name)
    if name and pulled.is_dir():
        require_whole(pulled, name)
        return _from_folder(pulled, name, language, placement)
    path = Path(os.path.expanduser(name))  # noqa: PTH111 (Path.expanduser may raise)
    if name and path.is_dir():
        return _from_folder(path.resolve(), str(path.resolve()), language, placement)
    architecture, colon, file = name.partition(":")
    if colon and architecture != "hf-hub":
        return _from_file(Path(os.path.expanduser(file)), architecture, language, placement)  # noqa: PTH111
    if path.is_file():
        raise BadCheckpoint(path, f"a file of weights does not say its architecture; write it as ViT-B-32:{path}")
    if name.startswith((".", "~", os.sep)):
        raise ModelUnavailable(typed, "its folder", f"there is none at {path}")
    if "/" in name:
        remedy = f"`sightline models pull {name}` fetches them, or put the files of its repository into {pulled}"
        raise ModelUnavailable(typed, "its files", remedy)
    raise UnknownModel(typed, known)


def _from_folder(folder: Path, name: str, language: str | None, placement: Placement) -> Encoder:
    from encoders import clipseg, open_clip, transformers_clip

    if (folder / open_clip.CONFIG).is_file():
        return open_clip.OpenClipEncoder(folder, name=name, language=language, placement=placement)
    if clipseg.is_clipseg(folder):
        raise BadCheckpoint(folder, "it is a segmenter, which compares nothing; `sightline highlight` asks it")
    if (folder / transformers_clip.CONFIG).is_file():
        if language is not None:
            raise open_clip.untold(name)
        return transformers_clip.TransformersClipEncoder(folder, name=name, placement=placement)
    raise BadCheckpoint(folder, f"it holds neither {open_clip.CONFIG} nor {transformers_clip.CONFIG}")


def _from_file(file: Path, architecture: str, language: str | None, placement: Placement) -> Encoder:
    from encoders.open_clip import OpenClipEncoder

    if not file.is_file():
        raise ModelUnavailable(f"{architecture}:{file}", "its weights", f"there is no file {file}")
    file = file.resolve()
    name = f"{architecture}:{file}"
    return OpenClipEncoder(file, name=name, architecture=architecture, language=language, placement=placement)
