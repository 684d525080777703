"""Where compiled models are on disk.

A compiled model is a folder with a name from the fingerprint of its space and `EXPORTER_VERSION`. It is written under
another name, flushed and renamed, so that a folder of that name is complete. `compiled.json` in it is its `Card`.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

from core.files import write_atomically
from core.settings import models_folder
from core.space import Space
from encoders.compiled.integrity import are_intact, are_known_intact, file_sha256, remember
from encoders.compiled.tokens import TokenizerRules
from encoders.compiled.versions import exporter_versions

__all__ = [
    "CARD",
    "EXPORTER_VERSION",
    "IMAGES",
    "TEXTS",
    "TOKENIZER",
    "Card",
    "CompiledModel",
    "discard",
    "exporting",
    "find",
    "find_intact",
    "is_intact",
    "is_known_intact",
    "publish",
    "read_failure",
    "record_failure",
]

EXPORTER_VERSION = 3
"""Raised with every change of the exporter that can change a file. Earlier exports are then ignored."""

CARD, IMAGES, TEXTS, TOKENIZER = "compiled.json", "image.onnx", "text.onnx", "tokenizer"
SUBFOLDER = ".compiled"


@dataclass(frozen=True)
class Card:
    """What is known about a compiled model."""

    version: int
    """The `EXPORTER_VERSION` that wrote it."""
    model: str
    fingerprint: str
    """That of the space of the original, which is also the space of the compiled model."""
    logit_scale: float | None
    tokenizer: TokenizerRules
    cosines: Mapping[str, float]
    """The smallest cosine between a vector of the compiled model and one of PyTorch in float32.

    Its keys are `images`, `texts` and, if the model has them, `patches`.
    """
    files: Mapping[str, int] = field(default_factory=dict)
    """The size of each file in bytes, as `publish` found it."""
    trims: bool = False
    """Whether texts are embedded without padding: tokens of padding do not change their vectors."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of each file, as `publish` found it; empty in a card of an earlier version of Sightline."""


@dataclass(frozen=True)
class CompiledModel:
    """A compiled model on disk."""

    folder: Path
    card: Card


def find(space: Space) -> CompiledModel | None:
    """Return the compiled model of `space`; None if there is none, or an incomplete one."""
    return next(_complete(space), None)


def find_intact(space: Space) -> CompiledModel | None:
    """Return the compiled model of `space` whose image tower has the checksums of its card; None if there is none.

    Reads all weights of the tower. A damaged model is deleted, if its folder can be written.
    """
    for found in _complete(space):
        if are_intact(found.folder, _checksums(found, IMAGES)):
            return found
        discard(found)
    return None


def is_intact(compiled: CompiledModel) -> bool:
    """Return whether all files have the checksums of the card; False for a card without them. Reads all weights."""
    checksums = compiled.card.checksums
    return bool(checksums) and are_intact(compiled.folder, checksums)


def is_known_intact(compiled: CompiledModel, name: str) -> bool:
    """Return whether a file of a compiled model and its weights have the checksums of the card, if it has them.

    Reads them only if they may have changed since they were read last (see `integrity`).
    """
    return are_known_intact(compiled.folder, _checksums(compiled, name))


def read_failure(space: Space) -> str | None:
    """Return why the model of `space` could not be compiled; None if it was not tried with these packages."""
    for root in _roots():
        with suppress(OSError, ValueError, TypeError, KeyError):
            failure = json.loads(_failure_file(root, space).read_text(encoding="utf-8"))
            if failure["versions"] == exporter_versions():
                return str(failure["reason"])
    return None


def record_failure(space: Space, reason: str) -> None:
    """Remember why the model of `space` cannot be compiled with these packages, if a folder can be written."""
    failure = {"model": space.model, "reason": reason, "versions": exporter_versions()}
    with suppress(OSError):
        write_atomically(_failure_file(_writable_root(), space), [json.dumps(failure).encode()])


