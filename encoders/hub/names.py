"""From the name of a model to the repository of the hub that has its files."""

import json
from dataclasses import dataclass
from typing import Any

from core.errors import ExtraMissing, PullFailed, UnknownModel
from encoders.model_catalog import RECOMMENDED

__all__ = ["HUB_PREFIX", "Source", "open_clip_config", "resolve"]

HUB_PREFIX = "hf-hub:"


@dataclass(frozen=True)
class Source:
    """Where the files of the model `name` are."""

    name: str
    repository: str
    revision: str | None = None
    weights: str | None = None
    """The file of weights, where the repository alone does not say which."""
    is_open_clip: bool = False
    """Whether the name is one of open_clip's, which can describe the model where its repository does not."""


def resolve(name: str) -> Source:
    """The repository of `name`: `ViT-B-32/laion2b_s34b_b79k` as open_clip knows it, `hf-hub:org/name`, or `org/name`.

    `@revision` may follow the latter two. Raises `UnknownModel` for a name that is none of these or a tag that
    open_clip does not know, `PullFailed` for weights that are on no hub, `ExtraMissing` when open_clip would have to be
    asked and is not installed.
    """
    name = name.strip()
    owner, slash, rest = name.removeprefix(HUB_PREFIX).partition("/")
    repository, at, revision = rest.partition("@")
    if not (slash and owner and repository) or "/" in repository:
        raise UnknownModel(name, ("ARCHITECTURE/TAG of open_clip", "hf-hub:ORGANISATION/NAME", "ORGANISATION/NAME"))
    if known := RECOMMENDED.get(name):
        return Source(name, known.repository, is_open_clip=known.is_open_clip)
    if name.startswith(HUB_PREFIX) or owner not in _open_clip(name).list_models():
        return Source(name, f"{owner}/{repository}", revision if at else None)
    return _of_open_clip(name, owner, repository)


def open_clip_config(source: Source) -> bytes | None:
    """`open_clip_config.json` as open_clip would write it; None for a model that it does not know by name."""
    if not source.is_open_clip:
        return None
    architecture, _, tag = source.name.partition("/")
    open_clip = _open_clip(source.name)
    known = open_clip.get_pretrained_cfg(architecture, tag)
    shown = {key: known[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in known}
    model = open_clip.get_model_config(architecture)
    if known.get("quick_gelu"):  # weights trained with it are of little use without; open_clip itself only warns
        model["quick_gelu"] = True
    config = {"model_cfg": model, "preprocess_cfg": shown}
    return json.dumps(config, indent=2).encode()


def _of_open_clip(name: str, architecture: str, tag: str) -> Source:
    open_clip = _open_clip(name)
    known: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, tag)
    if not known:
        tags = tuple(f"{architecture}/{other}" for other in open_clip.list_pretrained_tags_by_model(architecture))
        raise UnknownModel(name, tags or ("no weights of this architecture",))
    hub = str(known.get("hf_hub", ""))  # `org/name/`, or `org/name/file`
    if not hub:
        raise PullFailed(
            name,
            "its weights are on no hub",
            f"Fetch {known.get('url') or 'them'} yourself, and put the file into a folder for "
            f"`sightline models pull {name} --from FOLDER`",
        )
    owner, repository, *file = hub.rstrip("/").split("/")
    return Source(name, f"{owner}/{repository}", weights="/".join(file) or None, is_open_clip=True)


def _open_clip(name: str) -> Any:
    """It imports PyTorch, which takes seconds: only where nothing else knows the name."""
    try:
        import open_clip
    except ImportError as exc:
        raise ExtraMissing(f"the model {name}", "clip") from exc
    return open_clip
