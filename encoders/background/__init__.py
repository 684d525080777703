"""Freely licensed photos of many kinds with captions, words and phrases, from which other models are calibrated.

`README.md` in this folder says where the photos come from; `background.json` names the author, the licence and the
source of each. Texts are in six languages.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

__all__ = ["LANGUAGES", "Background", "BackgroundPhoto", "background"]

LANGUAGES = ("en", "de", "fr", "cs", "zh", "ar")
"""The languages of the texts, as ISO 639-1 codes."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class BackgroundPhoto:
    """A photo, its origin, and the texts that it answers."""

    file: str
    title: str
    source: str
    """The package that it was taken from."""
    author: str
    licence: str
    """An SPDX identifier, or `public-domain`."""
    sentences: Mapping[str, str]
    """A caption in each language."""
    phrases: Mapping[str, str]
    """A few words about the photo, in each language."""
    words: tuple[str, ...]
    """English words for what is clearly in the photo (the keys of `Background.words`)."""
    unclear: tuple[str, ...]
    """English words that are neither clearly right nor clearly wrong for the photo."""

    def open(self) -> Image.Image:
        """Return the decoded photo (RGB, at most 264 pixels)."""
        with Image.open(_FOLDER / "photos" / self.file) as image:
            return image.convert("RGB")


@dataclass(frozen=True)
class Background:
    """The photos, the words that name their content, and texts that no photo answers."""

    version: int
    """Raised with every change that can change a calibration."""
    photos: tuple[BackgroundPhoto, ...]
    words: Mapping[str, Mapping[str, str]]
    """English word to the word in each language."""
    absent_words: tuple[Mapping[str, str], ...]
    absent_phrases: tuple[Mapping[str, str], ...]
    absent_sentences: tuple[Mapping[str, str], ...]


@cache
def background() -> Background:
    """Return the photos and texts in this folder."""
    content = json.loads((_FOLDER / "background.json").read_text(encoding="utf-8"))
    absent = content["absent"]
    return Background(
        version=content["version"],
        photos=tuple(
            BackgroundPhoto(**{**photo, "words": tuple(photo["words"]), "unclear": tuple(photo["unclear"])})
            for photo in content["photos"]
        ),
        words={word["en"]: word for word in content["words"]},
        absent_words=tuple(absent["words"]),
        absent_phrases=tuple(absent["phrases"]),
        absent_sentences=tuple(absent["sentences"]),
    )