def discard(compiled: CompiledModel) -> None:
    """Delete a compiled model that is damaged.

    It stays if another process has replaced it, or if its files cannot be opened now, as with too many open files.
    """
    card = _read_card(compiled.folder / CARD, any_version=True)
    if card is None or card.checksums != compiled.card.checksums or not _can_be_opened(compiled):
        return
    with suppress(OSError):
        (compiled.folder / CARD).unlink()  # first: a folder without a card is not used
    shutil.rmtree(compiled.folder, ignore_errors=True)


@contextmanager
def exporting(space: Space, *, waits: bool = False) -> Iterator[bool]:
    """Yield whether this process may compile the model of `space`: not while another one does.

    With `waits`, wait for the other one. Raises `OSError` if no folder can be written.
    """
    lock = FileLock(_writable_root() / f".{_key(space)}.lock")
    try:
        lock.acquire(timeout=-1 if waits else 0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def publish(space: Space, write: Callable[[Path], Card]) -> CompiledModel:
    """Let `write` fill a new folder and return its card, then make it the compiled model of `space`.

    Sizes and checksums of the files are added to the card. Call it within `exporting`. Compiled models of earlier
    weights of the same model are deleted. Raises `OSError`.
    """
    root, key = _writable_root(), _key(space)
    for leftover in root.glob(f".{key}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)  # of a process that was killed: only one may export
    draft = root / f".{key}.{os.getpid()}.tmp"
    draft.mkdir()
    try:
        card = write(draft)
        written = [file for file in draft.iterdir() if file.is_file()]
        card = replace(
            card,
            files={file.name: file.stat().st_size for file in written},
            checksums={file.name: file_sha256(file) for file in written},
        )
        content = json.dumps(asdict(card), ensure_ascii=False, indent=1)
        write_atomically(draft / CARD, [content.encode()])
        remember(draft, card.checksums)
        for file in draft.iterdir():
            _flush(file)
        target = root / key
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _delete_earlier(root, card)
    _failure_file(root, space).unlink(missing_ok=True)
    return CompiledModel(target, card)


def _delete_earlier(root: Path, card: Card) -> None:
    for file in root.glob(f"*/{CARD}"):
        other = _read_card(file, any_version=True)
        if other is not None and other.model == card.model and other != card:
            discard(CompiledModel(file.parent, other))


def _read_card(file: Path, *, any_version: bool = False) -> Card | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if content["version"] != EXPORTER_VERSION and not any_version:
            return None
        return Card(**{**content, "tokenizer": TokenizerRules(**content["tokenizer"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _complete(space: Space) -> Iterator[CompiledModel]:
    for root in _roots():
        folder = root / _key(space)
        card = _read_card(folder / CARD)
        if card is not None and card.fingerprint == space.fingerprint and _is_complete(folder, card):
            yield CompiledModel(folder, card)


def _is_complete(folder: Path, card: Card) -> bool:
    try:
        return all((folder / name).stat().st_size == size for name, size in card.files.items())
    except OSError:
        return False


def _can_be_opened(compiled: CompiledModel) -> bool:
    """Return whether every file that exists can be opened."""
    for name in compiled.card.files:
        try:
            (compiled.folder / name).open("rb").close()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def _checksums(compiled: CompiledModel, name: str) -> dict[str, str]:
    """Return those of a graph and its weights, or of another file; empty if the card has none."""
    names = (name, f"{name}.data")
    return {each: compiled.card.checksums[each] for each in names if each in compiled.card.checksums}


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _key(space: Space) -> str:
    return f"{space.fingerprint[:32]}-{EXPORTER_VERSION}"


def _failure_file(root: Path, space: Space) -> Path:
    return root / f"{_key(space)}.failed.json"


def _roots() -> Iterator[Path]:
    """Yield the folders that can contain compiled models: below the models folder, or else in the user's cache."""
    yield models_folder() / SUBFOLDER
    with suppress(RuntimeError):  # the user has no home folder
        yield platformdirs.user_cache_path("sightline", appauthor=False) / "compiled"


def _writable_root() -> Path:
    """Return the first of the folders that can be written, after creating it. Raises `OSError` if none can."""
    for root in _roots():
        with suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
            if os.access(root, os.W_OK | os.X_OK):
                return root
    raise OSError("no folder for compiled models can be written")
