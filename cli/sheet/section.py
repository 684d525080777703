"""What a contact sheet shows: titled rows of hits, and their thumbnails."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from core.errors import PictureError
from pictures.decode import decode
from search.hits import Hit, Listed

__all__ = ["Section", "thumbnail"]


@dataclass(frozen=True)
class Section:
    """One question and its answer."""

    title: str
    hits: Sequence[Listed]
    captions: Sequence[str] = ()
    """What stands beneath each picture before its name, in place of its rank and score."""

    def caption(self, number: int) -> str:
        """What is said of the hit `number`, from 0, before its name."""
        hit = self.hits[number]
        if self.captions:
            return self.captions[number]
        if not isinstance(hit, Hit):
            return f"{hit.rank}."
        return f"{hit.rank}. {hit.score:.3f}{'?' if hit.is_relevant is False else ''}"


def thumbnail(path: Path, side: int) -> Image.Image | None:
    """The picture at `path`, upright, at most `side` pixels wide and high; None when it cannot be read any more."""
    try:
        image = decode(path.read_bytes(), shortest_side=side // 2).image
    except (OSError, PictureError):
        return None
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image
