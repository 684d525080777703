"""Language detection of short texts: by their script, otherwise by fastText's small model."""

import re
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["MODEL_FILE", "detect_language"]

MODEL_FILE = Path(__file__).parent / "language_model" / "lid.176.ftz"
"""fastText's compressed model of 176 languages; `LICENSE.md` next to it names its source and licence."""

MIN_PROBABILITY = 0.7
"""fastText's answer counts from this probability. Measured on 2,000 captions of Flickr8k in each of six languages: of
captions cut to two words, 1 in 100 was wrong in Czech and at most 1 in 250 in the others; of four words, at most 1 in
280. Undecided were, of two words, 5 % in German and 71 % in English, and at most 8 % of whole captions."""

MIN_WORDS = 2
"""Words of two letters or more. A single word often exists in several languages (Hand, Restaurant, chat)."""
MIN_LETTERS = 2

LETTER = r"[^\W\d_]"
KANA, HANGUL, HAN = (
    re.compile("[\u3040-\u30ff]"),
    re.compile("[\uac00-\ud7af]"),
    re.compile("[\u4e00-\u9fff\u3400-\u4dbf]"),
)
SCRIPTS = {
    "el": re.compile("[\u0370-\u03ff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "bn": re.compile("[\u0980-\u09ff]"),
    "te": re.compile("[\u0c00-\u0c7f]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
}
"""Scripts that are mostly used by one language."""


def detect_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of `text`; None if it is uncertain, as for a single word.

    Chinese, Japanese, Korean, Greek, Hebrew, Bengali, Telugu and Thai are recognised by their scripts, from two
    letters on.
    """
    letters = len(re.findall(LETTER, text))
    if letters < MIN_LETTERS:
        return None
    if KANA.search(text):  # Japanese mixes them with Han characters
        return "ja"
    for code, script in {"ko": HANGUL, "zh": HAN, **SCRIPTS}.items():
        if len(script.findall(text)) > letters / 2:
            return code
    words = re.findall(rf"{LETTER}+(?:['’]{LETTER}+)*", text)
    if sum(len(word) > 1 for word in words) < MIN_WORDS:
        return None
    return _detect_by_fasttext(" ".join(words).lower())


def _detect_by_fasttext(text: str) -> str | None:
    """Classify `text` with fastText's model of 176 languages (Joulin et al. 2016, arXiv:1607.01759)."""
    model = _load_model()
    if model is None:
        return None
    labels, probabilities = model.predict(text, k=1)
    code = str(labels[0]).removeprefix("__label__") if labels else ""
    return code if len(code) == 2 and probabilities[0] >= MIN_PROBABILITY else None


@cache
def _load_model() -> Any | None:
    """Load the model (0.9 MB), a few milliseconds; None if it cannot be loaded."""
    try:
        import fasttext

        return fasttext.load_model(str(MODEL_FILE))
    except (ImportError, OSError, ValueError):  # a damaged installation
        return None
