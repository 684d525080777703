"""From texts to token IDs: a normalised form, the same in training and in use, then SentencePiece.

The normalised form ignores what people leave out when they type a query: case, accents, vowel marks, punctuation.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["BOS", "MAX_TOKENS", "PAD", "Tokenizer", "pad", "plain"]

PAD = 0
BOS = 2
"""The first token of every text, so that an empty text has a token."""
MAX_TOKENS = 64
"""Longer texts are truncated, unless a version of the model sets another limit."""


def plain(text: str) -> str:
    """Return `text` without case, combining marks or punctuation, with single spaces between words.

    This applies NFKC, casefold and NFKD; then everything but letters, digits and spacing marks becomes a space.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(_letter(char) for char in folded).split())


def _letter(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Mn" or char == "\N{ARABIC TATWEEL}":
        return ""
    if kind[0] not in "LNM":
        return " "
    return f" {char} " if _is_han(char) else char


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


class Tokenizer:
    """SentencePiece (Kudo & Richardson, 2018) over the normalised form of a text; unknown letters become bytes.

    Texts are truncated to `max_tokens` tokens.
    """

    def __init__(self, model: Path, max_tokens: int = MAX_TOKENS) -> None:
        from sentencepiece import SentencePieceProcessor  # late: only texts need it

        self._pieces = SentencePieceProcessor(model_file=str(model))
        self._space = self._pieces.piece_to_id("\u2581")
        self._max_tokens = max_tokens

    def __len__(self) -> int:
        return int(self._pieces.vocab_size())

    def __call__(self, text: str) -> list[int]:
        """Return the IDs of a text, `BOS` first, at most `max_tokens`."""
        return self._ids(self._pieces.encode(plain(text)))[: self._max_tokens]

    def count(self, text: str) -> int:
        """Return the number of IDs of the whole text, `BOS` included."""
        return len(self._ids(self._pieces.encode(plain(text))))

    def _ids(self, pieces: Sequence[int]) -> list[int]:
        # A piece that is only a space means nothing, and would stand between all Chinese characters.
        return [BOS, *(piece for piece in pieces if piece != self._space)]


def pad(ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return token IDs (N, T) padded with `PAD`, and their mask (N, T): one for a token, zero for padding."""
    lengths = np.array([len(row) for row in ids])
    mask = np.arange(lengths.max())[None] < lengths[:, None]  # (N, T)
    padded = np.full(mask.shape, PAD, dtype=np.int64)
    padded[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in ids])
    return padded, mask.astype(np.float32)
