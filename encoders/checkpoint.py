"""A model on disk: the files in its folder that matter, and the digest that identifies them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import BadCheckpoint, ModelUnavailable
from core.files import write_atomically
from encoders.hub.manifest import MANIFEST, PARTIAL, read_manifest
from encoders.weight_files import WEIGHTS_SUFFIXES, select_weights

__all__ = ["find_weights", "model_files", "read_json", "require_complete", "weights_digest"]

CONFIG_SUFFIXES = (".json", ".model", "merges.txt", "vocab.txt")
"""Suffixes of the files that contain the configuration and the tokenizer of a model."""
DIGEST_CACHE = ".sightline-digests.json"


class FileDigest(NamedTuple):
    """The SHA-256 of a file, with the size and modification time for which it is valid."""

    size: int
    mtime_ns: int
    sha256: str


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in `file`. Raises `BadCheckpoint` if it cannot be read or is not an object."""
    try:
        content = json.loads(file.read_bytes())  # in UTF-8 or UTF-16, with or without a byte order mark
    except OSError as exc:
        raise BadCheckpoint(file, f"it cannot be read: {exc.strerror or exc}") from exc
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise BadCheckpoint(file, f"it cannot be read: it is not JSON at {place}") from exc
    except ValueError as exc:
        raise BadCheckpoint(file, "it cannot be read: it is not text in UTF-8") from exc
    if not isinstance(content, dict):
        raise BadCheckpoint(file, "it is not a JSON object")
    return content


def find_weights(folder: Path) -> Path:
    """Return the file of weights in `folder`: the one that `select_weights` prefers, else the only one.

    Raises `BadCheckpoint` if the folder has no weights, or several files under other names.
    """
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    selected = select_weights(names)
    if len(selected) == 1:
        return folder / selected[0]
    candidates = [name for name in names if Path(name).suffix in WEIGHTS_SUFFIXES]
    if len(candidates) != 1:
        expected = "it must contain one file of weights, such as open_clip_model.safetensors"
        raise BadCheckpoint(folder, f"{expected}; it contains: {', '.join(candidates) or 'none'}")
    return folder / candidates[0]


def require_complete(folder: Path, name: str) -> None:
    """Raise `ModelUnavailable` if `folder`, the one of the pulled model `name`, is only partly downloaded.

    A folder without `sightline.json` was filled by hand and counts as complete.
    """
    if (folder / PARTIAL).exists() or ((folder / MANIFEST).exists() and read_manifest(folder) is None):
        raise ModelUnavailable(name, f"all of its files, but some are missing from {folder}", pull=name)


def model_files(folder: Path, weights: Iterable[Path]) -> list[Path]:
    """Return the weights, and every file of `folder` that may contain a configuration or a tokenizer, sorted."""
    small = (file for file in folder.rglob("*") if file.name.endswith(CONFIG_SUFFIXES) and file.is_file())
    return sorted({*weights, *(file for file in small if file.name not in (MANIFEST, DIGEST_CACHE))})


def weights_digest(folder: Path, files: Iterable[Path]) -> str:
    """Return a SHA-256 over the names and the SHA-256 of `files` in `folder`.

    The digest of each file is cached in the folder, if it can be written, and is valid while the file's size and
    modification time stay the same. The files of a pulled model were hashed during the download.
    """
    cached = _read_cache(folder)
    valid = _manifest_digests(folder) | cached
    by_name = {file.relative_to(folder).as_posix(): file for file in files}
    digests = {name: _digest(file, valid.get(name)) for name, file in by_name.items()}
    if any(valid.get(name) != digest for name, digest in digests.items()):
        _write_cache(folder, cached | digests)
    lines = "".join(f"{digest.sha256}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _digest(file: Path, cached: FileDigest | None) -> FileDigest:
    """Return the digest of a file, the cached one if it is still valid. Raises `BadCheckpoint`."""
    try:
        status = file.stat()
        if cached and cached[:2] == (status.st_size, status.st_mtime_ns):
            return cached
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        return FileDigest(status.st_size, status.st_mtime_ns, sha256)
    except OSError as exc:
        raise BadCheckpoint(file, exc.strerror or str(exc)) from exc


def _manifest_digests(folder: Path) -> dict[str, FileDigest]:
    """Return the digests in `sightline.json` of the files that have not changed since it was written."""
    manifest = read_manifest(folder)
    if manifest is None:
        return {}
    written = (folder / MANIFEST).stat().st_ctime_ns
    states = {file.path: (folder / file.path).stat() for file in manifest.files}
    return {
        file.path: FileDigest(file.size, states[file.path].st_mtime_ns, file.sha256)
        for file in manifest.files
        if states[file.path].st_ctime_ns <= written  # any change of a file moves this time
    }


def _read_cache(folder: Path) -> dict[str, FileDigest]:
    try:
        record = json.loads((folder / DIGEST_CACHE).read_text(encoding="utf-8"))
        return {
            str(name): FileDigest(int(size), int(mtime_ns), str(sha256))
            for name, (size, mtime_ns, sha256) in record.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_cache(folder: Path, digests: Mapping[str, FileDigest]) -> None:
    with suppress(OSError):  # a read-only folder is hashed again next time
        write_atomically(folder / DIGEST_CACHE, [json.dumps(digests).encode()])
