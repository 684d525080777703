"""What pulling a model would fetch: from which repositories, how much, under which licence, into which folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import PullFailed
from encoders.hub import file_selection
from encoders.hub.client import Damaged, Listing, RemoteFile, endpoint, fetch, look
from encoders.hub.manifest import model_folder
from encoders.hub.names import Source, open_clip_config

__all__ = ["TOKENIZER", "Part", "Plan", "make_plan"]

TOKENIZER = "tokenizer"
"""Folder of what the text tower needs from another repository: its tokenizer, and the `config.json` of the tower."""


@dataclass(frozen=True)
class Part:
    """Files of one repository; `folder` is where they go, relative to that of the model."""

    listing: Listing
    files: tuple[RemoteFile, ...]
    folder: str = ""

    def place(self, file: RemoteFile) -> str:
        """Where `file` goes, relative to the folder of the model, with slashes."""
        return f"{self.folder}/{file.name}" if self.folder else file.name

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Plan:
    """Everything that makes the model `name`. The first part is the model, others are what its text tower needs."""

    name: str
    parts: tuple[Part, ...]
    made: Mapping[str, bytes] = field(default_factory=dict)
    """Files that no repository has and that we write ourselves."""

    @property
    def folder(self) -> Path:
        """Where everything goes."""
        return model_folder(self.name)

    @property
    def size(self) -> int:
        """Bytes to fetch, if nothing is there yet."""
        return sum(part.size for part in self.parts)

    @property
    def revision(self) -> str:
        """The commit of the model's repository."""
        return self.parts[0].listing.commit

    @property
    def licences(self) -> tuple[str, ...]:
        """Of every part, the model's first."""
        return tuple(dict.fromkeys(part.listing.licence for part in self.parts))

    def by_hand(self) -> str:
        """What to do for someone without a network."""
        lists = "; ".join(
            f"from {endpoint()}/{part.listing.repository}/resolve/{part.listing.commit}/ "
            + (f"into {part.folder}/ of that folder: " if part.folder else "into one folder: ")
            + ", ".join(file.name for file in part.files)
            for part in self.parts
        )
        return f"By hand: fetch {lists}. Then `sightline models pull {self.name} --from FOLDER`"


def make_plan(source: Source) -> Plan:
    """Asks the hub what there is. Raises `PullFailed`, also when a repository has no weights that can be used."""
    try:
        listing = look(source.name, source.repository, source.revision)
    except PullFailed as exc:
        raise PullFailed(source.name, exc.fault, f"{exc.remedy}. {_by_hand(source)}") from exc
    files = {file.name: file for file in listing.files}
    chosen = file_selection.weights(files, source.weights)
    if not chosen:
        wanted = source.weights or "open_clip_model.safetensors, model.safetensors, ..."
        remedy = f"Look at {endpoint()}/{source.repository}, or name a folder with the files as the model"
        raise PullFailed(source.name, f"{source.repository} has no weights that are known here ({wanted})", remedy)
    small = file_selection.companions({name: file.size for name, file in files.items()})
    model = Part(listing, tuple(files[name] for name in (*small, *chosen)))
    made = {}
    if file_selection.CONFIG not in files and (config := open_clip_config(source)) is not None:
        made[file_selection.CONFIG] = config
    config = made.get(file_selection.CONFIG) or _read(source.name, listing, files.get(file_selection.CONFIG))
    return Plan(source.name, (model, *_text_tower(source, config, set(small))), made)


def _by_hand(source: Source) -> str:
    """What to do without a network, where not even the names of the files are known."""
    wanted = source.weights or "open_clip_model.safetensors (else model.safetensors, else the .bin of that name)"
    page = f"{endpoint()}/{source.repository}/tree/{source.revision or 'main'}"
    return (
        f"By hand: fetch from {page} into one folder {wanted} and every .json, .txt and .model beside it; if "
        f"open_clip_config.json names an hf_tokenizer_name, the same small files of that repository into {TOKENIZER}/ "
        f"of it. Then `sightline models pull {source.name} --from FOLDER`"
    )


def _text_tower(source: Source, config: bytes | None, there: set[str]) -> list[Part]:
    """What a tower of transformers' needs from the repository that it was made from, unless the model brings it."""
    text = _text_config(source.name, config)
    tower, tokenizer = str(text.get("hf_model_name") or ""), str(text.get("hf_tokenizer_name") or "")
    if not tower and (not tokenizer or tokenizer == source.repository or file_selection.has_tokenizer(there)):
        return []
    listing = look(source.name, tokenizer or tower)
    names = file_selection.companions({file.name: file.size for file in listing.files})
    kept = tuple(file for file in listing.files if file.name in names and not file.name.endswith(".md"))
    if not file_selection.has_tokenizer(names):
        fault = f"{listing.repository} has no tokenizer that is known here"
        raise PullFailed(source.name, fault, "Name a folder with the files as the model")
    return [Part(listing, kept, TOKENIZER)]


def _text_config(name: str, config: bytes | None) -> dict[str, Any]:
    try:
        model = json.loads(config or b"{}")
        text = model.get("model_cfg", model).get("text_cfg", {})
    except (ValueError, AttributeError) as exc:
        raise PullFailed(name, f"its {file_selection.CONFIG} is damaged", "Tell its authors") from exc
    return text if isinstance(text, dict) else {}


def _read(name: str, listing: Listing, file: RemoteFile | None) -> bytes | None:
    """The bytes of a small file."""
    if file is None or file.size > file_selection.SMALL:
        return None
    with TemporaryDirectory(prefix="sightline-") as folder:
        try:
            fetch(name, listing, file, Path(folder) / "file", lambda _: None)
        except Damaged as exc:
            raise PullFailed(name, f"{file.name} was damaged on its way", "Try again") from exc
        return (Path(folder) / "file").read_bytes()
