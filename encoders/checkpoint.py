"""The files of a model in a folder: which of them it consists of, what they say, and the digest that names them all."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import BadCheckpoint, ModelUnavailable
from encoders.hub.manifest import MANIFEST, PARTIAL, read_manifest

__all__ = ["files_of", "find_weights", "read_json", "require_whole", "weights_digest"]

WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)
"""Names of weights on the hub, the safest format first."""
FORMATS = (".safetensors", ".bin", ".pt", ".pth")
SMALL = (".json", ".model", "merges.txt", "vocab.txt")
"""How the names end of what the configuration and the tokenizer of a model are in."""
DIGESTS = ".sightline-digests.json"


def read_json(file: Path) -> dict[str, Any]:
    """What `file` says. Raises `BadCheckpoint` where it cannot be read, or is no JSON object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise BadCheckpoint(file, f"it cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    if not isinstance(content, dict):
        raise BadCheckpoint(file, "it is not a JSON object")
    return content


def find_weights(folder: Path) -> Path:
    """The file of weights in `folder`: one that is called as on the hub, else the only one.

    Raises `BadCheckpoint` where there is none, or several and no telling which.
    """
    for name in WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    found = sorted(file for file in folder.iterdir() if file.suffix in FORMATS)
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise BadCheckpoint(folder, f"it must hold one file of weights, such as {WEIGHTS[0]}; there is: {names}")
    return found[0]


def require_whole(folder: Path, name: str) -> None:
    """Raises `ModelUnavailable` where `folder`, of ours for the model `name`, has not all that a pull was to bring.

    Files that someone put there by hand need no `sightline.json`.
    """
    if (folder / PARTIAL).exists() or ((folder / MANIFEST).exists() and read_manifest(folder) is None):
        remedy = f"not everything is in {folder}; `sightline models pull {name}` fetches what is missing"
        raise ModelUnavailable(name, "all of its files", remedy)


def files_of(folder: Path, weights: Iterable[Path]) -> list[Path]:
    """The weights, and every file of `folder` that configuration or a tokenizer may be in."""
    there = (file for file in folder.rglob("*") if file.name.endswith(SMALL) and file.is_file())
    return sorted({*weights, *(file for file in there if file.name not in (MANIFEST, DIGESTS))})


def weights_digest(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names and the SHA-256 of `files` in `folder`; what was hashed once is known by size and time.

    The digests are kept beside the files, where the folder can be written to. A model that was pulled was hashed then.
    """
    kept = _known(folder)
    known = _pulled(folder) | kept
    names = {file.relative_to(folder).as_posix(): file for file in files}
    found = {name: _digest(file, known.get(name)) for name, file in names.items()}
    if any(known.get(name) != digest for name, digest in found.items()):
        _keep(folder, kept | found)
    lines = "".join(f"{digest}  {name}\n" for name, (_, _, digest) in sorted(found.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _digest(file: Path, known: tuple[int, int, str] | None) -> tuple[int, int, str]:
    """Size, time and SHA-256 of a file. Raises `BadCheckpoint`."""
    try:
        status = file.stat()
        if known and known[:2] == (status.st_size, status.st_mtime_ns):
            return known
        with file.open("rb") as content:
            return status.st_size, status.st_mtime_ns, hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        raise BadCheckpoint(file, exc.strerror or str(exc)) from exc


def _pulled(folder: Path) -> dict[str, tuple[int, int, str]]:
    """What `sightline.json` says of the files that nobody has touched since it was written, which was last."""
    manifest = read_manifest(folder)
    if manifest is None:
        return {}
    written = (folder / MANIFEST).stat().st_ctime_ns
    states = {file.path: (folder / file.path).stat() for file in manifest.files}
    return {
        file.path: (file.size, states[file.path].st_mtime_ns, file.sha256)
        for file in manifest.files
        if states[file.path].st_ctime_ns <= written  # whatever changes a file moves this time
    }


def _known(folder: Path) -> dict[str, tuple[int, int, str]]:
    try:
        record = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        return {str(name): (int(size), int(time), str(digest)) for name, (size, time, digest) in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(folder: Path, found: Mapping[str, tuple[int, int, str]]) -> None:
    draft = folder / f"{DIGESTS}.{os.getpid()}"
    try:
        draft.write_text(json.dumps(found), encoding="utf-8")
        draft.replace(folder / DIGESTS)
    except OSError:
        return  # a folder that is only to be read: it is hashed again next time
