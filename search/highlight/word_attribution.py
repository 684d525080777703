"""Which words of a prompt matched where, measured by leaving out each word.

The weight of a word is how much lower the map is without it (erasure: Li, Monroe and Jurafsky, "Understanding neural
networks through representation erasure", 2016; occlusion: Zeiler and Fergus, "Visualizing and understanding
convolutional networks", ECCV 2014). This assumes nothing about the model, so that it works for every engine. An effect
of two words together counts for both of them, so weights need not add up to the score.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.prompts import TextPrompt
from search.highlight.engine import HighlightEngine

__all__ = ["WordAttribution", "attribute_words", "split_words"]

MAX_IMAGE_SIDE = 512
"""Longer side, in pixels, of the picture for which maps without each word are computed."""

_WORDS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+(?:['’-]\w+)*"
)
"""A single Chinese character or kana; elsewhere a run of letters and digits, with its hyphenated parts."""


@dataclass(frozen=True, eq=False)
class WordAttribution:
    """One word of a prompt and its effect on the map."""

    text: str
    start: int
    """Position of its first character in the prompt."""
    weight: float
    """How much the highest point of the map falls without the word, -1 to 1; it rises for a negative weight."""
    change: NDArray[np.float32]
    """(h, w) of a reduced picture: the map of all words minus the map without this one."""


def split_words(text: str) -> list[tuple[int, str]]:
    """Return the words of a text with their positions."""
    return [(match.start(), match.group()) for match in _WORDS.finditer(text)]


def attribute_words(engine: HighlightEngine, image: Image.Image, prompt: TextPrompt) -> Sequence[WordAttribution]:
    """Return the effect of each word of `prompt`, in their order; empty for a prompt of a single word."""
    words = split_words(prompt.text)
    if len(words) < 2:
        return ()
    small = image.copy()
    small.thumbnail((MAX_IMAGE_SIDE, MAX_IMAGE_SIDE), Image.Resampling.BICUBIC)
    without = [TextPrompt(prompt.text[:start] + prompt.text[start + len(word) :]) for start, word in words]
    full, *rest = engine.maps(small, [prompt, *without])  # (h, w) each
    peak = np.unravel_index(int(full.argmax()), full.shape)
    changes = [full - other for other in rest]
    return [
        WordAttribution(word, start, float(change[peak]), change)
        for (start, word), change in zip(words, changes, strict=True)
    ]
