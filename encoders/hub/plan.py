"""What pulling a model would download: from which repositories, how much, under which licences, into which folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import DownloadFailed, ExtraMissing, UnknownModel
from encoders.hub.client import CorruptDownload, RemoteFile, RepositoryListing, download, endpoint, list_repository
from encoders.hub.manifest import model_folder
from encoders.model_catalog import MODEL_CATALOG
from encoders.weight_files import (
    MAX_COMPANION_BYTES,
    OPEN_CLIP_CONFIG,
    TOKENIZER_FOLDER,
    companion_files,
    has_tokenizer,
    select_weights,
)

__all__ = ["ModelSource", "PullPlan", "RepositoryFiles", "make_plan", "open_clip_config", "resolve"]

HUB_PREFIX = "hf-hub:"


@dataclass(frozen=True)
class ModelSource:
    """The repository that has the files of the model `name`."""

    name: str
    repository: str
    revision: str | None = None
    weights: str | None = None
    """The file of weights to use; None to choose by the rules of `select_weights`."""
    is_open_clip: bool = False
    """Whether open_clip knows the name, and can describe the model if its repository does not."""


@dataclass(frozen=True)
class RepositoryFiles:
    """Files to download from one repository. `folder` is their target, relative to the folder of the model."""

    listing: RepositoryListing
    files: tuple[RemoteFile, ...]
    folder: str = ""

    def target(self, file: RemoteFile) -> str:
        """Return the path of `file` relative to the folder of the model, with slashes."""
        return f"{self.folder}/{file.name}" if self.folder else file.name

    @property
    def size(self) -> int:
        """Total size of the files in bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class PullPlan:
    """All files of the model `name`. The first part is the model; others are what its text tower needs."""

    name: str
    parts: tuple[RepositoryFiles, ...]
    generated: Mapping[str, bytes] = field(default_factory=dict)
    """Content of files that no repository has, by name."""

    @property
    def folder(self) -> Path:
        """The folder of the model."""
        return model_folder(self.name)

    @property
    def size(self) -> int:
        """Bytes to download if nothing is there yet."""
        return sum(part.size for part in self.parts)

    @property
    def revision(self) -> str:
        """The commit of the model's repository."""
        return self.parts[0].listing.commit

    @property
    def licences(self) -> tuple[str, ...]:
        """The licence of each part, the model's first, without repetitions."""
        return tuple(dict.fromkeys(part.listing.licence for part in self.parts))

    @property
    def known_licences(self) -> tuple[str, ...]:
        """As `licences`, with the licence in the model catalogue if the model's repository states none."""
        model, *others = self.licences
        if model == "unknown" and self.name in MODEL_CATALOG:
            model = MODEL_CATALOG[self.name].licence
        return tuple(dict.fromkeys((model, *others)))

    def by_hand(self) -> str:
        """Return instructions for downloading the files without Sightline."""
        lists = "; ".join(
            f"from {endpoint()}/{part.listing.repository}/resolve/{part.listing.commit}/ "
            + (f"into {part.folder}/ of that folder: " if part.folder else "into one folder: ")
            + ", ".join(file.name for file in part.files)
            for part in self.parts
        )
        return f"By hand: download {lists}."


def resolve(name: str) -> ModelSource:
    """Return the repository of `name`: `ViT-B-32/laion2b_s34b_b79k` (open_clip), `hf-hub:org/name`, or `org/name`.

    `@revision` may follow the latter two.

    Raises:
        UnknownModel: `name` has none of these forms, or open_clip does not know its tag.
        DownloadFailed: The weights are not on the hub.
        ExtraMissing: open_clip is needed to resolve the name and is not installed.
    """
    name = name.strip()
    owner, slash, rest = name.removeprefix(HUB_PREFIX).partition("/")
    repository, at, revision = rest.partition("@")
    if not (slash and owner and repository) or "/" in repository:
        raise UnknownModel(name, ("ARCHITECTURE/TAG of open_clip", "hf-hub:ORGANISATION/NAME", "ORGANISATION/NAME"))
    if listed := MODEL_CATALOG.get(name):
        return ModelSource(name, listed.repository, is_open_clip=listed.is_open_clip)
    if name.startswith(HUB_PREFIX) or owner not in _open_clip(name).list_models():
        return ModelSource(name, f"{owner}/{repository}", revision if at else None)
    return _open_clip_source(name, owner, repository)


