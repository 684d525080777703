"""What a person asks: texts, pictures, or both. Turning it into one vector is `search.engine`'s work."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sightline.errors import InvalidQuery

__all__ = ["Query"]


@dataclass(frozen=True)
class Query:
    """Texts and pictures that count alike: the query is the mean of their unit vectors.

    Raises `InvalidQuery` when there is nothing to look for.
    """

    texts: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.texts and not self.images:
            raise InvalidQuery("nothing to search for: give some words, or a picture with --image")
        for text in self.texts:
            if not text.strip():
                raise InvalidQuery("an empty text matches nothing: give some words")

    @classmethod
    def of(cls, texts: str | Iterable[str] = (), images: Path | str | Iterable[Path | str] = ()) -> "Query":
        """A query of these parts; a single one needs no list."""
        texts = [texts] if isinstance(texts, str) else texts
        images = [images] if isinstance(images, (Path, str)) else images
        return cls(tuple(texts), tuple(Path(image) for image in images))

    def __str__(self) -> str:
        return " + ".join([*self.texts, *(image.name for image in self.images)])
