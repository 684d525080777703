"""A data set: pictures below one folder, and captions that say which of them they are about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from core.errors import UnknownLanguage
from search.evaluate.qrels import Qrels

__all__ = ["UNKNOWN_LANGUAGE", "Caption", "Dataset"]

UNKNOWN_LANGUAGE = "und"
"""What a caption is in when nothing says (ISO 639-3: undetermined)."""


@dataclass(frozen=True)
class Caption:
    """A query in words, and the pictures (paths relative to the root) that answer it, with grades above 0."""

    id: str
    text: str
    lang: str
    images: Mapping[str, int]


@dataclass(frozen=True)
class Dataset:
    """One split of a data set. `images` are paths relative to `root`, with `/`; they are also the pictures' ids."""

    name: str
    split: str
    root: Path
    images: tuple[str, ...]
    captions: tuple[Caption, ...]

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Of the captions, in alphabetical order."""
        return tuple(sorted({caption.lang for caption in self.captions}))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The pictures' files, in the order of `images`."""
        return tuple(self.root / image for image in self.images)

    def only(self, *langs: str) -> "Dataset":
        """The same pictures with the captions of these languages. Raises `UnknownLanguage`."""
        for lang in langs:
            if lang not in self.languages:
                raise UnknownLanguage(self.root, lang, self.languages)
        return replace(self, captions=tuple(caption for caption in self.captions if caption.lang in langs))

    def qrels(self) -> Qrels:
        """Caption id -> {picture: grade}. (`judgements.inverted` turns them round.)"""
        return {caption.id: caption.images for caption in self.captions}
