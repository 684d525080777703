"""Texts that are longer than a model reads: cut into pieces that fit, or cut off, and said either way.

A dual encoder has a fixed context (77 tokens in CLIP); what stands behind it is not read, and nobody notices.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from encoders.base import Encoder
from search.options import LongTexts

__all__ = ["FittedText", "fit_to_context"]

ENDS = 2
"""Tokens at the ends of a text. The rest is at most one for each byte: short texts need no tokenizer."""

_SENTENCE_END = re.compile(r"(?<=[.!?;。！？；؟\n])(?=[^.!?;。！？；؟\n])")
_WORD_END = re.compile(r"(?<=\s)(?=\S)|(?<=[\u3400-\u9fff])(?=.)|$", re.DOTALL)
"""Between Chinese characters there are no spaces: a piece can end behind each."""


@dataclass(frozen=True)
class FittedText:
    """A text as the model can read it."""

    pieces: tuple[str, ...]
    note: str | None = None
    """What was done, if anything."""


def fit_to_context(text: str, encoder: Encoder, long: LongTexts) -> FittedText:
    """`text` in pieces that `encoder` reads to their ends; nearly always the text itself."""
    if encoder.context_length is None or len(text.encode()) + ENDS <= encoder.context_length:
        return FittedText((text,))
    tokens = encoder.count_tokens(text)
    if tokens is None or tokens <= encoder.context_length:
        return FittedText((text,))
    said = f"{_beginning(text)} is {tokens} tokens long, and {encoder.space.model} reads {encoder.context_length}"
    if long == "truncate":
        kept = _fitting(text, encoder).rstrip()
        return FittedText((kept,), f'{said}: it was cut off after "{kept[-30:]}"')
    found = tuple(_packed(text, encoder))
    return FittedText(found, f"{said}: it was split into {len(found)} pieces, which count alike")


def _packed(text: str, encoder: Encoder) -> list[str]:
    """Sentences, as many to a piece as fit; one that does not fit is cut between words."""
    packed: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        if packed and _fits(packed[-1] + sentence, encoder):
            packed[-1] += sentence
            continue
        rest = sentence
        while rest.strip():
            fitting = _fitting(rest, encoder)
            packed.append(fitting)
            rest = rest[len(fitting) :]
    return [piece.strip() for piece in packed if piece.strip()] or [text]


def _fitting(text: str, encoder: Encoder) -> str:
    """The longest beginning of `text` that fits: whole words, or letters of the first if it is too long by itself."""
    ends: Sequence[int] = [match.start() for match in _WORD_END.finditer(text) if match.start()]
    if not _fits(text[: ends[0]], encoder):
        ends = range(1, ends[0] + 1)
    low, high = 0, len(ends) - 1  # the first is taken in any case
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[: ends[middle]], encoder) else (low, middle - 1)
    return text[: ends[low]]


def _fits(text: str, encoder: Encoder) -> bool:
    tokens = encoder.count_tokens(text)
    return tokens is None or encoder.context_length is None or tokens <= encoder.context_length


def _beginning(text: str, shown: int = 40) -> str:
    flat = " ".join(text.split())
    return f'"{flat if len(flat) <= shown else flat[:shown].rstrip() + "..."}"'
