"""Texts that are longer than the model's context: split into pieces that fit, or truncated.

A dual encoder has a fixed context (77 tokens in CLIP) and silently ignores the rest of a text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.notices import Notice, NoticeValue
from encoders.base import Encoder
from search.options import LongTexts

__all__ = ["FittedText", "fit_to_context"]

SPECIAL_TOKENS = 2
"""Start and end tokens. All others cover at least one byte each, so that short texts need no tokenizer."""
MAX_QUOTED_LENGTH = 40
"""Characters of a text that a notice quotes."""

_SENTENCE_END = re.compile(r"(?<=[.!?;。！？；؟\n])(?=[^.!?;。！？；؟\n])")
_WORD_END = re.compile(r"(?<=\s)(?=\S)|(?<=[\u3400-\u9fff])(?=.)|$", re.DOTALL)
"""Chinese has no blanks between words: a piece can end after each character."""


@dataclass(frozen=True)
class FittedText:
    """A text in pieces that fit into the model's context."""

    pieces: tuple[str, ...]
    notice: Notice | None = None
    """Says that the text was split or truncated."""


def fit_to_context(text: str, encoder: Encoder, long_texts: LongTexts) -> FittedText:
    """Split or truncate `text` if it is longer than the context of `encoder`."""
    if encoder.context_length is None or len(text.encode()) + SPECIAL_TOKENS <= encoder.context_length:
        return FittedText((text,))
    tokens = encoder.count_tokens(text)
    if tokens is None or tokens <= encoder.context_length:
        return FittedText((text,))
    model, limit, quoted = encoder.space.model, encoder.context_length, _quote(text)
    reason = f'The text "{quoted}" has {tokens} tokens, but {model} reads only {limit}.'
    data: dict[str, NoticeValue] = {"text": quoted, "tokens": tokens, "limit": limit, "model": model}
    if long_texts == "truncate":
        beginning = _longest_fitting(text, encoder).rstrip()
        end = beginning[-30:]
        message = f'{reason} It was truncated after "{end}".'
        return FittedText((beginning,), Notice("text_truncated", message, {**data, "end": end}))
    pieces = tuple(_split(text, encoder))
    message = f"{reason} It was split into {len(pieces)} equally weighted pieces."
    return FittedText(pieces, Notice("text_split", message, {**data, "pieces": len(pieces)}))


def _split(text: str, encoder: Encoder) -> list[str]:
    """Pack as many sentences into each piece as fit; a sentence that does not fit is cut between words."""
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        if pieces and _fits(pieces[-1] + sentence, encoder):
            pieces[-1] += sentence
            continue
        rest = sentence
        while rest.strip():
            piece = _longest_fitting(rest, encoder)
            pieces.append(piece)
            rest = rest[len(piece) :]
    return [piece.strip() for piece in pieces if piece.strip()] or [text]


def _longest_fitting(text: str, encoder: Encoder) -> str:
    """Return the longest beginning of `text` that fits: whole words, or a part of the first one."""
    ends: Sequence[int] = [match.start() for match in _WORD_END.finditer(text) if match.start()]
    if not _fits(text[: ends[0]], encoder):
        ends = range(1, ends[0] + 1)
    low, high = 0, len(ends) - 1  # at least the first
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[: ends[middle]], encoder) else (low, middle - 1)
    return text[: ends[low]]


def _fits(text: str, encoder: Encoder) -> bool:
    tokens = encoder.count_tokens(text)
    return tokens is None or encoder.context_length is None or tokens <= encoder.context_length


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_QUOTED_LENGTH else f"{line[:MAX_QUOTED_LENGTH].rstrip()}..."
