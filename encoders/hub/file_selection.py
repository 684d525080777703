"""Which files of a repository make a model: its weights once, and every small file that configures it."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import PurePosixPath

__all__ = ["CONFIG", "companions", "has_tokenizer", "weights"]

CONFIG = "open_clip_config.json"

IN_ORDER = (
    ("open_clip_model.safetensors",),
    ("open_clip_pytorch_model.safetensors",),
    ("open_clip_pytorch_model.bin",),
    ("model.safetensors",),
    ("model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin",),
    ("pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
"""Weights, the best first. open_clip's own come before those of transformers: a repository often has both, and the
former fit its configuration. Within each, safetensors come before pickles, which can hold more than numbers."""

SMALL = 64 * 2**20
"""Bytes. The largest vocabulary in use is 33 MB (NLLB's)."""
TEXTS = (".json", ".jsonl", ".txt", ".model", ".md", ".tiktoken", ".jinja", "")
TOKENIZERS = frozenset(
    {"tokenizer.json", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "vocab.txt", "vocab.json"}
)


def weights(names: Iterable[str], named: str | None = None) -> tuple[str, ...]:
    """The files that hold the weights, one or all shards of one; empty when there are none. `named` is asked for."""
    there = sorted(names)
    if named is not None:
        safe = str(PurePosixPath(named).with_suffix(".safetensors"))
        return next(((name,) for name in (safe, named) if name in there), ())
    for first, *shards in IN_ORDER:
        if first in there:
            return (first, *(name for name in there for shard in shards if fnmatch(name, shard)))
    return ()


def companions(sizes: dict[str, int]) -> tuple[str, ...]:
    """The small files of the top folder: configuration, preprocessing, tokenizer, licence. Never code."""
    return tuple(
        name
        for name, size in sorted(sizes.items())
        if "/" not in name
        and not name.startswith(".")
        and size <= SMALL
        and PurePosixPath(name).suffix.lower() in TEXTS
        and not name.endswith((".safetensors.index.json", ".bin.index.json"))
    )


def has_tokenizer(names: Iterable[str]) -> bool:
    """Whether one can make tokens with what is there."""
    return not TOKENIZERS.isdisjoint(names)
