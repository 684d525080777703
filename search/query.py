"""What a person asks: texts, pictures, or both. Turning it into one vector is `search.engine`'s work."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from search.calibrate import Kind
from sightline.errors import InvalidQuery

__all__ = ["Query"]


@dataclass(frozen=True)
class Query:
    """Texts and pictures that count alike, and texts to stay away from.

    The query's vector is the mean of the unit vectors of what is wanted, less half the mean of those of `without`: a
    model that compares by cosine does not understand "no", it has to be subtracted. Raises `InvalidQuery` when there is
    nothing to look for.
    """

    texts: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.texts and not self.images:
            raise InvalidQuery("nothing to search for: give some words, or a picture with --image")
        for text in self.texts + self.without:
            if not text.strip():
                raise InvalidQuery("an empty text matches nothing: give some words")

    @property
    def kind(self) -> Kind | None:
        """Whether it is made of words or of pictures; None for both, whose scores lie somewhere between."""
        if self.texts and self.images:
            return None
        return "text" if self.texts else "picture"

    @classmethod
    def of(
        cls,
        texts: str | Iterable[str] = (),
        images: Path | str | Iterable[Path | str] = (),
        without: str | Iterable[str] = (),
    ) -> "Query":
        """A query of these parts; a single one needs no list."""
        texts = [texts] if isinstance(texts, str) else texts
        images = [images] if isinstance(images, (Path, str)) else images
        without = [without] if isinstance(without, str) else without
        return cls(tuple(texts), tuple(Path(image) for image in images), tuple(without))

    def __str__(self) -> str:
        wanted = " + ".join([*self.texts, *(image.name for image in self.images)])
        return " - ".join([wanted, *self.without])