def make_plan(source: ModelSource) -> PullPlan:
    """Ask the hub which files the model consists of. Raises `DownloadFailed`, also if there are no usable weights."""
    try:
        listing = list_repository(source.name, source.repository, source.revision)
    except DownloadFailed as exc:
        raise DownloadFailed(source.name, exc.fault, f"{exc.remedy} {_by_hand(source)}", by_hand=True) from exc
    files = {file.name: file for file in listing.files}
    weights = select_weights(files, source.weights)
    if not weights:
        expected = source.weights or "open_clip_model.safetensors, model.safetensors, ..."
        remedy = f"Look at {endpoint()}/{source.repository}, or name a folder with the files as the model."
        fault = f"{source.repository} has no weights in a known format ({expected})"
        raise DownloadFailed(source.name, fault, remedy)
    companions = companion_files({name: file.size for name, file in files.items()})
    model = RepositoryFiles(listing, tuple(files[name] for name in (*companions, *weights)))
    generated = {}
    if OPEN_CLIP_CONFIG not in files and (content := open_clip_config(source)) is not None:
        generated[OPEN_CLIP_CONFIG] = content
    config = generated.get(OPEN_CLIP_CONFIG) or _read(source.name, listing, files.get(OPEN_CLIP_CONFIG))
    return PullPlan(source.name, (model, *_text_tower(source, config, set(companions))), generated)


def open_clip_config(source: ModelSource) -> bytes | None:
    """Return `open_clip_config.json` as open_clip would write it; None for a model that open_clip does not know."""
    if not source.is_open_clip:
        return None
    architecture, _, tag = source.name.partition("/")
    open_clip = _open_clip(source.name)
    pretrained = open_clip.get_pretrained_cfg(architecture, tag)
    shown = {key: pretrained[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in pretrained}
    model = open_clip.get_model_config(architecture)
    if pretrained.get("quick_gelu"):  # weights trained with it are of little use without; open_clip itself only warns
        model["quick_gelu"] = True
    config = {"model_cfg": model, "preprocess_cfg": shown}
    return json.dumps(config, indent=2).encode()


def _open_clip_source(name: str, architecture: str, tag: str) -> ModelSource:
    open_clip = _open_clip(name)
    pretrained: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, tag)
    if not pretrained:
        tags = tuple(f"{architecture}/{other}" for other in open_clip.list_pretrained_tags_by_model(architecture))
        raise UnknownModel(name, tags or ("no weights of this architecture",))
    hub = str(pretrained.get("hf_hub", ""))  # `org/name/`, or `org/name/file`
    if not hub:
        remedy = f"Download {pretrained.get('url') or 'them'} yourself and put the file into a folder."
        raise DownloadFailed(name, "its weights are not on the hub", remedy, by_hand=True)
    owner, repository, *file = hub.rstrip("/").split("/")
    return ModelSource(name, f"{owner}/{repository}", weights="/".join(file) or None, is_open_clip=True)


def _open_clip(name: str) -> Any:
    """Import open_clip, which takes seconds because it imports PyTorch. Raises `ExtraMissing`."""
    try:
        import open_clip
    except ImportError as exc:
        raise ExtraMissing(f"The model {name}", "clip") from exc
    return open_clip


def _by_hand(source: ModelSource) -> str:
    """Return instructions for downloading a model whose file names are unknown because the hub did not answer."""
    weights = source.weights or "open_clip_model.safetensors (else model.safetensors, else the .bin of that name)"
    page = f"{endpoint()}/{source.repository}/tree/{source.revision or 'main'}"
    return (
        f"By hand: download from {page} into one folder {weights} and every .json, .txt and .model file next to it; if "
        "open_clip_config.json names an hf_tokenizer_name, download the same small files of that repository into "
        f"{TOKENIZER_FOLDER}/ of that folder."
    )


def _text_tower(source: ModelSource, config: bytes | None, available: set[str]) -> list[RepositoryFiles]:
    """Return what a text tower of transformers needs from its original repository, unless the model includes it."""
    text = _text_config(source.name, config)
    tower, tokenizer = str(text.get("hf_model_name") or ""), str(text.get("hf_tokenizer_name") or "")
    if not tower and (not tokenizer or tokenizer == source.repository or has_tokenizer(available)):
        return []
    listing = list_repository(source.name, tokenizer or tower)
    names = companion_files({file.name: file.size for file in listing.files})
    files = tuple(file for file in listing.files if file.name in names and not file.name.endswith(".md"))
    if not has_tokenizer(names):
        fault = f"{listing.repository} has no tokenizer in a known format"
        raise DownloadFailed(source.name, fault, "Name a folder with the files as the model.")
    return [RepositoryFiles(listing, files, TOKENIZER_FOLDER)]


def _text_config(name: str, config: bytes | None) -> dict[str, Any]:
    try:
        model = json.loads(config or b"{}")
        text = model.get("model_cfg", model).get("text_cfg", {})
    except (ValueError, AttributeError) as exc:
        raise DownloadFailed(name, f"its {OPEN_CLIP_CONFIG} is damaged", "Report it to its authors.") from exc
    return text if isinstance(text, dict) else {}


def _read(name: str, listing: RepositoryListing, file: RemoteFile | None) -> bytes | None:
    """Return the content of a small file, or None if it is missing or too large."""
    if file is None or file.size > MAX_COMPANION_BYTES:
        return None
    with TemporaryDirectory(prefix="sightline-") as folder:
        try:
            download(name, listing, file, Path(folder) / "file", lambda _: None)
        except CorruptDownload as exc:
            raise DownloadFailed(name, f"{file.name} was damaged during the download", "Try again.") from exc
        return (Path(folder) / "file").read_bytes()
