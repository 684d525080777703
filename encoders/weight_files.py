"""Which files of a folder or repository make up a model: its weights, and the small files that configure it.

Downloading a model and loading one both use these rules, so that the file that is downloaded is the file that is read.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import PurePosixPath

__all__ = [
    "MAX_COMPANION_BYTES",
    "OPEN_CLIP_CONFIG",
    "TOKENIZER_FOLDER",
    "WEIGHTS_SUFFIXES",
    "companion_files",
    "has_tokenizer",
    "select_weights",
    "transformers_weights",
]

OPEN_CLIP_CONFIG = "open_clip_config.json"

TOKENIZER_FOLDER = "tokenizer"
"""Folder in that of a model for what its text tower needs from another repository: a tokenizer, and `config.json`."""

WEIGHTS_PREFERENCE = (
    ("open_clip_model.safetensors",),
    ("open_clip_pytorch_model.safetensors",),
    ("open_clip_pytorch_model.bin",),
    ("model.safetensors",),
    ("model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin",),
    ("pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
"""Names of weights, best first; a name is followed by the pattern of its shards.

The weights of open_clip come before those of transformers: a repository often has both, and only the former fit its
`open_clip_config.json`. Within each, safetensors come before pickles, which can contain more than tensors.
"""
WEIGHTS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")

MAX_COMPANION_BYTES = 64 * 2**20
"""The largest vocabulary in use has 33 MB (that of NLLB)."""
COMPANION_SUFFIXES = (".json", ".jsonl", ".txt", ".model", ".md", ".tiktoken", ".jinja", "")
TOKENIZER_FILES = frozenset(
    {"tokenizer.json", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "vocab.txt", "vocab.json"}
)


def select_weights(names: Iterable[str], required: str | None = None) -> tuple[str, ...]:
    """Return the weights among `names`: one file, or the index and the shards of one; empty without weights.

    `required` names the weights to use; the safetensors file of the same name is preferred.
    """
    available = sorted(names)
    if required is not None:
        safe = str(PurePosixPath(required).with_suffix(".safetensors"))
        return next(((name,) for name in (safe, required) if name in available), ())
    for first, *shards in WEIGHTS_PREFERENCE:
        if first in available:
            return (first, *(name for name in available for shard in shards if fnmatch(name, shard)))
    return ()


def transformers_weights(names: Iterable[str]) -> tuple[str, ...]:
    """Return all weights among `names` that transformers may choose from, variants included; safetensors win.

    They all count for the fingerprint of a model, since a library of transformers decides which of them it reads.
    """
    available = sorted(names)
    for pattern in ("model*.safetensors", "pytorch_model*.bin"):
        if matches := tuple(name for name in available if fnmatch(name, pattern)):
            return matches
    return ()


def companion_files(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Return the small files of the top folder, given sizes by name: configuration, tokenizer, licence. Never code."""
    return tuple(
        name
        for name, size in sorted(sizes.items())
        if "/" not in name
        and not name.startswith(".")
        and size <= MAX_COMPANION_BYTES
        and PurePosixPath(name).suffix.lower() in COMPANION_SUFFIXES
        and not name.endswith((".safetensors.index.json", ".bin.index.json"))
    )


def has_tokenizer(names: Iterable[str]) -> bool:
    """Return whether a tokenizer is among the files."""
    return not TOKENIZER_FILES.isdisjoint(names)
