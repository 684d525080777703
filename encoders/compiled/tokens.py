"""Tokenizers of compiled models: the rules and the vocabulary of the original, without open_clip and transformers.

CLIP's own tokenizer (open_clip's `SimpleTokenizer`) splits a text into words with a regular expression of Python's
`regex`; this module splits with the same one, and `byte_pairs` merges the bytes of each word. The vocabulary of any
other tokenizer is a file of the library `tokenizers`. The texts are cleaned as open_clip cleans them, with the same
functions of `ftfy` and `html`.
"""

import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import ExtraMissing
from encoders.compiled.byte_pairs import BytePairs

__all__ = ["CLEANERS", "Cleaning", "CompiledTokenizer", "TokenBatch", "TokenizerRules"]

Cleaning: TypeAlias = Literal["none", "lower", "whitespace", "canonicalize"]

CLIP_WORDS = r"""<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
"""The expression of open_clip's tokenizer, unless a model has more special tokens."""
_CLIP_WORDS_ASCII = re.compile(
    CLIP_WORDS.replace(r"\p{L}", "a-zA-Z").replace(r"\p{N}", "0-9"), re.IGNORECASE | re.ASCII
)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class TokenizerRules:
    """How a text becomes the token IDs of a model."""

    clean: Cleaning
    length: int
    """The maximum number of tokens, special tokens included."""
    words: str | None = None
    """The regular expression of `SimpleTokenizer`; None for a tokenizer of the library `tokenizers`."""
    special: Mapping[str, int] = field(default_factory=dict)
    """The IDs of special tokens by name, for `SimpleTokenizer`. The first two begin and end a text."""
    zeroed: int | None = None
    """The ID that is replaced by 0: open_clip's `strip_sep_token`."""
    language: str | None = None
    """The default language of an NLLB tokenizer. The ID of the language is the first of each text."""
    has_mask: bool = False
    """Whether the text tower reads an attention mask."""


class TokenBatch(NamedTuple):
    """The tokens of n texts, padded to T."""

    ids: NDArray[np.int64]
    """(n, T)"""
    mask: NDArray[np.int64]
    """(n, T); 0 for padding."""

    def trimmed(self) -> "TokenBatch":
        """Return these without the columns at the end that are padding in every text."""
        used = np.flatnonzero(self.mask.any(axis=0))
        length = int(used[-1]) + 1 if used.size else 1
        return TokenBatch(self.ids[:, :length], self.mask[:, :length])


class CompiledTokenizer:
    """The tokenizer of a compiled model: `rules`, and the file that `tokenizer_export` writes for them.

    Raises `ExtraMissing` if `tokenizers` is needed and missing, `ValueError` for a damaged table of byte pairs, and
    what `tokenizers` raises for a damaged file.
    """

    def __init__(self, rules: TokenizerRules, file: Path) -> None:
        self._rules = rules
        if rules.words is not None:
            self._merged = BytePairs(file)
            return
        try:
            from tokenizers import Tokenizer
        except ImportError as exc:
            raise ExtraMissing("A CLIP model", "clip") from exc
        self._tokenizer = Tokenizer.from_file(str(file))

    def language_id(self, language: str) -> int | None:
        """Return the ID of the token of an NLLB language such as `deu_Latn`; None if it has none."""
        found: int | None = self._tokenizer.token_to_id(language)
        return found

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens included, before it is truncated."""
        text = CLEANERS[self._rules.clean](text)
        if self._rules.words is not None:
            return len(self._clip_ids(text)) + 2
        encoding, special = self._tokenizer.encode(text), self._tokenizer.num_special_tokens_to_add(False)
        rest = [sum(part.attention_mask) - special for part in encoding.overflowing]
        return sum(encoding.attention_mask) + sum(rest)

    def __call__(self, texts: Sequence[str], language: str | None = None) -> TokenBatch:
        """Return the tokens of `texts`."""
        cleaned = [CLEANERS[self._rules.clean](text) for text in texts]
        if self._rules.words is not None:
            return self._clip_batch(cleaned)
        encodings = self._tokenizer.encode_batch(cleaned)
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        if self._rules.zeroed is not None:
            ids[ids == self._rules.zeroed] = 0
        if self._rules.language is not None:
            first = self.language_id(language or self._rules.language)
            if first is None:
                raise ValueError(f"the tokenizer has no token for the language {language!r}")
            ids[:, 0] = first
        return TokenBatch(ids, mask)

    def _clip_batch(self, texts: Sequence[str]) -> TokenBatch:
        start, end, *_ = self._rules.special.values()
        length = self._rules.length
        ids = np.zeros((len(texts), length), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            tokens = [start, *self._clip_ids(text), end]
            if len(tokens) > length:
                tokens = [*tokens[: length - 1], end]
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return TokenBatch(ids, mask)

    def _clip_ids(self, text: str) -> list[int]:
        """Return the IDs of a cleaned text without the special tokens at its ends."""
        special, ids, plain = self._rules.special, [], list[str]()
        for word in self._split(text):
            if word in special:
                ids += [*self._merged(plain), special[word]]
                plain = []
            else:
                plain.append(word)
        return [*ids, *self._merged(plain)]

    def _split(self, text: str) -> list[str]:
        if self._rules.words == CLIP_WORDS and text.isascii():
            return _CLIP_WORDS_ASCII.findall(text)
        return list(self._pattern.findall(text))

    @cached_property
    def _pattern(self) -> Any:
        import regex  # late: plain English needs no tables of Unicode

        return regex.compile(self._rules.words, regex.IGNORECASE)


def _basic(text: str) -> str:
    """Repair a text and unescape HTML, as open_clip's `basic_clean`."""
    if text.isascii() and text.isprintable() and "&" not in text:
        return text.strip()  # ftfy and html do not change such a text, and ftfy takes a while to import
    import html

    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def _whitespace(text: str) -> str:
    return " ".join(_basic(text).split())


def _canonicalize(text: str) -> str:
    """Remove punctuation and capitals, as open_clip's `canonicalize_text` (and big_vision, for SigLIP)."""
    return " ".join(_basic(text).replace("_", " ").translate(_NO_PUNCTUATION).lower().split())


CLEANERS: Mapping[Cleaning, Callable[[str], str]] = MappingProxyType(
    {
        "none": lambda text: text,
        "lower": lambda text: _whitespace(text).lower(),
        "whitespace": _whitespace,
        "canonicalize": _canonicalize,
    }
)
"""What open_clip does to a text before it is split into tokens, by the name of its option `clean`."""
